import type { Pairs } from './values'

/** The mean of (prediction − reference)², key `mse`. */
export function meanSquaredError({ predictions, references }: Pairs): { mse: number } {
  return { mse: predictions.reduce((sum, value, i) => sum + (value - references[i]!) ** 2, 0) / predictions.length }
}
