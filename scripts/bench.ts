/**
 * ts-trainer against Hugging Face Trainer: the same model from the same weights on the same rows in the same order,
 * each run in a process of its own, in alternating rounds. The last line on stdout is one JSON object;
 * docs/benchmarks.md says what is in it.
 *
 * Run: npm run bench -- --help
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkBfloat16 } from '../src/engine/bfloat16'
import { TrainerError } from '../src/errors'
import { createEngine, setLogLevel } from '../src/index'
import { type Figures, figuresOf, median, memoryInterval, rounded } from './bench/figures'
import type { Job, RunResult } from './bench/job'
import { describeMachine, load } from './bench/machine'
import { type BenchOptions, parseOptions, type RivalName, rivals, subjectOf, usage } from './bench/options'
import { operatorParts, type Part, phaseParts, readOperators, windowOf, writeTrace } from './bench/phases'
import { findPython, runOurs, runProducts, runRival } from './bench/processes'
import { recordSection } from './bench/record'
import { prepareWork, type Work } from './bench/work'

const warmup = 5
const root = join(import.meta.dirname, '..')
/** What has been printed: what `--record` writes down. */
const printed: string[] = []

/** What all runs of one call have in common. */
interface Bench {
  readonly options: BenchOptions
  readonly work: Work
  readonly folder: string
  /** Undefined where there is none, or no rival is asked for. */
  readonly python: string | undefined
}

type Side = 'ts-trainer' | RivalName

