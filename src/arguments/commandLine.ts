import { nearest, TrainerError } from '../errors'
import { checkOptions } from '../options'
import { TrainingArguments, type TrainingArgumentsOptions } from '../TrainingArguments'
import { wrapWords } from '../words'
import { readNested, readOptions } from './files'
import { isArgumentName, nameProblem } from './resolve'
import { camelCase, snakeCase } from './spelling'
import { type ArgumentName, argumentNames, argumentRow } from './table'

/**
 * A program's own flag, besides those of the training arguments. `required` ones have no default. A `list` takes all words
 * up to the next flag, `texts` one word each time it is given.
 */
export interface ExtraFlag {
  readonly type: 'text' | 'number' | 'flag' | 'list' | 'texts'
  readonly help: string
  readonly default?: string | number | boolean | readonly string[]
  readonly required?: boolean
}

type ExtraTable = Readonly<Record<string, ExtraFlag>>
type ExtraType = { text: string; number: number; flag: boolean; list: readonly string[]; texts: readonly string[] }
/** The values of the program's own flags; `undefined` for one that is not given and has no default. */
export type ExtraValues<E extends ExtraTable> = {
  readonly [Name in keyof E]:
    ExtraType[E[Name]['type']] | (E[Name] extends { default: unknown } | { required: true } ? never : undefined)
}

/** The contents of a command line. */
export interface ParsedArguments<E extends ExtraTable> {
  readonly args: TrainingArguments
  readonly extra: ExtraValues<E>
  /** The words that do not belong to a flag, and all after `--`. */
  readonly rest: readonly string[]
  /** The text to print if `--help` is given; then nothing else is checked. */
  readonly help: string | undefined
}

/** How the value of a flag is read. */
type Reads = 'flag' | 'number' | 'text' | 'list' | 'texts' | 'map' | 'any'

/**
 * Reads training arguments and a program's own flags from a command line.
 *
 * Every training argument is a flag: `--learning_rate`, `--learning-rate` or `--learningRate`, its value the next word
 * or after `=`. A switch does not need a value (`--eval_on_start`, `--no_eval_on_start`, `--eval_on_start false`), a
 * list takes all words up to the next flag, options of the schedule are JSON, `none` and `null` mean "not given".
 * `--config FILE` reads a JSON or YAML file; flags override the file, and the file overrides the defaults.
 * @param argv the words, such as `process.argv.slice(2)`.
 * @param options.extra the program's own flags, by name in camelCase.
 * @param options.readText reads the file of `--config`, e.g. `path => readFileSync(path, 'utf8')`.
 * @param options.defaults the program's own defaults of training arguments.
 * @param options.usage the first lines of the help; those that begin with two blanks stay as they are.
 * @throws TrainerError (`argument`) for an unknown flag or a value of a wrong kind.
 */
export function parseTrainingArguments<const E extends ExtraTable = Record<never, never>>(
  argv: readonly string[],
  options: {
    readonly extra?: E
    readonly readText?: (path: string) => string
    readonly defaults?: TrainingArgumentsOptions
    readonly usage?: string
  } = {},
): ParsedArguments<E> {
  checkOptions(options, ['extra', 'readText', 'defaults', 'usage'], 'parseTrainingArguments()')
  const extraTable: ExtraTable = options.extra ?? {}
  const { values, rest } = readWords(argv, extraTable)
  const wantsHelp = values.help === true
  const given = { ...(wantsHelp ? {} : readConfig(values.config, options.readText, extraTable)), ...values }
  const own: Record<string, unknown> = {}
  const training: Record<string, unknown> = { ...options.defaults }
  for (const [name, value] of Object.entries(given)) {
    if (name === 'help' || name === 'config') continue
    if (Object.hasOwn(extraTable, name)) own[name] = value
    else training[name] = value
  }
  return {
    args: new TrainingArguments(wantsHelp ? {} : (training as TrainingArgumentsOptions)),
    extra: extraValues(extraTable, own, wantsHelp) as ExtraValues<E>,
    rest,
    help: wantsHelp ? helpText(extraTable, options.defaults, options.usage) : undefined,
  }
}

