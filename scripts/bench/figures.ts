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
  /** Bytes of a step to the device, and back; undefined for others than ts-trainer. */
  readonly up: number | undefined
  readonly down: number | undefined
  /**
   * How much more memory was resident at most later than from step 100 to 140, as a share; undefined for short runs.
   */
  readonly memoryGrowth: number | undefined
}

/** The figures of a run's timed steps. */
export function figuresOf(result: RunResult, warmup: number, shape: FlopShape): Figures {
  const window = windowOf(result, warmup)
  const seconds = (window.to - window.from) / 1000
  const lengths = result.lengths.slice(warmup, result.stepEnds.length)
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  return {
    samplesPerSecond: sum(lengths.map(rows => rows.length)) / seconds,
    tokensPerSecond: sum(lengths.map(sum)) / seconds,
    flopsPerSecond: sum(lengths.map(rows => stepFlops(shape, rows))) / seconds,
    peakMemory: result.peakMemory,
    timeToFirstStep: result.stepEnds[0]!,
    importToFirstStep: result.importToFirstStep,
    updateShare: result.phases === undefined ? undefined : updateShare(result.phases, window),
    ...transferred(result, warmup),
    memoryGrowth: memoryGrowth(result.memory),
  }
}

function transferred({ transfers = [], stepEnds }: RunResult, warmup: number): Pick<Figures, 'up' | 'down'> {
  const [from, to] = [transfers[warmup - 1], transfers.at(-1)]
  const steps = stepEnds.length - warmup
  if (from === undefined || to === undefined || steps < 1) return { up: undefined, down: undefined }
  return { up: (to.up - from.up) / steps, down: (to.down - from.down) / steps }
}

/** Steps between two samples of resident memory. */
export const memoryInterval = 10
const fromStep = 100
const samplesTogether = 5

/**
 * Medians of five samples each from step 100 on: the largest over the first. The C library gives memory back at times,
 * only to take it again at once.
 */
function memoryGrowth(samples: readonly number[]): number | undefined {
  const steady = samples.slice(fromStep / memoryInterval - 1)
  const medians = Array.from({ length: Math.floor(steady.length / samplesTogether) }, (_, i) =>
    median(steady.slice(i * samplesTogether, (i + 1) * samplesTogether)),
  )
  return medians.length < 2 ? undefined : Math.max(...medians) / medians[0]! - 1
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
