// what a tokenizer is called with → one text or a batch of them, alone or in pairs, whole or split into words
import { originOf } from '../data/origins'
import { TrainerError } from '../errors'

/** A text, or (`isSplitIntoWords`) its words. */
export type Text = string | readonly string[]

/** The texts of a call. */
export interface Texts {
  readonly isBatch: boolean
  readonly firsts: readonly Text[]
  readonly seconds: readonly Text[] | undefined
}

/**
 * The texts of a call. With `isSplitIntoWords`, a list of lists is a batch and a list of words one text, as in Python;
 * a column that `map` hands over is always a batch.
 * @throws TrainerError (`data`) for what is no text (or no list of words), naming its column and row if they are known.
 */
export function textsOf(texts: unknown, pairs: unknown, isSplitIntoWords: boolean): Texts {
  const read = isSplitIntoWords ? wordsAt : textAt
  if (!isBatch(texts, isSplitIntoWords)) {
    const isAlone = pairs === undefined || pairs === null || (pairs as ArrayLike<unknown>).length === 0
    return { isBatch: false, firsts: [read(texts)], seconds: isAlone ? undefined : [read(pairs)] }
  }
  const seconds = checkPairs(texts, pairs)
  return {
    isBatch: true,
    firsts: texts.map((text, index) => read(text, texts, index)),
    seconds: seconds?.map((text, index) => read(text, seconds, index)),
  }
}

function isBatch(texts: unknown, isSplitIntoWords: boolean): texts is readonly unknown[] {
  if (!Array.isArray(texts)) return false
  return !isSplitIntoWords || originOf(texts) !== undefined || texts.some(text => Array.isArray(text))
}

function checkPairs(texts: readonly unknown[], pairs: unknown): readonly unknown[] | undefined {
  if (pairs === undefined || pairs === null) return undefined
  if (!Array.isArray(pairs)) {
    throw new TrainerError(
      'data',
      `The first argument is a batch of ${texts.length} texts, the second is ${describe(pairs)}.`,
      { fix: 'Give a second text for each.' },
    )
  }
  if (pairs.length !== texts.length)
    throw new TrainerError('data', `There are ${texts.length} first texts, but ${pairs.length} second ones.`)
  return pairs as unknown[]
}

/**
 * @param batch the texts that it is from, and `index` its place there; both are for the error.
 * @throws TrainerError (`data`) for what is not a text.
 */
function textAt(text: unknown, batch?: readonly unknown[], index = 0): string {
  if (typeof text === 'string') return text
  const fix = Array.isArray(text)
    ? 'If it is the list of its words, say isSplitIntoWords: true.'
    : isMissing(text)
      ? leaveOut(text, column => `typeof row.${column} === 'string'`, batch)
      : 'Turn it into a string first: String(…).'
  throw new TrainerError('data', `${placeOf(batch, index)} is ${describe(text)}; a text was expected.`, { fix })
}

/** The same for a list of words. */
function wordsAt(words: unknown, batch?: readonly unknown[], index = 0): readonly string[] {
  const place = placeOf(batch, index)
  if (!Array.isArray(words)) {
    const given = typeof words === 'string' ? 'one text' : describe(words)
    const fix = isMissing(words)
      ? leaveOut(words, column => `Array.isArray(row.${column})`, batch)
      : 'Give the words as a list of strings, or leave isSplitIntoWords out for whole texts.'
    throw new TrainerError('data', `${place} is ${given}; with isSplitIntoWords a list of words was expected.`, { fix })
  }
  const wrong = words.findIndex(word => typeof word !== 'string')
  if (wrong < 0) return words as string[]
  throw new TrainerError('data', `${place} has ${describe(words[wrong])} as word ${wrong}; a text was expected.`, {
    fix: 'Give the words as a list of strings.',
  })
}

/** What a text is called in errors. */
export function placeOf(batch: readonly unknown[] | undefined, index: number): string {
  if (batch === undefined) return 'The text'
  const origin = originOf(batch)
  return origin === undefined
    ? `Text ${index} of the batch`
    : `Column '${origin.column}' of row ${origin.firstRow + index}`
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null
}

/** Advice to leave rows out whose column is not what `test` says. */
function leaveOut(value: unknown, test: (column: string) => string, batch: readonly unknown[] | undefined): string {
  const correct = batch === undefined && value === undefined ? ', or correct the name of the column' : ''
  const column = (batch && originOf(batch)?.column) ?? 'text'
  return `Leave such rows out first: dataset.filter(row => ${test(column)})${correct}.`
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`
}
