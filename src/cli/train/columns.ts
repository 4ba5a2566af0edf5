// a table → which of its columns are the texts, and which the label
import { type Dataset, nearest, TrainerError } from '../../index'

/** What is known of a column. */
export interface ColumnProfile {
  readonly name: string
  readonly kind: 'text' | 'number' | 'boolean' | 'list' | 'other'
  /** Whether its values are numbers of named classes. */
  readonly isClasses: boolean
  /** Of texts: their mean length in characters. */
  readonly length: number
  /** How many different values it has, missing ones aside; of lists 0. */
  readonly distinct: number
  /** Of numbers: whether one has a fraction. */
  readonly hasFractions: boolean
  /** Whether it has no other values than 0 and 1, or true and false. */
  readonly isZeroOrOne: boolean
}

/** The columns to train on, and why those that nobody named were chosen. */
export interface ChosenColumns {
  readonly texts: readonly string[]
  readonly labels: readonly string[]
  readonly why: { readonly texts: string | undefined; readonly labels: string | undefined }
}

/** Columns of two texts by their usual names. */
const pairs = [
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['question', 'sentence'],
  ['question1', 'question2'],
  ['text1', 'text2'],
] as const

/** Names that only a label has, and names that it often has. */
const surely = ['label', 'labels', 'target', 'class']
const often = ['stars', 'rating', 'score', 'category', 'sentiment', 'topic', 'intent', 'emotion']

/** The most values of a column that is taken for a label without being named. */
const fewValues = 50

/** Looks at every row of every column. */
export function profileColumns(rows: Dataset): ColumnProfile[] {
  return rows.columnNames.map(name => profile(name, rows.column(name), rows.features[name]?.type === 'ClassLabel'))
}

function profile(name: string, values: ArrayLike<unknown>, isClasses: boolean): ColumnProfile {
  const different = new Set<unknown>()
  const kinds = new Set<ColumnProfile['kind']>()
  let characters = 0
  let given = 0
  let hasFractions = false
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (isMissing(value)) continue
    given++
    kinds.add(kindOf(value))
    if (typeof value === 'string') characters += value.length
    if (typeof value === 'number' && !Number.isInteger(value)) hasFractions = true
    if (typeof value !== 'object') different.add(value)
  }
  const kind = kinds.size === 1 ? [...kinds][0]! : 'other'
  const isZeroOrOne = different.size > 0 && [...different].every(value => typeof value !== 'string' && isBit(value))
  const length = characters / Math.max(1, given)
  return { name, kind, isClasses, length, distinct: different.size, hasFractions, isZeroOrOne }
}

function isBit(value: unknown): boolean {
  return value === false || value === true || Number(value) === 0 || Number(value) === 1
}

function kindOf(value: unknown): ColumnProfile['kind'] {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'list'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number' || typeof value === 'bigint') return 'number'
  return typeof value === 'boolean' ? 'boolean' : 'other'
}

/** A cell that holds nothing. */
export function isMissing(value: unknown): boolean {
  return value === null || value === undefined || Number.isNaN(value) || (typeof value === 'string' && !value.trim())
}

/**
 * The columns that were named, and for the rest those that can only be meant: the longest texts (or two columns by the
 * names of a pair), and the one column with few values.
 * @throws TrainerError (`data`) for a name that no column has, and where several may be meant.
 */
export function chooseColumns(
  rows: Dataset,
  given: { readonly texts: readonly string[] | undefined; readonly labels: readonly string[] | undefined },
  place: string,
): ChosenColumns {
  const columns = profileColumns(rows)
  for (const name of [...(given.texts ?? []), ...(given.labels ?? [])]) checkColumn(name, columns, place)
  const [texts, whyTexts] = given.texts === undefined ? guessTexts(columns, given.labels ?? [], place) : [given.texts]
  const [labels, whyLabels] =
    given.labels === undefined ? guessLabel(columns, texts, rows.length, place) : [given.labels]
  const both = labels.find(name => texts.includes(name))
  if (both !== undefined) throw new TrainerError('data', `'${both}' cannot be both the text and the label.`)
  if (texts.length > 2)
    throw new TrainerError('data', `A model reads one text or two, but --text names ${texts.length} columns.`, {
      fix: 'Join some of them in the file.',
    })
  return { texts, labels, why: { texts: whyTexts, labels: whyLabels } }
}

