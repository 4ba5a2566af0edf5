// options → options that are known to exist
import { nearest, TrainerError } from './errors'

/** What pandas, `datasets`, scikit-learn, PyTorch and writers on adapters call options that have another name here. */
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
  rank: 'r',
  alpha: 'loraAlpha',
  params: 'parameters',
  lr: 'learningRate',
  y_true: 'references',
  yTrue: 'references',
  y_pred: 'predictions',
  yPred: 'predictions',
}

/**
 * Checks the options of a function before it does anything, for callers from JavaScript too, which would silently
 * ignore what it does not know: an object of known names, or nothing.
 * @param where what is called, for the error: `filter()`.
 * @throws TrainerError (`argument`) for an option that it does not have (with the nearest that it has), or for a value
 * that is not an object.
 */
export function checkOptions(options: unknown, known: readonly string[], where: string): void {
  if (options === undefined) return
  const list = known.join(', ') || 'none'
  if (typeof options !== 'object' || options === null || Array.isArray(options) || ArrayBuffer.isView(options))
    throw new TrainerError('argument', `${where} takes its options as an object, not ${shown(options)}.`, {
      fix: `Its options are ${list}.`,
    })
  const name = Object.keys(options).find(key => !known.includes(key))
  if (name === undefined) return
  const foreign = foreignNames[name]
  if (foreign !== undefined && known.includes(foreign))
    throw new TrainerError('argument', `${where} has no option "${name}".`, {
      fix: `Here it is ${foreign}. Its options are ${list}.`,
    })
  const near = nearest(
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    known,
  )
  throw new TrainerError('argument', `${where} has no option "${name}"; its options are ${list}.`, {
    ...(near !== undefined && { fix: `Did you mean ${near}?` }),
  })
}

/**
 * The options with their defaults, for those that are left out or undefined.
 * @throws TrainerError (`argument`) as {@link checkOptions} does, for options that have no default in the table.
 */
export function withDefaults<Options extends object>(
  options: Partial<{ readonly [Name in keyof Options]: Options[Name] | undefined }> | undefined,
  defaults: Options,
  where: string,
): Options {
  checkOptions(options, Object.keys(defaults), where)
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

/**
 * Refuses what JavaScript gives a method beyond the arguments that it has.
 * @param fix what to do instead, where that is not to leave it out.
 * @throws TrainerError (`argument`) that shows it.
 */
export function refuseArguments(extra: readonly unknown[], where: string, fix?: string): void {
  if (extra.length === 0) return
  const given = extra.map(shown).join(', ')
  throw new TrainerError('argument', `${where} has no options, but was also given ${given}.`, {
    ...(fix !== undefined && { fix }),
  })
}

/** @throws TrainerError (`argument`) for a value that is neither true nor false, nor left out. */
export function checkFlag(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'boolean') return
  throw new TrainerError('argument', `${name} is ${shown(value)}; true or false was expected.`)
}

/** @throws TrainerError (`argument`) for a value that is no text, nor left out. */
export function checkText(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'string') return
  throw new TrainerError('argument', `${name} is ${shown(value)}; a text was expected.`)
}

/** @throws TrainerError (`argument`) for what cannot be called. */
export function checkFunction(value: unknown, where: string): void {
  if (typeof value === 'function') return
  throw new TrainerError('argument', `${where} takes a function, not ${shown(value)}.`)
}

/** A value in a message. */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? `'${value}'` : String(value)
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'a list'
  const { name } = (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor ?? {}
  if (name !== undefined && name !== 'Object') return `a ${name}`
  return Object.keys(value).length === 0 ? '{}' : `{ ${Object.keys(value).join(', ')} }`
}
