// whether a pipeline's answer is Python's: texts and spans equal, scores close

/** Largest difference of scores that is no difference. */
const tolerance = 1e-4

interface Outcome {
  readonly value?: unknown
  readonly error?: string
}

/** Why an answer is not Python's; undefined where it is. Spans are code points there. */
export function differenceOf(inputs: unknown, found: Outcome, expected: Outcome): string | undefined {
  if (found.error !== undefined || expected.error !== undefined) {
    if (found.error !== undefined && expected.error !== undefined) return undefined
    return `ours: ${found.error ?? JSON.stringify(found.value).slice(0, 300)}\n    Python: ${expected.error ?? JSON.stringify(expected.value).slice(0, 300)}`
  }
  const text = textOf(inputs)
  const wanted = withoutNothings(withoutTwins(inUnits(expected.value, text)))
  const same = isAlike(found.value, wanted) || isAlike(found.value, oneOrList(wanted, found.value))
  if (same) return undefined
  return `ours:   ${JSON.stringify(found.value).slice(0, 700)}\n    Python: ${JSON.stringify(wanted).slice(0, 700)}`
}

/** The text that spans are of. */
function textOf(inputs: unknown): string {
  if (typeof inputs === 'string') return inputs
  return (inputs as { context?: string }).context ?? ''
}

/** Python gives one answer bare though several were asked for, where there are no more. */
function oneOrList(value: unknown, found: unknown): unknown {
  return Array.isArray(found) && !Array.isArray(value) ? [value] : value
}

/** Python gives the first entity of several windows twice where it has no width. */
function withoutTwins(value: unknown): unknown {
  if (!Array.isArray(value) || !Object.hasOwn(Object(value[0]), 'entity_group')) return value
  return value.filter((one, at) => at === 0 || JSON.stringify(one) !== JSON.stringify(value[at - 1]))
}

/** Where a context has fewer answers than are asked for, Python adds '' with the score 0. */
function withoutNothings(value: unknown): unknown {
  if (!Array.isArray(value) || !Object.hasOwn(Object(value[0]), 'answer')) return value
  return value.filter((one: { answer: string; score: number }, at) => at === 0 || one.answer !== '' || one.score > 0)
}

/** Answers with their spans in UTF-16 units. */
function inUnits(value: unknown, text: string): unknown {
  if (Array.isArray(value)) return value.map(inner => inUnits(inner, text))
  if (typeof value !== 'object' || value === null) return value
  const points = [...text]
  const units = (at: unknown): number => points.slice(0, at as number).join('').length
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, name === 'start' || name === 'end' ? units(inner) : inner]),
  )
}

function isAlike(found: unknown, expected: unknown): boolean {
  if (typeof found === 'number' && typeof expected === 'number') return Math.abs(found - expected) <= tolerance
  if (Array.isArray(found))
    return (
      Array.isArray(expected) &&
      found.length === expected.length &&
      found.every((one, at) => isAlike(one, expected[at]))
    )
  if (typeof found !== 'object' || found === null || typeof expected !== 'object' || expected === null)
    return found === expected
  const names = Object.keys(found)
  return (
    names.length === Object.keys(expected).length &&
    names.every(name => isAlike((found as Record<string, unknown>)[name], (expected as Record<string, unknown>)[name]))
  )
}
