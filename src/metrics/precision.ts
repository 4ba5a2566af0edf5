import { averageScore, ratio } from './confusion'
import type { MetricOptions, Pairs } from './values'

/**
 * Precision, the share of a class's predictions that are right; 0 if it is never predicted. Options as in
 * `MetricOptions`.
 */
export function precision(pairs: Pairs, options: MetricOptions = {}): { precision: number } {
  return { precision: averageScore('precision', pairs, ({ right, predicted }) => ratio(right, predicted), options) }
}