/** @throws TrainerError that names the file, and a name that is unknown as it is written there. */
function readConfig(
  path: unknown,
  readText: ((path: string) => string) | undefined,
  extra: ExtraTable,
): Record<string, unknown> {
  if (path === undefined) return {}
  if (readText === undefined)
    throw new TrainerError('argument', '--config is given, but this program does not read configuration files.')
  const text = readText(String(path))
  try {
    const options = readOptions(text)
    for (const name of Object.keys(options))
      if (readsOf(name, extra) === undefined) throw unknownOption(name, text, extra)
    return options
  } catch (cause) {
    if (!(cause instanceof TrainerError)) throw cause
    const { code, problem, fix } = cause
    throw new TrainerError(code, `${String(path)}: ${problem}`, { ...(fix !== undefined && { fix }), cause })
  }
}

function unknownOption(name: string, text: string, extra: ExtraTable): TrainerError {
  const written = text.includes(name) ? name : snakeCase(name)
  const near = nearest(name, Object.keys(extra))
  const problem = near === undefined ? nameProblem(written) : undefined
  return new TrainerError('argument', problem ?? `${written} is unknown. Did you mean ${snakeCase(near!)}?`)
}

function extraValues(
  table: ExtraTable,
  own: Readonly<Record<string, unknown>>,
  lenient: boolean,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).map(([name, flag]) => {
      const value = asWritten(own[name] ?? flag.default, flag.type)
      if (value === undefined && flag.required === true && !lenient) {
        throw new TrainerError('argument', `--${snakeCase(name)} is missing: ${flag.help}`)
      }
      const wanted = { text: 'string', number: 'number', flag: 'boolean', list: 'object', texts: 'object' }[flag.type]
      if (value !== undefined && typeof value !== wanted) {
        throw new TrainerError(
          'argument',
          `--${snakeCase(name)} should be a ${flag.type}, but is ${JSON.stringify(value)}.`,
        )
      }
      return [name, value]
    }),
  )
}

/** A value of a configuration file as the command line has it: `label: stars` is a list of one, `validation: 0.1` a text. */
function asWritten(value: unknown, type: ExtraFlag['type']): unknown {
  if (type === 'text' && typeof value === 'number') return String(value)
  return type === 'texts' && (typeof value === 'string' || typeof value === 'number') ? [String(value)] : value
}

/** Reads the words in order; later flags override earlier ones. */
function readWords(argv: readonly string[], extra: ExtraTable): { values: Record<string, unknown>; rest: string[] } {
  const values: Record<string, unknown> = {}
  const rest: string[] = []
  for (let at = 0; at < argv.length;) {
    const word = argv[at++]!
    if (word === '--') return { values, rest: [...rest, ...argv.slice(at)] }
    if (!word.startsWith('--') && word !== '-h') {
      rest.push(word)
      continue
    }
    const { name, reads, negated, inline } = readFlag(word, extra)
    const following = argv.slice(at, at + wordsAfter(argv, at))
    const taken = inline === undefined ? takes(reads, following) : 0
    if (negated && inline !== undefined)
      throw new TrainerError('argument', `${word}: a negated switch does not take a value.`)
    const value = negated
      ? false
      : readValue(word, name, reads, inline === undefined ? following.slice(0, taken) : [inline])
    values[name] = reads === 'texts' ? [...((values[name] as unknown[] | undefined) ?? []), value] : value
    if (!negated) at += taken
  }
  return { values, rest }
}

/** How many words from `at` on are values: up to the next flag. A negative number is a value. */
function wordsAfter(argv: readonly string[], at: number): number {
  const next = argv.slice(at).findIndex(word => word.startsWith('--') || word === '-h')
  return next === -1 ? argv.length - at : next
}

function readFlag(
  word: string,
  extra: ExtraTable,
): { name: string; reads: Reads; negated: boolean; inline: string | undefined } {
  if (word === '-h') return { name: 'help', reads: 'flag', negated: false, inline: undefined }
  const [, written = '', inline] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const name = camelCase(written)
  const reads = readsOf(name, extra)
  if (reads !== undefined) return { name, reads, negated: false, inline }
  const positive = /^no[A-Z]/.test(name) ? name.charAt(2).toLowerCase() + name.slice(3) : undefined
  if (positive !== undefined && ['flag', 'any'].includes(readsOf(positive, extra) ?? '')) {
    return { name: positive, reads: 'flag', negated: true, inline }
  }
  const near = nearest(name, Object.keys(extra))
  const problem = near === undefined ? nameProblem(name) : `${written} is unknown. Did you mean --${snakeCase(near)}?`
  throw new TrainerError('argument', `--${written}: ${problem ?? `${written} is unknown.`}`, {
    fix: '--help lists all flags.',
  })
}