/** One side's runs, round by round. */
type Rounds = ReadonlyMap<Side, Figures[]>

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
  if (options.precision === 'bfloat16') checkBfloat16() // says why not, before anything is measured
  setLogLevel('error')
  const folder = mkdtempSync(join(tmpdir(), 'ts-trainer-bench-'))
  try {
    const python = options.rivals.length === 0 ? undefined : await findPython()
    const bench = { options, work: await prepareWork(options, folder), folder, python }
    await printHead(bench)
    const { result, difference } = options.checkpointing
      ? await compareCheckpointing(bench)
      : await compareRivals(bench)
    if (options.record)
      recordSection(
        join(root, 'docs/benchmarks.md'),
        subjectOf(python === undefined ? { ...options, rivals: [] } : options),
        printed,
      )
    const { task, shape, batch, precision } = options
    say(JSON.stringify({ task, shape, batch, precision, ...result, lossDifference: difference, loadAverage: load() }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function printHead({ options, work, python }: Bench): Promise<void> {
  const engine = await createEngine()
  say(`npm run bench -- ${process.argv.slice(2).join(' ')}`.trimEnd())
  say(`${new Date().toISOString().slice(0, 10)}, ${describeMachine()}; load average ${load()}`)
  say(
    `node ${process.versions.node}, ONNX Runtime ${engine.version}, ${options.built ? 'the built package' : 'the sources'}; rival: ${python !== undefined ? options.rivals.join(', ') : options.rivals.length === 0 ? 'none asked for' : 'no Python with transformers here (BENCH_PYTHON)'}`,
  )
  engine.dispose()
  say(
    `${work.sources.join('; ')}; ${work.rowCount} rows of ${options.length ?? 'at most 128'} tokens, batches of ${options.batch}\n`,
  )
}

/** ts-trainer and its rivals, or where ts-trainer's time goes. */
async function compareRivals(bench: Bench): Promise<{ result: object; difference: number | undefined }> {
  const { tokens, difference } = await compareLosses(bench)
  return { result: await (bench.options.profile ? profileRun(bench, tokens) : measure(bench, tokens)), difference }
}

/**
 * Gradient checkpointing on and off, in alternating rounds: how much memory and time, and how far the losses are apart.
 */
async function compareCheckpointing(bench: Bench): Promise<{ result: object; difference: number }> {
  const {
    options: { rounds, steps },
    work,
  } = bench
  const sides = ['kept', 'recomputed'] as const
  const figures: Readonly<Record<'kept' | 'recomputed', (Figures & { readonly processorTime: number })[]>> = {
    kept: [],
    recomputed: [],
  }
  let difference = 0
  for (let round = 0; round < rounds; round++) {
    const losses: number[][] = []
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const job = {
        ...jobOf(bench, 'ts-trainer', { steps, keepLosses: true, config: work.dropout }),
        warmup: 1,
        gradientCheckpointing: side === 'recomputed',
      }
      const run = await runOurs(job)
      figures[side].push({
        ...figuresOf(run, 1, work.flops),
        processorTime: (run.processorTime!.at(-1)! - run.processorTime![0]!) / steps,
      })
      losses.push([...run.losses])
    }
    difference = Math.max(difference, ...losses[0]!.map((loss, i) => Math.abs(loss - losses[1]![i]!)))
    say(
      `round ${round + 1}, samples/s: ${sides.map(side => `${side} ${figures[side].at(-1)!.samplesPerSecond.toFixed(2)}`).join(', ')}`,
    )
  }
  const columns = ['samplesPerSecond', 'processorTime', 'peakMemory'] as const
  const ratio = (key: (typeof columns)[number]): number =>
    median(figures.kept.map((kept, round) => figures.recomputed[round]![key] / kept[key]))
  const [time, processor, memory] = [1 / ratio('samplesPerSecond'), ratio('processorTime'), ratio('peakMemory')]
  say(`\nmedians of ${rounds} rounds of ${steps} steps, with dropout`)
  printTable(
    ['', 'samples/s', "processor's seconds a step", 'peak memory, MiB'],
    sides.map(side => [
      side,
      ...columns.map(key =>
        (median(figures[side].map(each => each[key])) / (key === 'peakMemory' ? 2 ** 20 : 1)).toFixed(2),
      ),
    ]),
  )
  say(
    `recomputing takes ${time.toFixed(2)} times the time, ${processor.toFixed(2)} times the processor's, ${memory.toFixed(2)} times the memory; losses are ${difference} apart at most\n`,
  )
  if (difference !== 0) process.exitCode = 1
  return {
    result: { timeRatio: rounded(time), processorRatio: rounded(processor), memoryRatio: rounded(memory), rounds },
    difference,
  }
}

/** Both sides' first five losses without dropout; how far they are apart at most, and the tokens of a batch. */
async function compareLosses(bench: Bench): Promise<{ difference: number | undefined; tokens: number }> {
  const own = { steps: 0, keepLosses: true, config: bench.work.noDropout }
  const ours = await runOurs(jobOf(bench, 'ts-trainer', own))
  const tokens = Math.round(ours.lengths.flat().reduce((sum, length) => sum + length, 0) / ours.lengths.length)
  const digits = (losses: readonly number[]): string => losses.map(loss => loss.toFixed(6)).join('  ')
  say(`first five losses without dropout\n  ts-trainer            ${digits(ours.losses)}`)
  if (bench.python === undefined) return { difference: undefined, tokens }
  const rival = await runRival(bench.python, jobOf(bench, 'plain', own))
  const difference = Math.max(...ours.losses.map((loss, i) => Math.abs(loss - (rival.losses[i] ?? Infinity))))
  const allowed = bench.options.precision === 'bfloat16' ? 1e-2 : 1e-4
  say(
    `  Hugging Face Trainer  ${digits(rival.losses)}\n  ${difference <= allowed ? 'they agree' : 'THEY DO NOT AGREE'} to ${allowed}: ${difference.toExponential(1)} apart at most`,
  )
  say(
    `  ${Object.entries(rival.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}\n`,
  )
  if (difference > allowed) process.exitCode = 1
  return { difference: rounded(difference), tokens }
}

/** The rounds, and what they come to. */
async function measure(bench: Bench, tokens: number): Promise<object> {
  const { options, work, python } = bench
  const sides: Side[] = ['ts-trainer', ...(python === undefined ? [] : options.rivals)]
  const rounds: Rounds = new Map(sides.map(side => [side, []]))
  const rates: Record<string, number> = {}
  for (let round = 0; round < options.rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const job = jobOf(bench, side, { steps: options.steps, keepLosses: false, config: work.dropout })
      const figures = figuresOf(
        await (side === 'ts-trainer' ? runOurs(job) : runRival(python!, job)),
        warmup,
        work.flops,
      )
      rounds.get(side)!.push(figures)
    }
    for (const [product, rate] of Object.entries(await bareRates(bench, tokens)))
      rates[product] = Math.max(rates[product] ?? 0, rate)
    say(
      `round ${round + 1}, samples/s: ${sides.map(side => `${side} ${rounds.get(side)!.at(-1)!.samplesPerSecond.toFixed(2)}`).join(', ')}`,
    )
  }
  return summary(rounds, rates)
}

/** What ONNX Runtime does of bare products, in operations a second. */
async function bareRates(
  { options: { precision }, work: { flops }, folder }: Bench,
  tokens: number,
): Promise<Readonly<Record<string, number>>> {
  return (
    await runProducts({
      tokens,
      width: flops.width,
      innerWidth: flops.innerWidth,
      precision,
      result: join(folder, 'products.json'),
    })
  ).rates
}

/** Prints the tables; returns the figures of the last line. */
function summary(rounds: Rounds, rates: Readonly<Record<string, number>>): object {
  const middle = (side: Side, key: keyof Figures): number =>
    median(rounds.get(side)!.map(figures => figures[key] ?? NaN))
  const ours = rounds.get('ts-trainer')!
  const ratios = (side: Side): number[] =>
    ours.map((figures, round) => figures.samplesPerSecond / rounds.get(side)![round]!.samplesPerSecond)
  const sides = [...rounds.keys()]
  const lasted = ours.some(({ memoryGrowth }) => memoryGrowth !== undefined)
  say(
    `\nmedians of ${ours.length} rounds${sides.length > 1 ? '; HF: Hugging Face Trainer; ratio: ts-trainer over it, pair by pair (lowest–highest)' : ''}`,
  )
  const ratio = (side: Side): string =>
    `${median(ratios(side)).toFixed(2)} (${Math.min(...ratios(side)).toFixed(2)}–${Math.max(...ratios(side)).toFixed(2)})`
  const growth = (share: number): string => (Number.isNaN(share) ? '' : `${(100 * share).toFixed(1)} %`)
  const columns: readonly (readonly [string, (side: Side) => string])[] = [
    ['', side => (side === 'ts-trainer' ? side : `HF ${side}`)],
    ['samples/s', side => middle(side, 'samplesPerSecond').toFixed(2)],
    ['tokens/s', side => middle(side, 'tokensPerSecond').toFixed(0)],
    ...(sides.length > 1 ? [['ratio', (side: Side) => (side === 'ts-trainer' ? '' : ratio(side))] as const] : []),
    ['peak MiB', side => (middle(side, 'peakMemory') / 2 ** 20).toFixed(0)],
    ['start, s', side => middle(side, 'timeToFirstStep').toFixed(2)],
    ...(lasted ? [['growth', (side: Side) => growth(middle(side, 'memoryGrowth'))] as const] : []),
  ]
  printTable(
    columns.map(([head]) => head),
    sides.map(side => columns.map(([, cell]) => cell(side))),
  )
  if (lasted) say('growth of resident memory: the largest median of five samples from step 100 on over the first')
  for (const [product, rate] of Object.entries(rates)) say(`${(rate / 1e9).toFixed(0)} GFLOP/s  ${product}`)
  const gemmRate = Math.max(...Object.values(rates))
  const [gemmShare, share] = [middle('ts-trainer', 'flopsPerSecond') / gemmRate, middle('ts-trainer', 'updateShare')]
  say(
    `${(middle('ts-trainer', 'flopsPerSecond') / 1e9).toFixed(0)} GFLOP/s  ts-trainer: ${(100 * gemmShare).toFixed(0)} % of the best of these`,
  )
  say(
    `the update takes ${(100 * share).toFixed(1)} % of a step; from import to the first step ${middle('ts-trainer', 'importToFirstStep').toFixed(2)} s\n`,
  )
  const common = (side: Side): object => ({
    samplesPerSecond: rounded(middle(side, 'samplesPerSecond')),
    tokensPerSecond: rounded(middle(side, 'tokensPerSecond')),
    peakMemory: middle(side, 'peakMemory'),
    timeToFirstStep: rounded(middle(side, 'timeToFirstStep')),
  })
  return {
    ...common('ts-trainer'),
    gemmShare: rounded(gemmShare),
    updateShare: rounded(share),
    rivals: Object.fromEntries(
      [...rounds.keys()]
        .filter(side => side !== 'ts-trainer')
        .map(side => [side, { ...common(side), ratio: rounded(median(ratios(side))) }]),
    ),
    gemmRate: rounded(gemmRate),
    rounds: ours.length,
  }
}

/** One run with ONNX Runtime's profiler on, and where its time goes. */
async function profileRun(bench: Bench, tokens: number): Promise<object> {
  const { options, work } = bench
  const output = join(root, 'out/bench')
  mkdirSync(output, { recursive: true })
  const job = jobOf(bench, 'ts-trainer', { steps: options.steps, keepLosses: false, config: work.dropout })
  const result: RunResult = await runOurs({ ...job, operators: join(bench.folder, 'operators') })
  const [window, operators] = [windowOf(result, warmup), readOperators(result.programs)]
  const [phases, byOperator] = [phaseParts(result.phases ?? [], window), operatorParts(operators, window)]
  const file = join(output, `trace-${options.task}-${options.shape}.json`)
  const trace = relative(process.cwd(), file)
  writeTrace(file, result, operators)
  say(
    '\nby phase, without what is hidden behind a phase above it (collating passes while a program runs; the profiler itself takes a little)',
  )
  printParts(phases, options.steps, window.to - window.from)
  say('\nby operator, in the programs')
  printParts(byOperator, options.steps, phases.find(part => part.name === 'run')!.time)
  const rate = Math.max(...Object.values(await bareRates(bench, tokens)))
  const figures = figuresOf(result, warmup, work.flops)
  const products = byOperator.filter(({ name }) => /Gemm$|MatMul$/.test(name)).reduce((sum, { time }) => sum + time, 0)
  const inProducts = (figures.flopsPerSecond * (window.to - window.from)) / products
  say(
    `\n${(inProducts / 1e9).toFixed(0)} GFLOP/s while products run, ${(figures.flopsPerSecond / 1e9).toFixed(0)} over all; the bare rate is ${(rate / 1e9).toFixed(0)}`,
  )
  say(`a trace for chrome://tracing or ui.perfetto.dev: ${trace}\n`)
  const perStep = (parts: readonly Part[]): object =>
    Object.fromEntries(parts.map(({ name, time }) => [name, rounded(time / options.steps)]))
  return {
    samplesPerSecond: rounded(figures.samplesPerSecond),
    tokensPerSecond: rounded(figures.tokensPerSecond),
    gemmShare: rounded(figures.flopsPerSecond / rate),
    updateShare: rounded(figures.updateShare!),
    peakMemory: figures.peakMemory,
    timeToFirstStep: rounded(figures.timeToFirstStep),
    rivals: {},
    phases: perStep(phases),
    operators: perStep(byOperator),
    trace,
  }
}

function printParts(parts: readonly Part[], steps: number, whole: number): void {
  printTable(
    ['', 'ms a step', 'share', 'hidden', 'times a step'],
    parts.map(({ name, time, whole: all, count }) => [
      name,
      (time / steps).toFixed(2),
      `${((100 * time) / whole).toFixed(1)} %`,
      ((all - time) / steps).toFixed(2),
      (count / steps).toFixed(1),
    ]),
  )
}

function say(text: string): void {
  printed.push(...text.split('\n'))
  console.log(text)
}

/** Prints rows in columns: the first to the left, figures to the right. */
function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)))
  for (const row of [head, ...rows])
    say(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
}

function jobOf({ options, work, folder }: Bench, side: Side, own: Pick<Job, 'steps' | 'keepLosses' | 'config'>): Job {
  const rival = side === 'ts-trainer' ? { bf16: options.precision === 'bfloat16', grouped: false } : rivals[side]
  return {
    ...own,
    ...rival,
    warmup,
    seed: 42,
    model: work.model,
    tokenizer: work.tokenizer,
    rows: work.rows,
    numLabels: work.numLabels,
    batch: options.batch,
    output: join(folder, side),
    result: join(folder, `${side}.json`),
    threads: availableParallelism(),
    memoryInterval,
    module: pathToFileURL(join(root, options.built ? 'dist/index.mjs' : 'src/index.ts')).href,
  }
}
