// options → options that are known to exist
import { refuseUnknown, TrainerError } from '../errors'

/** What pandas, `datasets` and scikit-learn call options that have another name here. */
const foreignNames: Readonly<Record<string, string>> = {
  usecols: 'columns',
  names: 'columnNames',
  header: 'columnNames',
  separator: 'sep',
  stratify: 'stratifyByColumn',
  random_state: 'seed',
  randomState: 'seed',
  config_name: 'name',
  configName: 'name',
}

/**
 * Checks the options of a method before it does anything, for callers from JavaScript too: an object, or nothing.
 * @throws TrainerError (`argument`) for an option that it does not have (with the nearest that it has), or for a value
 * that is not an object.
 */
export function checkOptions(options: unknown, known: readonly string[], where: string): void {
  if (options === undefined) return
  const fix = `Its options are ${known.join(', ')}.`
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TrainerError('argument', `${where} takes its options as an object, not ${shown(options)}.`, { fix })
  const foreign = Object.keys(options).find(name => !known.includes(name) && known.includes(foreignNames[name] ?? ''))
  if (foreign === undefined) return refuseUnknown(options, known, where)
  throw new TrainerError('argument', `${where} has no option "${foreign}".`, {
    fix: `Here it is ${foreignNames[foreign]}. ${fix}`,
  })
}

/**
 * Refuses what JavaScript gives a method beyond the arguments that it has.
 * @throws TrainerError (`argument`) that shows it.
 */
export function refuseArguments(extra: readonly unknown[], where: string): void {
  if (extra.length === 0) return
  throw new TrainerError('argument', `${where} has no options, but was also given ${extra.map(shown).join(', ')}.`)
}

/** A value in a message. */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? `'${value}'` : String(value)
  return Array.isArray(value) ? 'a list' : `{ ${Object.keys(value).join(', ')} }`
}
