import { averageScore, ratio } from './confusion'
import type { MetricOptions, Pairs } from './values'

/**
 * F1, the harmonic mean of precision and recall: 2 · right / (predicted + given); 0 for a class that does not occur.
 * Options as in `MetricOptions`.
 */
export function f1(pairs: Pairs, options: MetricOptions = {}): { f1: number } {
  return {
    f1: averageScore('f1', pairs, ({ right, predicted, given }) => ratio(2 * right, predicted + given), options),
  }
}
