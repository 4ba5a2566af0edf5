/**
 * The sum of numbers as NumPy adds them, so that reports agree with Python's to the last digit: eight sums side by side,
 * of more than 128 numbers the sum of both halves.
 */
export function sum(values: ArrayLike<number>, from = 0, length = values.length): number {
  if (length < 8) {
    let total = 0
    for (let i = from; i < from + length; i++) total += values[i]!
    return total
  }
  if (length > 128) {
    const half = Math.floor(length / 2)
    const first = half - (half % 8)
    return sum(values, from, first) + sum(values, from + first, length - first)
  }
  const lanes = Array.from({ length: 8 }, (_, lane) => values[from + lane]!)
  let i = 8
  for (; i + 8 <= length; i += 8) for (let lane = 0; lane < 8; lane++) lanes[lane]! += values[from + i + lane]!
  const [a, b, c, d, e, f, g, h] = lanes as [number, number, number, number, number, number, number, number]
  let total = a + b + (c + d) + (e + f + (g + h))
  for (; i < length; i++) total += values[from + i]!
  return total
}
