import { z } from 'zod'

/**
 * How important Hugging Face's users find a field (must, should, nice, not applicable), or `own`: ts-trainer's
 * addition.
 */
export type Mark = 'M' | 'S' | 'N' | '–' | 'own'

/** What a row of the table says besides the field's type, default and mark. */
export interface Notes {
  /** Where it differs from Hugging Face, and why. */
  readonly differs?: string
  /** Why nothing but the default is accepted. */
  readonly refused?: string
}

/**
 * One training argument: what it takes, its default, and why.
 * @typeParam Input what a caller may give. @typeParam Value what {@link TrainingArguments} holds.
 */
export interface Field<Input, Value = Input> extends Notes {
  /** Only a type: nothing is ever stored here. */
  readonly input?: Input
  readonly default: Value
  readonly mark: Mark
  readonly reason: string
  /** What is accepted, in words that follow "should be". */
  readonly expects: string
  /** The words, where there are only a few. */
  readonly choices?: readonly string[]
  /** How a word of the command line is read. */
  readonly reads: 'flag' | 'number' | 'text' | 'list' | 'map' | 'any'
  /** Whether a value is of the right kind; `undefined` is asked only where it is not the default. */
  readonly accepts: (value: unknown) => boolean
  /** From what was given to what is held. */
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
  const expects = words.length > 3 ? `one of ${words.join(', ')}` : words.join(' or ')
  return { default: initial, mark, reason, expects, choices, reads: 'text', accepts, ...notes }
}

/** A list of texts, of the given ones if there are any. */
export function list<D extends readonly never[] | undefined, C extends string = string>(
  initial: D,
  mark: Mark,
  reason: string,
  { of, ...notes }: Notes & { readonly of?: readonly C[] } = {},
): Field<readonly C[] | Extract<D, undefined>> {
  const item = of === undefined ? z.string().min(1) : z.enum(of as unknown as [string, ...string[]])
  const expects = of === undefined ? 'a list of texts' : `a list out of ${of.map(c => `'${c}'`).join(', ')}`
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

/** A field of which nothing but the default is accepted, or what means the same (`equals`). */
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
