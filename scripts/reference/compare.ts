/** One number against the oracle's. */
export interface Comparison {
  readonly what: string
  readonly error: number
  readonly tolerance: number
}

/** How a case came out. */
export type Verdict =
  | { readonly kind: 'passed' | 'failed'; readonly worst: Comparison; readonly count: number; readonly wrong: number }
  | { readonly kind: 'skipped'; readonly reason: string }

/** How a case came out, and what was computed: under the oracle's names, for an independent comparison. */
export interface Checked {
  readonly verdict: Verdict
  readonly computed?: unknown
}

/** |given - expected| against an absolute tolerance; numbers that are not comparable are infinitely wrong. */
export function compareScalar(what: string, given: number, expected: number, tolerance: number): Comparison {
  const error = Object.is(given, expected) || given === expected ? 0 : Math.abs(given - expected)
  return { what: `${what} (${given} for ${expected})`, error: Number.isNaN(error) ? Infinity : error, tolerance }
}

/** |given - expected| against a tolerance relative to what was expected. */
export function compareRelative(what: string, given: number, expected: number, tolerance: number): Comparison {
  return compareScalar(what, given, expected, tolerance * Math.abs(expected))
}

/** Whether two things are equal, as a comparison. */
export function compareEqual(what: string, given: unknown, expected: unknown): Comparison {
  const a = JSON.stringify(given)
  const b = JSON.stringify(expected)
  return {
    what: a === b ? what : `${what} (${shortened(a)} for ${shortened(b)})`,
    error: a === b ? 0 : Infinity,
    tolerance: 0,
  }
}

/** Passed if every comparison is; the worst one by its share of the tolerance is named. */
export function verdict(comparisons: readonly Comparison[]): Verdict {
  const worst = comparisons.reduce((a, b) => (shareOf(b) > shareOf(a) ? b : a), {
    what: 'nothing',
    error: 0,
    tolerance: 1,
  })
  const wrong = comparisons.filter(comparison => !(shareOf(comparison) <= 1)).length
  return { kind: comparisons.length > 0 && wrong === 0 ? 'passed' : 'failed', worst, count: comparisons.length, wrong }
}

export function skip(reason: string): Verdict {
  return { kind: 'skipped', reason }
}

/** A verdict on one line. */
export function describeVerdict(name: string, result: Verdict): string {
  if (result.kind === 'skipped') return `skipped ${name}: ${result.reason}`
  const { what, error, tolerance } = result.worst
  const values =
    result.kind === 'passed' ? `${result.count} values` : `${result.wrong} of ${result.count} values are wrong`
  if (error === 0) return `${result.kind} ${name}: ${values}, no error at all`
  if (tolerance === 0) return `${result.kind} ${name}: ${values}, first ${what}`
  const largest = `${error.toExponential(1)} of ${tolerance.toExponential(1)} allowed`
  return `${result.kind} ${name}: ${values}, largest error ${largest}, in ${what}`
}

/** How much of its tolerance an error uses up. */
function shareOf({ error, tolerance }: Comparison): number {
  return error === 0 ? 0 : error / tolerance
}

function shortened(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.length > 120 ? `${text.slice(0, 117)}…` : text
}
