import { countClasses } from './confusion'
import type { Pairs } from './values'

/**
 * Matthews' correlation of predicted and given classes, for any number of them (Gorodkin 2004, as in scikit-learn).
 * With c of s rows right, and class k predicted p_k times and given t_k times, it is
 * (c·s − Σ p_k t_k) / √((s² − Σ p_k²)(s² − Σ t_k²)); 0 if one side has a single class.
 */
export function matthewsCorrelation(pairs: Pairs): { matthews_correlation: number } {
  const rows = pairs.predictions.length
  let right = 0
  let both = 0
  let predicted = rows ** 2
  let given = rows ** 2
  for (const count of countClasses(pairs).values()) {
    right += count.right
    both += count.predicted * count.given
    predicted -= count.predicted ** 2
    given -= count.given ** 2
  }
  return {
    matthews_correlation: predicted === 0 || given === 0 ? 0 : (right * rows - both) / Math.sqrt(predicted * given),
  }
}
