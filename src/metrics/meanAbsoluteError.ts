import type { Pairs } from './values'

/** The mean of |prediction − reference|, key `mae`. */
export function meanAbsoluteError({ predictions, references }: Pairs): { mae: number } {
  return { mae: predictions.reduce((sum, value, i) => sum + Math.abs(value - references[i]!), 0) / predictions.length }
}
