// words → values, by a table of flags, and the table as a help text
import { nearest, TrainerError, wrapWords } from '../index'
import type { Streams } from './Streams'

/** A flag of a command. */
export interface Flag {
  /** A `switch` is there or not; `texts` may be given several times; a `count` is whole, and 1 or more. */
  readonly type: 'text' | 'texts' | 'number' | 'count' | 'switch'
  /** What its value is called in the help: DIR. */
  readonly value?: string
  readonly help: string
  readonly default?: string | number
  /** The only values of a text. */
  readonly choices?: readonly string[]
  readonly required?: boolean
  /** Other bounds of a count. */
  readonly least?: number
  readonly most?: number
}

/** Flags by name, as they are written after `--`: `additional-output`. */
export type FlagTable = Readonly<Record<string, Flag>>

/** A command as its table says it. */
export interface CommandTable<F extends FlagTable> {
  readonly name: string
  /** What follows the name in the first line of the help. */
  readonly usage: string
  /** What it does: paragraphs, and examples, which begin with two blanks and are not wrapped. */
  readonly about: readonly string[]
  readonly flags: F
  /** The most words that it takes without a flag; none by default. */
  readonly words?: number
}

type TypeOf<F extends Flag> = F extends { choices: readonly (infer Choice)[] }
  ? Choice
  : { text: string; texts: readonly string[]; number: number; count: number; switch: boolean }[F['type']]
type IsThere<F extends Flag> = F extends { default: unknown } | { required: true } | { type: 'switch' } ? true : false

/** What was given, with the defaults of the rest. */
export type FlagValues<F extends FlagTable> = {
  readonly [Name in keyof F]: TypeOf<F[Name]> | (IsThere<F[Name]> extends true ? never : undefined)
}

/** The command line is wrong: exit code 2, where it is right and something failed 1. */
export class UsageError extends TrainerError {
  constructor(problem: string, options: { fix?: string; cause?: unknown } = {}) {
    super('argument', problem, options)
  }
}

/** What `read` reads from words, its errors as those of the command line. */
export function readingWords<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof TrainerError && cause.code === 'argument' && !(cause instanceof UsageError))
      throw new UsageError(cause.problem, { ...(cause.fix !== undefined && { fix: cause.fix }), cause })
    throw cause
  }
}

/**
 * Reads the words that follow a command. `--additional-output`, `--additional_output` and `--additionalOutput` are one
 * flag, its value the next word or after `=`; what follows `--` is no flag.
 * @returns undefined where `--help` or `-h` is among them: then the help is printed.
 * @throws UsageError for a word that it does not take, with the nearest that it takes; for a flag without its value or
 * with a wrong one; and for one that is missing or given twice.
 */
export function readFlags<const F extends FlagTable>(
  table: CommandTable<F>,
  words: readonly string[],
  { out }: Pick<Streams, 'out'>,
): { readonly values: FlagValues<F>; readonly rest: readonly string[] } | undefined {
  const end = words.indexOf('--')
  if (words.slice(0, end === -1 ? undefined : end).some(word => word === '--help' || word === '-h')) {
    out(commandHelp(table))
    return undefined
  }
  const { given, rest } = readGiven(table, words)
  const missing = Object.keys(table.flags).find(name => table.flags[name]!.required === true && !(name in given))
  if (missing !== undefined)
    throw new UsageError(`${table.name} needs --${missing}: ${table.flags[missing]!.help}`, { fix: moreHelp(table) })
  const values = Object.entries(table.flags).map(([name, flag]) => [
    name,
    given[name] ?? flag.default ?? (flag.type === 'switch' ? false : undefined),
  ])
  return { values: Object.fromEntries(values) as FlagValues<F>, rest }
}

type Given = Record<string, string | number | boolean | string[]>

function readGiven(table: CommandTable<FlagTable>, words: readonly string[]): { given: Given; rest: string[] } {
  const given: Given = {}
  const rest: string[] = []
  for (let at = 0; at < words.length;) {
    const word = words[at++]!
    if (word === '--') {
      rest.push(...words.slice(at))
      break
    }
    if (!word.startsWith('--')) {
      if (word.startsWith('-') && word !== '-') throw foreignWord(table, word)
      rest.push(word)
      continue
    }
    const [, written = '', inline] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
    const name = kebabCase(written)
    if (!Object.hasOwn(table.flags, name)) throw foreignWord(table, `--${written}`)
    const flag = table.flags[name]!
    const next = inline ?? (words[at]?.startsWith('--') === true ? undefined : words[at])
    if (flag.type !== 'switch' && inline === undefined && next !== undefined) at++
    addGiven(given, name, flag, flag.type === 'switch' ? inline : next)
  }
  const tooMany = rest[table.words ?? 0]
  if (tooMany !== undefined) throw foreignWord(table, tooMany)
  return { given, rest }
}

