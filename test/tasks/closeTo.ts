import { expect } from 'vitest'

/** What `toEqual` compares with: the same object, its numbers to so many digits behind the point. */
export function closeTo(value: unknown, digits = 8): unknown {
  if (typeof value === 'number') return Number.isNaN(value) ? NaN : expect.closeTo(value, digits)
  if (Array.isArray(value)) return value.map(inner => closeTo(inner, digits))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closeTo(inner, digits)]))
}
