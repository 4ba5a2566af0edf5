import { expect } from 'vitest'

/** Every number is the expected one, but for a share of the largest of them. A share of 0 means the same bits. */
export function expectClose(given: Float32Array, expected: Float32Array, share: number, what: string): void {
  if (share === 0) {
    expect(given, what).toEqual(expected)
    return
  }
  expect(given, what).toHaveLength(expected.length)
  const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-12)
  const wrong = expected.findIndex((v, i) => !(Math.abs(v - given[i]!) <= share * largest))
  expect(wrong, `${what}[${wrong}]: ${given[wrong]} for ${expected[wrong]}, the largest being ${largest}`).toBe(-1)
}
