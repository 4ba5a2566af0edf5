import { TrainerError } from '../errors'

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
 * What to report of a metric over several seeds or folds: mean, deviation, range.
 *
 * mathjs is loaded by the first call, not with the package: that takes half a second. Metrics themselves are computed
 * without it, since `compute` has to answer at once.
 * @throws TrainerError (`data`) without values.
 */
export async function summarize(values: readonly number[] | Float32Array | Float64Array): Promise<Summary> {
  if (values.length === 0) throw new TrainerError('data', 'summarize: there are no values.')
  const { mean, std, min, median, max } = await import('mathjs/number')
  const list = [...values]
  const deviation = list.length === 1 ? 0 : Number(std(list))
  return { count: list.length, mean: mean(list), std: deviation, min: min(list), median: median(list), max: max(list) }
}
