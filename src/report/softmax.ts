/** Probabilities of classes, of the numbers from `start` on: e to each, divided by their sum. */
export function softmax(logits: ArrayLike<number | bigint>, start: number, width: number): Float64Array {
  const values = Float64Array.from({ length: width }, (_, at) => Number(logits[start + at]))
  const highest = values.reduce((greatest, value) => Math.max(greatest, value), -Infinity)
  const powers = values.map(value => Math.exp(value - highest))
  const sum = powers.reduce((total, value) => total + value, 0)
  return powers.map(value => value / sum)
}

/** Where the largest number is, and where the next; -1 where there is none. */
export function firstTwo(values: ArrayLike<number>): readonly [number, number] {
  let [first, second] = [-1, -1]
  for (let at = 0; at < values.length; at++) {
    if (first < 0 || values[at]! > values[first]!) [first, second] = [at, first]
    else if (second < 0 || values[at]! > values[second]!) second = at
  }
  return [first, second]
}
