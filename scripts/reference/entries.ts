// Logs and metrics of a run against the oracle's, by the tolerances of the reference's README.
import { type Comparison, compareEqual, compareRelative } from './compare'

/** Numbers by name, as Python spells them. */
export type Entry = Readonly<Record<string, unknown>>

/** Values whose names contain one of these depend on the machine, and are left out on both sides. */
const leftOut = ['runtime', 'per_second', 'total_flos']

/** An entry without what depends on the machine. */
export function kept(entry: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !leftOut.some(part => key.includes(part))))
}

/** What an entry is expected to be, and which of its values are compared: all unless given. */
export interface Expected {
  readonly entry: Entry
  readonly chosen?: ((key: string) => boolean) | undefined
}

/**
 * An entry's keys and values: learning rates and epochs to 1e-9, steps exactly, everything else to 1e-4 up to step 20
 * and to 2e-3 after it, all relative to what is expected.
 */
export function compareEntry(
  what: string,
  given: object | undefined,
  { entry, chosen = () => true }: Expected,
  step: number,
): Comparison[] {
  if (given === undefined) return [compareEqual(what, undefined, entry)]
  const ours = kept(given)
  const theirs = kept(entry)
  const keys = Object.keys(theirs).sort()
  return [
    compareEqual(`keys of ${what}`, Object.keys(ours).sort(), keys),
    ...keys.filter(chosen).map(key => compareValue(`${key} of ${what}`, key, ours[key], theirs[key], step)),
  ]
}

/** Lists of log entries, each with its step. */
export function compareHistory(what: string, given: readonly object[], expected: readonly Expected[]): Comparison[] {
  return [
    compareEqual(`number of entries in ${what}`, given.length, expected.length),
    ...expected.flatMap((one, i) => compareEntry(`${what}[${i}]`, given[i], one, Number(one.entry.step))),
  ]
}

/** The best metric, which may not be known, and the step at which it was. */
export function compareBest(what: string, given: Best, oracle: Best): Comparison[] {
  const step = oracle.best_global_step ?? 0
  return [
    compareValue(`best_metric${what}`, 'best_metric', given.best_metric, oracle.best_metric, step),
    compareEqual(`best_global_step${what}`, given.best_global_step, oracle.best_global_step),
  ]
}

/** What a run or a state says of its best evaluation. */
export interface Best {
  readonly best_metric?: number | null | undefined
  readonly best_global_step?: number | null | undefined
}

function compareValue(what: string, key: string, given: unknown, expected: unknown, step: number): Comparison {
  if (typeof given !== 'number' || typeof expected !== 'number' || key === 'step')
    return compareEqual(what, given, expected)
  return compareRelative(what, given, expected, key === 'epoch' || key === 'learning_rate' ? 1e-9 : toleranceAt(step))
}

/** What a loss, a norm or an evaluation after so many steps may be off by, relatively. */
function toleranceAt(step: number): number {
  return step <= 20 ? 1e-4 : 2e-3
}