function addGiven(given: Given, name: string, flag: Flag, value: string | undefined): void {
  const written = `--${name}`
  if (name in given && flag.type !== 'texts' && flag.type !== 'switch')
    throw new UsageError(`${written} was given twice.`, { fix: 'Leave one of them out.' })
  if (flag.type === 'switch') {
    if (value !== undefined) throw new UsageError(`${written} takes no value, but was given '${shownWord(value)}'.`)
    given[name] = true
    return
  }
  if (value === undefined)
    throw new UsageError(`${written} needs a value${flag.value === undefined ? '' : ` (${flag.value})`}.`)
  if (flag.type === 'texts') given[name] = [...((given[name] as string[] | undefined) ?? []), value]
  else if (flag.type === 'count') given[name] = countOf(written, flag, numberOf(written, value))
  else given[name] = flag.type === 'number' ? numberOf(written, value) : chosen(written, flag, value)
}

function numberOf(written: string, value: string): number {
  const number = value.trim() === '' ? NaN : Number(value)
  if (Number.isFinite(number)) return number
  throw new UsageError(`${written} should be a number, but is '${shownWord(value)}'.`)
}

function countOf(written: string, { least = 1, most = Number.MAX_SAFE_INTEGER }: Flag, number: number): number {
  if (Number.isInteger(number) && number >= least && number <= most) return number
  const range = most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `from ${least} on`
  throw new UsageError(`${written} should be a whole number ${range}, but is ${number}.`)
}

function chosen(written: string, { choices }: Flag, value: string): string {
  if (choices === undefined || choices.includes(value)) return value
  const near = nearest(value, choices)
  throw new UsageError(`${written} should be ${choices.join(', ')}, but is '${shownWord(value)}'.`, {
    ...(near !== undefined && { fix: `Did you mean '${near}'?` }),
  })
}

function foreignWord(table: CommandTable<FlagTable>, word: string): UsageError {
  const near = nearest(
    word,
    [...Object.keys(table.flags), 'help'].map(name => `--${name}`),
  )
  return new UsageError(`${table.name} does not take '${shownWord(word)}'.`, {
    fix: near === undefined ? moreHelp(table) : `Did you mean ${near}?`,
  })
}

function moreHelp({ name }: CommandTable<FlagTable>): string {
  return `npx ts-trainer ${name} --help lists what it takes.`
}

/** A word in a message: a token of the Hub is not printed. */
export function shownWord(word: string): string {
  return word.replace(/hf_\w+/g, 'hf_…')
}

function kebabCase(name: string): string {
  return name.replace(/_/g, '-').replace(/(?<=[a-z0-9])[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** Columns of a help, one less than a narrow terminal has; and the one that purposes begin in. */
const helpWidth = 79
const purposeColumn = 28

/** The help of a command, at most 79 columns wide. */
export function commandHelp({ name, usage, about, flags }: CommandTable<FlagTable>): string {
  const head = `Usage: npx ts-trainer ${name} `
  const [first = '', ...more] = wrapWords(usage, helpWidth - head.length)
  return [
    `${head}${first}`.trimEnd(),
    ...more.map(line => ' '.repeat(head.length) + line),
    '',
    ...about.flatMap(paragraph => [...(paragraph.startsWith('  ') ? [paragraph] : wrapWords(paragraph, helpWidth))]),
    '',
    ...Object.entries(flags).flatMap(([flag, row]) => flagHelp(flag, row)),
    ...flagHelp('help', { type: 'switch', help: 'This text.' }),
  ].join('\n')
}

function flagHelp(name: string, { type, value, help, default: initial, choices }: Flag): string[] {
  const valueName = type === 'switch' ? '' : ` ${value ?? (type === 'number' || type === 'count' ? 'NUMBER' : 'TEXT')}`
  const either = choices === undefined ? '' : ` One of ${choices.join(', ')}.`
  const several = type === 'texts' ? ' Several times for several.' : ''
  const lines = wrapWords(
    `${help}${either}${several}${initial === undefined ? '' : ` [${initial}]`}`,
    helpWidth - purposeColumn,
  )
  const left = `  --${name}${valueName}`
  const indented = lines.map(line => ' '.repeat(purposeColumn) + line)
  if (left.length >= purposeColumn) return [left, ...indented]
  return [left.padEnd(purposeColumn) + lines[0]!, ...indented.slice(1)]
}
