/** One number against the oracle's. */
export interface Comparison {
  readonly what: string
  readonly error: number
  readonly tolerance: number
}

/** How a case came out. */
export type Verdict =
  | { readonly kind: 'passed' | 'failed'; readonly worst: Comparison; readonly count: number }
  | { readonly kind: 'skipped'; readonly reason: string }

/** |given - expected| against a tolerance; numbers that are not comparable are infinitely wrong. */
export function compareScalar(what: string, given: number, expected: number, tolerance: number): Comparison {
  const error = Object.is(given, expected) || given === expected ? 0 : Math.abs(given - expected)
  return { what: `${what} (${given} for ${expected})`, error: Number.isNaN(error) ? Infinity : error, tolerance }
}

/** Whether two things are equal, as a comparison. */
export function compareEqual(what: string, given: unknown, expected: unknown): Comparison {
  const [a, b] = [JSON.stringify(given), JSON.stringify(expected)]
  return { what: a === b ? what : `${what} (${shortened(a)} for ${shortened(b)})`, error: a === b ? 0 : Infinity, tolerance: 0 }
}

/** Passed if every comparison is; the worst one by its share of the tolerance is named. */
export function verdict(comparisons: readonly Comparison[]): Verdict {
  const share = ({ error, tolerance }: Comparison): number => (error === 0 ? 0 : error / tolerance)
  const worst = comparisons.reduce((a, b) => (share(b) > share(a) ? b : a), { what: 'nothing', error: 0, tolerance: 1 })
  return { kind: comparisons.length > 0 && share(worst) <= 1 ? 'passed' : 'failed', worst, count: comparisons.length }
}

export function skip(reason: string): Verdict {
  return { kind: 'skipped', reason }
}

/** A verdict on one line. */
export function describeVerdict(name: string, result: Verdict): string {
  if (result.kind === 'skipped') return `skipped ${name}: ${result.reason}`
  const { what, error, tolerance } = result.worst
  return `${result.kind} ${name}: ${result.count} values, largest error ${error.toExponential(1)} of ${tolerance.toExponential(1)} allowed, in ${what}`
}

function shortened(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.length > 120 ? `${text.slice(0, 117)}…` : text
}
