import type { MetricDefinition } from './definition'
import { incompleteBeta } from './incompleteBeta'

/**
 * Pearson's correlation, key `pearsonr`. NaN if one side is constant or there are fewer than two rows. With
 * `returnPvalue` also `p-value`, for numbers that are normally distributed.
 */
export const pearsonr = {
  compares: 'numbers',
  options: ['returnPvalue'],
  compute({ predictions, references }, { returnPvalue = false }) {
    const correlation = correlate(predictions, references)
    if (!returnPvalue) return { pearsonr: correlation }
    return { pearsonr: correlation, 'p-value': probability(correlation, predictions.length) }
  },
} as const satisfies MetricDefinition

/**
 * The probability that n pairs without any correlation have one as strong as r, in either direction: Student's t
 * distribution of r √((n − 2) / (1 − r²)) with n − 2 degrees of freedom, which is the incomplete beta function
 * I(1 − r²; (n − 2) / 2, 1 / 2). Of two pairs it is 1.
 */
export function probability(correlation: number, rows: number): number {
  if (Number.isNaN(correlation)) return NaN
  return rows < 3 ? 1 : incompleteBeta((1 - correlation) * (1 + correlation), (rows - 2) / 2, 1 / 2)
}

/**
 * Σ (x − x̄)(y − ȳ) / (‖x − x̄‖ ‖y − ȳ‖), with the means subtracted before anything is multiplied, as SciPy does.
 * mathjs's `corr` uses sums of squares, which cancel on values far from zero: of five values around 1e8 that correlate
 * by 0.8 it says 1.
 */
export function correlate(x: Float64Array, y: Float64Array): number {
  if (x.length < 2 || isConstant(x) || isConstant(y)) return NaN
  const a = centre(x)
  const b = centre(y)
  const lengthA = norm(a)
  const lengthB = norm(b)
  let product = 0
  for (let i = 0; i < a.length; i++) product += (a[i]! / lengthA) * (b[i]! / lengthB)
  return Math.max(-1, Math.min(1, product))
}

function centre(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map(value => value - mean)
}

/** ‖v‖, divided by the largest element before anything is squared: squares of large numbers overflow. */
function norm(values: Float64Array): number {
  const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0)
  return largest === 0 ? 0 : largest * Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2, 0))
}

function isConstant(values: Float64Array): boolean {
  return values.every(value => value === values[0])
}
