import { countClasses } from './confusion'
import type { Pairs } from './values'

/**
 * Matthews' correlation of predicted and given classes, for any number of them (Gorodkin 2004, as scikit-learn computes
 * it): with c rows right of s, and p_k and t_k the times that class k is predicted and given, (c·s − Σ p_k t_k) / √((s²
 * − Σ p_k²)(s² − Σ t_k²)). 0 where one side has a single class.
 */
export function matthewsCorrelation(pairs: Pairs): { matthews_correlation: number } {
  const rows = pairs.predictions.length
  let [right, both, predicted, given] = [0, 0, rows ** 2, rows ** 2]
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
