import { averageScore, ratio } from './confusion'
import type { MetricOptions, Pairs } from './values'

/**
 * Precision, the share of right ones among the predictions of a class; 0 where it is never predicted. Options as in
 * `MetricOptions`.
 */
export function precision(pairs: Pairs, options: MetricOptions = {}): { precision: number } {
  return { precision: averageScore('precision', pairs, ({ right, predicted }) => ratio(right, predicted), options) }
}
