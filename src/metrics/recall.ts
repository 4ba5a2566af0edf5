import { averageScore, ratio } from './confusion'
import type { MetricOptions, Pairs } from './values'

/**
 * Recall, the share of a class's rows that are predicted as such; 0 if it is never given. Options as in
 * `MetricOptions`.
 */
export function recall(pairs: Pairs, options: MetricOptions = {}): { recall: number } {
  return { recall: averageScore('recall', pairs, ({ right, given }) => ratio(right, given), options) }
}
