import { z } from 'zod'

/**
 * How important an argument is to Hugging Face's users (must, should, nice, not applicable), or `own` for an argument
 * of ts-trainer alone.
 */
export type Mark = 'M' | 'S' | 'N' | '–' | 'own'

/** What a row of the table may say besides type, default and mark. */
export interface Notes {
  /** How it differs from Hugging Face, and why. */
  readonly differs?: string
  /** Why only the default is accepted. */
  readonly refused?: string
  /** What is wrong with a value in a whole sentence, `undefined` if nothing; instead of `accepts` and `expects`. */
  readonly problem?: (value: unknown) => string | undefined
  /** Why other values are wrong, for the error. */
  readonly why?: string
}

/**
 * One training argument: its values, its default, and its purpose.
 * @typeParam Input what a caller may give.
 * @typeParam Value what {@link TrainingArguments} holds.
 */
export interface Field<Input, Value = Input> extends Notes {
  /** Only for its type: nothing is stored here. */
  readonly input?: Input
  readonly default: Value
  readonly mark: Mark
  readonly reason: string
  /** What is accepted, in words that follow "should be". */
  readonly expects: string
  /** The accepted words, if there are only a few. */
  readonly choices?: readonly string[]
  /** How the command line reads it. */
  readonly reads: 'flag' | 'number' | 'text' | 'list' | 'map' | 'any'
  /** Whether a value is of the right kind; not called with `undefined` if that is the default. */
  readonly accepts: (value: unknown) => boolean
  /** The value to hold, of the value given. */
  readonly normal?: (given: unknown) => Value
}

interface Bounds {
  readonly least?: number
  readonly most?: number
  readonly below?: number
}

/** A switch. */
export function flag<D extends boolean | undefined>(
  initial: D,
  mark: Mark,
  reason: string,
  notes: Notes = {},
): Field<boolean | D> {
  return {
    default: initial,
    mark,
    reason,
    expects: 'true or false',
    reads: 'flag',
    accepts: accepting(z.boolean()),
    ...notes,
  }
}

/** A whole number. */
export function whole<D extends number | undefined>(
  initial: D,
  mark: Mark,
  reason: string,
  { least, most, ...notes }: Notes & Bounds = {},
): Field<number | D> {
  let schema = z.int()
  if (least !== undefined) schema = schema.min(least)
  if (most !== undefined) schema = schema.max(most)
  const expects = `a whole number${inBounds({ least, most })}`
  return { default: initial, mark, reason, expects, reads: 'number', accepts: accepting(schema), ...notes }
}

/** A finite number. */
export function real<D extends number | undefined>(
  initial: D,
  mark: Mark,
  reason: string,
  { least, most, below, ...notes }: Notes & Bounds = {},
): Field<number | D> {
  let schema = z.number()
  if (least !== undefined) schema = schema.min(least)
  if (most !== undefined) schema = schema.max(most)
  if (below !== undefined) schema = schema.lt(below)
  const expects = `a number${inBounds({ least, most, below })}`
  return { default: initial, mark, reason, expects, reads: 'number', accepts: accepting(schema), ...notes }
}

/** A text that is not empty. */
export function text<D extends string | undefined>(
  initial: D,
  mark: Mark,
  reason: string,
  notes: Notes = {},
): Field<string | D> {
  return {
    default: initial,
    mark,
    reason,
    expects: 'a text that is not empty',
    reads: 'text',
    accepts: accepting(z.string().min(1)),
    ...notes,
  }
}

/** One of a few words. */
export function choice<const C extends readonly string[], D extends C[number] = C[number]>(
  choices: C,
  initial: D,
  mark: Mark,
  reason: string,
  notes: Notes = {},
): Field<C[number]> {
  const accepts = accepting(z.enum(choices as unknown as [string, ...string[]]))
  const words = choices.map(word => `'${word}'`)
  const expects =
    words.length > 3 ? `one of ${words.join(', ')}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return { default: initial, mark, reason, expects, choices, reads: 'text', accepts, ...notes }
}

/** A list of texts, or of certain words. */
export function list<D extends readonly never[] | undefined, C extends string = string>(
  initial: D,
  mark: Mark,
  reason: string,
  { of, ...notes }: Notes & { readonly of?: readonly C[] } = {},
): Field<readonly C[] | Extract<D, undefined>> {
  const item = of === undefined ? z.string().min(1) : z.enum(of as unknown as [string, ...string[]])
  const expects = of === undefined ? 'a list of texts' : `a list of any of ${of.map(c => `'${c}'`).join(', ')}`
  const start = initial as readonly C[] | Extract<D, undefined>
  return { default: start, mark, reason, expects, reads: 'list', accepts: accepting(z.array(item)), ...notes }
}

/** Options of something else, by name. */
export function map(
  mark: Mark,
  reason: string,
  notes: Notes = {},
): Field<Readonly<Record<string, unknown>> | undefined> {
  const accepts = accepting(z.record(z.string(), z.unknown()))
  return { default: undefined, mark, reason, expects: 'an object of options', reads: 'map', accepts, ...notes }
}

/** Texts by name. */
export function texts(
  mark: Mark,
  reason: string,
  notes: Notes = {},
): Field<Readonly<Record<string, string>> | undefined> {
  const accepts = accepting(z.record(z.string(), z.string()))
  return { default: undefined, mark, reason, expects: 'an object of texts', reads: 'map', accepts, ...notes }
}

/** An argument that accepts only its default, or what means the same (`equals`). */
export function unused<D>(
  initial: D,
  mark: Mark,
  reason: string,
  refused: string,
  equals: readonly unknown[] = [],
): Field<D> {
  const same = new Set([initial ?? null, ...equals].map(value => JSON.stringify(value)))
  const accepts = (value: unknown): boolean => same.has(JSON.stringify(value ?? null))
  return {
    default: initial,
    mark,
    reason,
    expects: 'left at its default',
    reads: 'any',
    accepts,
    normal: () => initial,
    refused,
  }
}

function accepting(schema: z.ZodType): (value: unknown) => boolean {
  return value => schema.safeParse(value).success
}

function inBounds({ least, most, below }: { [B in keyof Bounds]: Bounds[B] | undefined }): string {
  const over = least === undefined ? '' : ` of at least ${least}`
  const under = most !== undefined ? `at most ${most}` : below !== undefined ? `below ${below}` : ''
  return under === '' ? over : `${over}${over === '' ? ' of ' : ' and '}${under}`
}
