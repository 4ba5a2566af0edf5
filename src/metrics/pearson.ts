import type { Pairs } from './values'

/** Pearson's correlation, key `pearsonr`. NaN where one side is constant or there are fewer than two rows. */
export function pearsonr({ predictions, references }: Pairs): { pearsonr: number } {
  return { pearsonr: correlate(predictions, references) }
}

/**
 * Σ (x − x̄)(y − ȳ) / (‖x − x̄‖ ‖y − ȳ‖), with the means taken away before anything is multiplied, as SciPy does: the
 * formula of sums of squares, which mathjs has, cancels on values far from zero.
 */
export function correlate(x: Float64Array, y: Float64Array): number {
  const [a, b] = [centre(x), centre(y)]
  const [lengthA, lengthB] = [norm(a), norm(b)]
  if (x.length < 2 || isConstant(x) || isConstant(y)) return NaN
  let product = 0
  for (let i = 0; i < a.length; i++) product += (a[i]! / lengthA) * (b[i]! / lengthB)
  return Math.max(-1, Math.min(1, product))
}

function centre(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map(value => value - mean)
}

/**
 * ‖v‖, divided by the largest element before anything is squared: squares of very large or small numbers do not exist.
 */
function norm(values: Float64Array): number {
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0)
  return largest === 0 ? 0 : largest * Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2, 0))
}

function isConstant(values: Float64Array): boolean {
  return values.every(value => value === values[0])
}
