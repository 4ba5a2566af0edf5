import type { MetricDefinition } from './definition'
import { correlate, probability } from './pearson'

/**
 * Spearman's rank correlation, key `spearmanr`: Pearson's of the ranks, equal values sharing their mean rank. NaN if
 * one side is constant. With `returnPvalue` also `spearmanr_pvalue`, by Student's t distribution as in SciPy.
 */
export const spearmanr = {
  compares: 'numbers',
  options: ['returnPvalue'],
  compute({ predictions, references }, { returnPvalue = false }) {
    const correlation = correlate(ranks(predictions), ranks(references))
    if (!returnPvalue) return { spearmanr: correlation }
    const rows = predictions.length
    return { spearmanr: correlation, spearmanr_pvalue: rows < 3 ? NaN : probability(correlation, rows) }
  },
} as const satisfies MetricDefinition

/** Ranks from 1; all NaN if a value is NaN, which makes the correlation NaN. */
function ranks(values: Float64Array): Float64Array {
  if (values.some(Number.isNaN)) return values.map(() => NaN)
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const result = new Float64Array(values.length)
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++
    // The places from … to − 1 hold equal values: the mean of their ranks, from + 1 … to, is (from + 1 + to) / 2.
    for (let i = from; i < to; i++) result[order[i]!] = (from + 1 + to) / 2
  }
  return result
}
