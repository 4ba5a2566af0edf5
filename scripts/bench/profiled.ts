// one run with ONNX Runtime's profiler on: where the time goes
import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { bareRates, type Bench, jobOf, root, warmup } from './runs'
import { figuresOf, rounded } from './figures'
import type { RunResult } from './job'
import { operatorParts, type Part, phaseParts, readOperators, windowOf, writeTrace } from './phases'
import { runOurs } from './processes'
import { printTable, say } from './report'

/** Runs once and prints the parts; returns the figures of the last line. */
export async function profileRun(bench: Bench, tokens: number): Promise<object> {
  const { options, work } = bench
  const job = jobOf(bench, 'ts-trainer', { steps: options.steps, keepLosses: false, config: work.dropout })
  const result = await runOurs({ ...job, operators: join(bench.folder, 'operators') })
  const window = windowOf(result, warmup)
  const operators = readOperators(result.programs)
  const phases = phaseParts(result.phases ?? [], window)
  const byOperator = operatorParts(operators, window)
  const length = window.to - window.from
  printPhases(phases, byOperator, options.steps, length)
  const rate = Math.max(0, ...Object.values(await bareRates(bench, tokens)))
  const figures = figuresOf(result, warmup, work.flops)
  printRates(figures.flopsPerSecond, rate, length, byOperator)
  const trace = saveTrace(bench, result, operators)
  say(`a trace for chrome://tracing or ui.perfetto.dev: ${trace}\n`)
  const perStep = (parts: readonly Part[]): object =>
    Object.fromEntries(parts.map(({ name, time }) => [name, rounded(time / options.steps)]))
  return {
    samplesPerSecond: rounded(figures.samplesPerSecond),
    tokensPerSecond: rounded(figures.tokensPerSecond),
    ...(rate > 0 && { gemmShare: rounded(figures.flopsPerSecond / rate) }),
    updateShare: rounded(figures.updateShare!),
    peakMemory: figures.peakMemory,
    timeToFirstStep: rounded(figures.timeToFirstStep),
    rivals: {},
    phases: perStep(phases),
    operators: perStep(byOperator),
    trace,
  }
}

function printPhases(phases: readonly Part[], operators: readonly Part[], steps: number, length: number): void {
  say(
    '\nby phase, without what is hidden behind a phase above it ' +
      '(collating passes while a program runs; the profiler itself takes a little)',
  )
  printParts(phases, steps, length)
  say('\nby operator, in the programs')
  printParts(operators, steps, phases.find(part => part.name === 'run')!.time)
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

/** The rate of the whole run, of the time in which products run, and of bare products. */
function printRates(overall: number, bare: number, length: number, operators: readonly Part[]): void {
  const products = operators.filter(({ name }) => /Gemm$|MatMul$/.test(name)).reduce((sum, { time }) => sum + time, 0)
  const inProducts = (overall * length) / products
  const whole = (rate: number): string => (rate / 1e9).toFixed(0)
  const beside = bare > 0 ? `; the bare rate is ${whole(bare)}` : ''
  say(`\n${whole(inProducts)} GFLOP/s while products run, ${whole(overall)} over all${beside}`)
}

/** Writes the trace; returns its path as seen from here. */
function saveTrace({ options }: Bench, result: RunResult, operators: ReturnType<typeof readOperators>): string {
  const folder = join(root, 'out/bench')
  mkdirSync(folder, { recursive: true })
  const file = join(
    folder,
    `trace-${options.task}-${options.shape}${options.device === 'cpu' ? '' : `-${options.device.replace(':', '')}`}.json`,
  )
  writeTrace(file, result, operators)
  return relative(process.cwd(), file)
}
