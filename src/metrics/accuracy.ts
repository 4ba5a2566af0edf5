import type { MetricOptions, Pairs } from './values'

/** The share of rows whose prediction equals the reference, or their number with `normalize: false`. */
export function accuracy(
  { predictions, references }: Pairs,
  { normalize = true }: MetricOptions = {},
): { accuracy: number } {
  let right = 0
  for (let i = 0; i < predictions.length; i++) if (predictions[i] === references[i]) right++
  return { accuracy: normalize ? right / predictions.length : right }
}
