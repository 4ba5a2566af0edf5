/**
 * ts-trainer against Hugging Face Trainer: the same model from the same weights on the same rows in the same order,
 * each run in a process of its own, in alternating rounds. The last line on stdout is one JSON object;
 * docs/benchmarks.md says what is in it.
 *
 * Run: npm run bench -- --help
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkBfloat16 } from '../src/engine/bfloat16'
import { nvidiaDriver } from '../src/engine/driver'
import { TrainerError } from '../src/errors'
import { createEngine, setLogLevel } from '../src/index'
import { findWebgpuDriver } from '../test/helpers/webgpu'
import { type Bench, root } from './bench/runs'
import { compareArtifacts } from './bench/artifacts'
import { compareCheckpointing } from './bench/checkpointing'
import { compareLosses } from './bench/losses'
import { describeMachine, load } from './bench/machine'
import { type BenchOptions, parseOptions, subjectOf, usage } from './bench/options'
import { findPython, hasCuda } from './bench/processes'
import { profileRun } from './bench/profiled'
import { recordSection } from './bench/record'
import { printedLines, say } from './bench/report'
import { measure } from './bench/rounds'
import { prepareWork } from './bench/work'

try {
  await main()
} catch (error) {
  if (!(error instanceof TrainerError) && !String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS'))
    throw error
  console.error((error as Error).message)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) return console.log(usage)
  if (options.precision === 'bfloat16' && options.device === 'cpu') checkBfloat16() // says why not, before anything is measured
  setLogLevel('error')
  const folder = mkdtempSync(join(tmpdir(), 'ts-trainer-bench-'))
  try {
    const found = options.rivals.length === 0 ? undefined : await findPython(options.artifacts)
    const without = found && (await hindranceOfRival(found, options))
    const python = without === undefined ? found : undefined
    if (options.device === 'webgpu') findWebgpuDriver()
    const engine = await createEngine({ device: options.device }) // says why not, before anything is measured
    const { version } = engine
    engine.dispose()
    const bench = { options, work: await prepareWork(options, folder), folder, python }
    printHead(bench, version, without)
    const { result, difference } = await compared(bench)
    if (options.record) {
      const measured = python === undefined ? { ...options, rivals: [] } : options
      recordSection(join(root, 'docs/benchmarks.md'), subjectOf(measured), printedLines())
    }
    const { task, shape, family, batch, device, precision } = options
    say(
      JSON.stringify({
        task,
        shape,
        family,
        batch,
        device,
        precision,
        ...result,
        lossDifference: difference,
        loadAverage: load(),
      }),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function printHead({ options, work, python }: Bench, version: string, without: string | undefined): void {
  const source = options.built ? 'the built package' : 'the sources'
  say(`npm run bench -- ${process.argv.slice(2).join(' ')}`.trimEnd())
  say(`${new Date().toISOString().slice(0, 10)}, ${describeMachine()}; load average ${load()}`)
  say(
    `node ${process.versions.node}, ONNX Runtime ${version}, ${source}; rival: ${without ?? rivalsInWords(options, python)}`,
  )
  if (options.device !== 'cpu') say(`device ${options.device}: ${gpusInWords()}`)
  const length = options.length ?? 'at most 128'
  say(`${work.sources.join('; ')}; ${work.rowCount} rows of ${length} tokens, batches of ${options.batch}\n`)
}

/** Why Hugging Face Trainer cannot be measured beside a device; undefined where it can. */
async function hindranceOfRival(python: string, { device, precision }: BenchOptions): Promise<string | undefined> {
  if (device === 'cpu' || (await hasCuda(python))) return undefined
  if (device === 'webgpu' && precision === 'float32') return undefined // on the processor, as it says of itself
  return `none: torch of ${python} has no CUDA here`
}

/** NVIDIA's GPUs, as their driver says. */
function gpusInWords(): string {
  const gpus = nvidiaDriver()?.gpus ?? []
  return gpus.map(({ name }) => name).join(', ') || "no driver of NVIDIA's here; what it is, its own driver knows"
}

function rivalsInWords({ rivals, artifacts }: BenchOptions, python: string | undefined): string {
  const what = artifacts ? 'onnxruntime-training' : 'transformers'
  if (python !== undefined) return artifacts ? 'ONNX Runtime Training' : rivals.join(', ')
  return rivals.length === 0 ? 'none asked for' : `no Python with ${what} here (BENCH_PYTHON)`
}

function compared(bench: Bench): Promise<{ result: object; difference: number | undefined }> {
  const { checkpointing, artifacts } = bench.options
  return checkpointing ? compareCheckpointing(bench) : artifacts ? compareArtifacts(bench) : compareRivals(bench)
}

/** ts-trainer and its rivals, or where ts-trainer's time goes. */
async function compareRivals(bench: Bench): Promise<{ result: object; difference: number | undefined }> {
  const { tokens, difference } = await compareLosses(bench)
  return { result: await (bench.options.profile ? profileRun(bench, tokens) : measure(bench, tokens)), difference }
}
