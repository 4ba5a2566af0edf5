import { TrainerError } from '../errors'
import { refuseArguments } from '../options'

/** Statistics of one metric over several runs. */
export interface Summary {
  readonly count: number
  readonly mean: number
  /** Sample standard deviation (divisor count − 1); 0 for a single value. */
  readonly std: number
  readonly min: number
  readonly median: number
  readonly max: number
}

/**
 * Statistics of a metric over several seeds or folds: mean, deviation, range.
 *
 * The first call loads mathjs, which takes half a second; the package does not. Metrics are computed without it, since
 * `compute` returns at once, where loading a module takes a promise.
 * @throws TrainerError (`data`) without values.
 */
export async function summarize(values: readonly number[] | Float32Array | Float64Array): Promise<Summary>
export async function summarize(
  values: readonly number[] | Float32Array | Float64Array,
  ...extra: readonly unknown[]
): Promise<Summary> {
  refuseArguments(extra, 'summarize()')
  if (values.length === 0) throw new TrainerError('data', 'summarize needs at least one value.')
  const { mean, std, min, median, max } = await import('mathjs/number')
  const list = [...values]
  const deviation = list.length === 1 ? 0 : Number(std(list))
  return { count: list.length, mean: mean(list), std: deviation, min: min(list), median: median(list), max: max(list) }
}
