// options → options that are known to exist
import { refuseUnknown, TrainerError } from '../errors'

/**
 * Checks the options of a method before it does anything, for callers from JavaScript too: an object, or nothing.
 * @throws TrainerError (`argument`) for an option that it does not have (with the nearest that it has), or for a value
 * that is not an object.
 */
export function checkOptions(options: unknown, known: readonly string[], where: string): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TrainerError('argument', `${where} takes its options as an object, not ${shown(options)}.`, {
      fix: `Its options are ${known.join(', ')}.`,
    })
  }
  refuseUnknown(options, known, where)
}

/** Refuses what JavaScript gives a method beyond the arguments that it has. */
export function refuseArguments(extra: readonly unknown[], where: string): void {
  if (extra.length === 0) return
  throw new TrainerError('argument', `${where} has no options, but was also given ${extra.map(shown).join(', ')}.`)
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? `{ ${Object.keys(value).join(', ')} }` : String(value)
}