function readsOf(name: string, extra: ExtraTable): Reads | undefined {
  if (name === 'help') return 'flag'
  if (name === 'config') return Object.hasOwn(extra, name) ? extra[name]!.type : 'text'
  if (Object.hasOwn(extra, name)) return extra[name]!.type
  return isArgumentName(name) ? argumentRow(name).reads : undefined
}

/** How many of the following words belong to a flag. */
function takes(reads: Reads, following: readonly string[]): number {
  const [first] = following
  if (reads === 'list') return following.length
  if (reads === 'flag') return first !== undefined && /^(true|false)$/i.test(first) ? 1 : 0
  return first === undefined ? 0 : 1
}

function readValue(flag: string, name: string, reads: Reads, words: readonly string[]): unknown {
  const [word] = words
  if (word === undefined) {
    if (reads === 'flag' || reads === 'any') return true
    throw new TrainerError('argument', `${flag} needs a value.`)
  }
  const none = /^(none|null)$/i.test(word) && isArgumentName(name) && argumentRow(name).default === undefined
  if (none) return undefined
  if (reads === 'list') return words.length === 1 && word.includes(',') ? word.split(',') : words
  if (reads === 'flag' || reads === 'any') {
    if (/^(true|false)$/i.test(word)) return word.toLowerCase() === 'true'
    if (reads === 'flag') throw new TrainerError('argument', `${flag} should be true or false, but is '${word}'.`)
  }
  if (reads === 'text' || reads === 'texts') return word
  if (reads === 'map') return readNested(name, word)
  const number = word.trim() === '' ? NaN : Number(word)
  if (Number.isFinite(number)) return number
  if (reads === 'number') throw new TrainerError('argument', `${flag} should be a number, but is '${word}'.`)
  return word
}

/** The help: the program's flags, then every training argument that can be set, with its default and purpose. */
function helpText(extra: ExtraTable, defaults: TrainingArgumentsOptions = {}, usage = 'Training arguments'): string {
  return [
    ...usage.split('\n').flatMap(line => (line.startsWith('  ') ? [line] : wrapWords(line, helpWidth))),
    '',
    ...Object.entries(extra).map(([name, flag]) => helpLine(name, valueNames[flag.type], flag.default, flag.help)),
    helpLine('config', 'FILE', undefined, 'A JSON or YAML file of these flags; flags override it.'),
    helpLine('help', '', undefined, 'This text.'),
    '',
    ...argumentNames
      .filter(name => argumentRow(name).refused === undefined)
      .map(name => argumentHelp(name, defaults[name] ?? argumentRow(name).default)),
  ].join('\n')
}

/** The value of a flag in the help. */
const valueNames: Readonly<Record<Reads, string>> = {
  flag: '',
  number: 'NUMBER',
  text: 'TEXT',
  list: 'TEXT …',
  texts: 'TEXT',
  map: 'JSON',
  any: 'VALUE',
}

function argumentHelp(name: ArgumentName, initial: unknown): string {
  const { reads, choices, reason } = argumentRow(name)
  const words = choices === undefined ? '' : ` One of ${choices.join(', ')}.`
  return helpLine(name, valueNames[reads], typeof initial === 'object' ? undefined : initial, `${reason}${words}`)
}

/** Columns that the help takes, one less than the narrowest usual terminal has; and the one that purposes begin in. */
const helpWidth = 79
const purposeColumn = 28

/** A flag and its purpose, in several lines where one is too short. */
function helpLine(name: string, value: string, initial: unknown, purpose: string): string {
  const hasDefault = initial !== undefined && !(Array.isArray(initial) && initial.length === 0)
  const shown = hasDefault ? ` [${String(initial)}]` : ''
  const lines = wrapWords(`${purpose}${shown}`, helpWidth - purposeColumn)
  const flag = `  --${snakeCase(name)} ${value}`.trimEnd()
  const indented = lines.map(line => ' '.repeat(purposeColumn) + line)
  if (flag.length >= purposeColumn) return [flag, ...indented].join('\n')
  return [flag.padEnd(purposeColumn) + lines[0], ...indented.slice(1)].join('\n')
}
