import { describe, expect, it } from 'vitest'
import { isBetter } from '../../src/metrics/better'

describe('a metric is better', () => {
  it.each([
    { value: 2, best: 1, higher: true, lower: false },
    { value: 1, best: 2, higher: false, lower: true },
    { value: 1, best: 1, higher: false, lower: false },
    { value: NaN, best: 1, higher: false, lower: false },
    { value: 1, best: undefined, higher: true, lower: true },
    { value: Infinity, best: undefined, higher: true, lower: true },
    { value: NaN, best: undefined, higher: false, lower: false },
  ])('$value than $best', ({ value, best, higher, lower }) => {
    expect(isBetter(value, best, true)).toBe(higher)
    expect(isBetter(value, best, false)).toBe(lower)
    expect(isBetter(value, best)).toBe(lower)
  })
})
