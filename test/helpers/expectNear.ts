import { expect } from 'vitest'

/** Each number to a share of the largest one, or of 1. */
export function expectNear(
  found: ArrayLike<number | bigint>,
  wanted: ArrayLike<number | bigint>,
  what: string,
  share = 2e-5,
): void {
  expect(found.length, what).toBe(wanted.length)
  const numbers = Array.from(wanted, Number)
  const largest = numbers.reduce((top, value) => (Number.isFinite(value) ? Math.max(top, Math.abs(value)) : top), 1)
  numbers.forEach((value, i) => {
    const given = Number(found[i])
    if (Object.is(given, value)) return
    const error = Math.abs(given - value) / largest
    expect(error, `${what}[${i}]: ${given} is not ${value}`).toBeLessThan(share)
  })
}