function checkColumn(name: string, columns: readonly ColumnProfile[], place: string): void {
  const names = columns.map(column => column.name)
  if (names.includes(name)) return
  const near = nearest(name, names)
  throw new TrainerError('data', `${place} has no column '${name}'; its columns are ${names.join(', ')}.`, {
    ...(near !== undefined && { fix: `Did you mean '${near}'?` }),
  })
}

type Guess = readonly [names: readonly string[], why: string]

function guessTexts(columns: readonly ColumnProfile[], labels: readonly string[], place: string): Guess {
  const texts = columns.filter(({ name, kind, isClasses }) => kind === 'text' && !isClasses && !labels.includes(name))
  const names = texts.map(({ name }) => name)
  const pair = pairs.find(both => both.every(name => names.includes(name)))
  if (pair !== undefined) return [pair, 'by their names']
  const [longest] = texts.toSorted((a, b) => b.length - a.length)
  if (longest === undefined)
    throw new TrainerError('data', `${place} has no column of texts; its columns are ${describe(columns)}.`)
  return [[longest.name], texts.length === 1 ? 'the only texts' : 'the longest texts']
}

function guessLabel(columns: readonly ColumnProfile[], texts: readonly string[], rows: number, place: string): Guess {
  const others = columns.filter(({ name, kind }) => !texts.includes(name) && kind !== 'other')
  const named = others.find(({ name }) => surely.includes(name.toLowerCase()))
  if (named !== undefined) return [[named.name], 'by its name']
  const most = Math.min(fewValues, Math.max(2, rows / 2))
  const few = others.filter(({ kind, distinct }) => kind !== 'list' && distinct > 1 && distinct <= most)
  const candidates = few.length > 0 ? few : others.filter(({ hasFractions, kind }) => hasFractions || kind === 'list')
  if (candidates.length === 1)
    return [[candidates[0]!.name], few.length > 0 ? 'the only column with few values' : 'the only numbers or lists']
  const usual = candidates.filter(({ name }) => often.includes(name.toLowerCase()))
  if (usual.length === 1) return [[usual[0]!.name], 'by its name']
  const described = describe(candidates.length === 0 ? columns : candidates)
  throw candidates.length === 0
    ? new TrainerError('data', `${place} has no column that looks like a label; its columns are ${described}.`, {
        fix: 'Name it: --label COLUMN.',
      })
    : new TrainerError('data', `Several columns of ${place} may be the label: ${described}.`, {
        fix: labelAdvice(usual[0] ?? candidates[0]!, candidates),
      })
}

/** How a label is named; several columns of 0 and 1 may be one label together. */
function labelAdvice({ name }: ColumnProfile, candidates: readonly ColumnProfile[]): string {
  const bits = candidates.filter(({ isZeroOrOne, isClasses }) => isZeroOrOne && !isClasses)
  if (bits.length < 2) return `Name it: --label ${name}.`
  const all = bits.map(bit => `--label ${bit.name}`).join(' ')
  return `Name one, as --label ${name}, or several columns of 0 and 1: ${all}.`
}

/** Columns in a message: stars (5 values), review (text). */
export function describe(columns: readonly ColumnProfile[]): string {
  return columns
    .map(({ name, kind, distinct }) => `${name} (${kind === 'list' ? 'lists' : `${counted(distinct)} values`})`)
    .join(', ')
}

/** A whole number as people write it: 5,000. */
export function counted(number: number): string {
  return number.toLocaleString('en-US')
}
