// training artifacts: ts-trainer on the stock runtime beside the official runtime, in alternating rounds
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { TrainerError } from '../../src/errors'
import { AutoModelForSequenceClassification, generateArtifacts } from '../../src/index'
import { type Figures, figuresOf, median, rounded } from './figures'
import type { ArtifactJob, RunResult } from './job'
import { runArtifacts, runRivalArtifacts } from './processes'
import { printTable, say } from './report'
import { type Bench, libraryModule, warmup } from './runs'

const sides = ['ts-trainer', 'ONNX Runtime Training'] as const
type Side = (typeof sides)[number]

/** The losses that are compared, and how far they may be apart. */
const compared = 5
const allowed = 1e-4

/** Both sides' losses, and how fast each trains the same artifacts on the same batches. */
export async function compareArtifacts(bench: Bench): Promise<{ result: object; difference: number | undefined }> {
  const { options, work, python, folder } = bench
  if (work.numLabels < 2)
    throw new TrainerError('argument', `--artifacts trains classes, and ${options.task} has none.`)
  const artifacts = join(folder, 'artifacts')
  const { numLabels } = work
  const model = await AutoModelForSequenceClassification.fromPretrained(work.model, { numLabels })
  const dialect = 'onnxruntime-training'
  await generateArtifacts(model, { loss: 'cross-entropy', optimizer: 'adamw', dialect, artifactDirectory: artifacts })
  const batches = join(folder, 'batches.json')
  writeFileSync(batches, JSON.stringify(batchesOf(work.rows, options.batch, warmup + options.steps)))
  const present = sides.filter(side => side === 'ts-trainer' || python !== undefined)
  const runs = new Map<Side, RunResult[]>(present.map(side => [side, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const side of round % 2 === 0 ? present : present.toReversed())
      runs.get(side)!.push(await runSide(bench, side, { artifacts, batches }))
    const speeds = present.map(side => `${side} ${figures(bench, runs.get(side)!.at(-1)!).samplesPerSecond.toFixed(2)}`)
    say(`round ${round + 1}, samples/s: ${speeds.join(', ')}`)
  }
  const difference = compareFirst(runs)
  return { result: report(bench, runs), difference }
}

function runSide(
  { options, folder, python }: Bench,
  side: Side,
  own: Pick<ArtifactJob, 'artifacts' | 'batches'>,
): Promise<RunResult> {
  const job: ArtifactJob = {
    ...own,
    rate: 5e-5,
    threads: availableParallelism(),
    output: join(folder, 'run'),
    result: join(folder, 'run.json'),
    module: libraryModule(options),
  }
  return side === 'ts-trainer' ? runArtifacts(job) : runRivalArtifacts(python!, job)
}

function figures({ work }: Bench, run: RunResult): Figures {
  return figuresOf(run, warmup, work.flops)
}

/** Rows in the file's order, from the first again after the last, padded to the longest of their batch. */
function batchesOf(file: string, size: number, count: number): object {
  const { label, ...columns } = JSON.parse(readFileSync(file, 'utf8')) as { label: number[] } & Record<
    string,
    number[][]
  >
  const made = Array.from({ length: count }, (_, batch) => {
    const rows = Array.from({ length: size }, (_unused, row) => (batch * size + row) % label.length)
    const lengths = rows.map(row => columns['input_ids']![row]!.length)
    const width = Math.max(...lengths)
    const padded = Object.entries(columns).map(([name, values]) => {
      const data = rows.flatMap(row => Array.from({ length: width }, (_unused, at) => values[row]![at] ?? 0))
      return [name, { shape: [size, width], data }] as const
    })
    const labels = { shape: [size], data: rows.map(row => label[row]!) }
    return { batch: { ...Object.fromEntries(padded), labels }, lengths }
  })
  return { batches: made.map(({ batch }) => batch), lengths: made.map(({ lengths }) => lengths) }
}

/** How far the first losses are apart at most; undefined without a rival. */
function compareFirst(runs: ReadonlyMap<Side, readonly RunResult[]>): number | undefined {
  const digits = (losses: readonly number[]): string => losses.map(loss => loss.toFixed(6)).join('  ')
  const first = [...runs].map(([side, [run]]) => [side, run!.losses.slice(0, compared)] as const)
  say(`\nfirst ${compared} losses`)
  for (const [side, losses] of first) say(`  ${side.padEnd(22)}${digits(losses)}`)
  const [ours, theirs] = first.map(([, losses]) => losses)
  if (theirs === undefined) return undefined
  const difference = Math.max(...ours!.map((loss, i) => Math.abs(loss - (theirs[i] ?? Infinity))))
  const verdict = difference <= allowed ? 'they agree' : 'THEY DO NOT AGREE'
  say(`  ${verdict} to ${allowed}: ${difference.toExponential(1)} apart at most`)
  if (difference > allowed) process.exitCode = 1
  return rounded(difference)
}

function report(bench: Bench, runs: ReadonlyMap<Side, readonly RunResult[]>): object {
  const all = new Map([...runs].map(([side, each]) => [side, each.map(run => figures(bench, run))]))
  const middle = (side: Side, key: keyof Figures): number => median(all.get(side)!.map(each => each[key] ?? NaN))
  const ratios = (all.get(sides[1]) ?? []).map(
    (rival, i) => all.get(sides[0])![i]!.samplesPerSecond / rival.samplesPerSecond,
  )
  say(
    `\nmedians of ${bench.options.rounds} rounds; ${Object.entries(runs.get(sides[1])?.[0]?.versions ?? {})
      .join(', ')
      .replaceAll(',', ' ')}`,
  )
  printTable(
    ['', 'samples/s', 'tokens/s', 'peak MiB', 'start, s'],
    [...all.keys()].map(side => [
      side,
      middle(side, 'samplesPerSecond').toFixed(2),
      middle(side, 'tokensPerSecond').toFixed(0),
      (middle(side, 'peakMemory') / 2 ** 20).toFixed(0),
      middle(side, 'timeToFirstStep').toFixed(2),
    ]),
  )
  if (ratios.length > 0)
    say(
      `ts-trainer over ONNX Runtime Training: ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})\n`,
    )
  const speed = (side: Side): object => ({
    samplesPerSecond: rounded(middle(side, 'samplesPerSecond')),
    peakMemory: middle(side, 'peakMemory'),
    timeToFirstStep: rounded(middle(side, 'timeToFirstStep')),
  })
  const rival =
    ratios.length === 0 ? {} : { 'onnxruntime-training': { ...speed(sides[1]), ratio: rounded(median(ratios)) } }
  return { artifacts: true, ...speed(sides[0]), rivals: rival, rounds: bench.options.rounds }
}
