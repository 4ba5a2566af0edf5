/** Probabilities of classes, of the numbers from `start` on: e to each, divided by their sum. */
export function softmax(logits: ArrayLike<number | bigint>, start: number, width: number): Float64Array {
  const values = new Float64Array(width)
  let highest = -Infinity
  for (let at = 0; at < width; at++) highest = Math.max(highest, (values[at] = Number(logits[start + at])))
  let sum = 0
  for (let at = 0; at < width; at++) sum += values[at] = Math.exp(values[at]! - highest)
  for (let at = 0; at < width; at++) values[at]! /= sum
  return values
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
