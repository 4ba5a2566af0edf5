/**
 * The regularized incomplete beta function I(x; a, b) for 0 ≤ x ≤ 1 and positive a and b, by its continued fraction
 * (Abramowitz and Stegun 26.5.8), evaluated as Lentz does.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // the fraction converges fast on this side of the mean; on the other side by I(x; a, b) = 1 − I(1 − x; b, a)
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const scale = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b) - Math.log(a),
  )
  return scale / continuedFraction(x, a, b)
}

/** 1 + d₁ / (1 + d₂ / (1 + …)) of the incomplete beta function. */
function continuedFraction(x: number, a: number, b: number): number {
  const awayFromZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value)
  let whole = 1
  let numerators = 1
  let denominators = 0
  for (let step = 1; step <= 10_000; step++) {
    const m = Math.floor(step / 2)
    const d =
      step % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    denominators = 1 / awayFromZero(1 + d * denominators)
    numerators = awayFromZero(1 + d / numerators)
    whole *= numerators * denominators
    if (Math.abs(numerators * denominators - 1) < 1e-15) break
  }
  return whole
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** ln Γ(x) for x > 0, by Lanczos' approximation with g = 7. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const t = x + 6.5
  const series = lanczos.reduce((sum, coefficient, i) => (i === 0 ? coefficient : sum + coefficient / (x - 1 + i)), 0)
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series)
}
