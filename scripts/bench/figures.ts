// runs → figures
import { type FlopShape, stepFlops } from './flops'
import type { RunResult } from './job'
import { updateShare, windowOf } from './phases'

/** What one run comes to; seconds and bytes. */
export interface Figures {
  readonly samplesPerSecond: number
  /** Real tokens. */
  readonly tokensPerSecond: number
  readonly flopsPerSecond: number
  readonly peakMemory: number
  /** From the beginning of the process. */
  readonly timeToFirstStep: number
  readonly importToFirstStep: number
  /** Undefined for others than ts-trainer. */
  readonly updateShare: number | undefined
  /** How much more memory was resident at most after step 100 than at it, as a share; undefined for short runs. */
  readonly memoryGrowth: number | undefined
}

/** The figures of a run's timed steps. */
export function figuresOf(result: RunResult, warmup: number, shape: FlopShape): Figures {
  const window = windowOf(result, warmup)
  const seconds = (window.to - window.from) / 1000
  const lengths = result.lengths.slice(warmup, result.stepEnds.length)
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const afterHundred = result.memory[1]
  return {
    samplesPerSecond: sum(lengths.map(rows => rows.length)) / seconds,
    tokensPerSecond: sum(lengths.map(sum)) / seconds,
    flopsPerSecond: sum(lengths.map(rows => stepFlops(shape, rows))) / seconds,
    peakMemory: result.peakMemory,
    timeToFirstStep: result.stepEnds[0]!,
    importToFirstStep: result.importToFirstStep,
    updateShare: result.phases === undefined ? undefined : updateShare(result.phases, window),
    memoryGrowth: afterHundred === undefined || result.memory.length < 3 ? undefined : Math.max(...result.memory.slice(1)) / afterHundred - 1,
  }
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Six digits are more than a measurement has. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6))
}
