import { expect } from 'vitest'

/** Every number is the expected one to so many digits behind the point. */
export function expectNear(actual: readonly number[], expected: readonly number[], digits: number): void {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((value, i) => expect(value, `at ${i}`).toBeCloseTo(expected[i]!, digits))
}
