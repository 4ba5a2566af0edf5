/**
 * The memory that a Trainer says training takes, beside what it takes: each case in a process of its own on the
 * processor. Ends with status 1 where one is wrong by more than 15 %.
 *
 * Measured is what the system counts as resident at the most (VmHWM), less what is resident in the same process while a
 * Trainer of a model 8 wide is there that has trained: Node, ONNX Runtime, worker threads. Memory that was reserved and
 * never written to is not resident.
 *
 * Run: npm run bench:memory [-- CASE ...]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setLogSink } from '../src/index'
import { peakMemory } from './bench/peakMemory'
import { type Case, cases, smallTrainer, trainerOf } from './memory/cases'

const most = 0.15

/** What a process has measured, in bytes. */
interface Measured {
  readonly parts: Readonly<Record<string, number>>
  readonly said: number
  readonly taken: number
}

async function measure(given: Case, outputDir: string): Promise<Measured> {
  setLogSink(() => undefined)
  for (let warm = 0; warm < 2; warm++) {
    const first = smallTrainer(outputDir)
    await first.train()
    await first.dispose()
  }
  const before = smallTrainer(outputDir)
  await before.train()
  const resident = process.memoryUsage().rss
  await before.dispose()
  const trainer = trainerOf(given, outputDir)
  const { total, ...parts } = await trainer.memoryReport()
  await trainer.train()
  return { parts, said: total, taken: peakMemory() - resident }
}

function measureElsewhere(name: string): Measured {
  const outputDir = mkdtempSync(join(tmpdir(), 'memory-'))
  const command = ['--import', 'tsx', fileURLToPath(import.meta.url), '--measure', name, outputDir]
  const { stdout, stderr } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '..'),
  })
  rmSync(outputDir, { recursive: true })
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured
  } catch {
    throw new Error(stderr)
  }
}

function printed(name: string, { parts, said, taken }: Measured): string {
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
  const shown = Object.entries(parts).filter(([, bytes]) => bytes > 0)
  const detail = shown.map(([part, bytes]) => `${part} ${mebibytes(bytes)}`).join(', ')
  return `${name}: said ${mebibytes(said)}, taken ${mebibytes(taken)} MiB, ratio ${(said / taken).toFixed(3)} (${detail})`
}

const [first, ...rest] = process.argv.slice(2)
if (first === '--measure') console.log(JSON.stringify(await measure(cases[rest[0]!]!, rest[1]!)))
else {
  const names = first === undefined ? Object.keys(cases) : [first, ...rest]
  for (const name of names) {
    if (cases[name] === undefined) throw new Error(`There is no case "${name}": ${Object.keys(cases).join(', ')}.`)
    const measured = measureElsewhere(name)
    console.log(printed(name, measured))
    if (Math.abs(measured.said / measured.taken - 1) > most) process.exitCode = 1
  }
}
