// logits → probabilities, and the highest of them

/** exp(x) / Σ exp(x), computed in float64 from x - max(x). */
export function softmax(logits: ArrayLike<number>): Float64Array {
  let highest = -Infinity
  for (let i = 0; i < logits.length; i++) highest = Math.max(highest, logits[i]!)
  const values = Float64Array.from(logits, value => Math.exp(value - highest))
  const sum = values.reduce((total, value) => total + value, 0)
  return values.map(value => value / sum)
}

/** 1 / (1 + exp(-x)) */
export function sigmoid(logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits, value => 1 / (1 + Math.exp(-value)))
}

/** Where the highest value stands, the first of equal ones. */
export function highestOf(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

/** Where the highest values stand, the highest first; of equal ones the first. */
export function highest(values: ArrayLike<number>, count: number): number[] {
  const places = Array.from({ length: values.length }, (_, at) => at)
  if (count >= places.length / 8) return places.sort((a, b) => values[b]! - values[a]! || a - b).slice(0, count)
  const found: number[] = []
  for (const at of places) {
    if (found.length === count && !(values[at]! > values[found[count - 1]!]!)) continue
    if (found.length === count) found.pop()
    let before = found.length
    while (before > 0 && values[at]! > values[found[before - 1]!]!) before--
    found.splice(before, 0, at)
  }
  return found
}
