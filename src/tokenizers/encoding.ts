// texts and options → ids, segments and masks
import { paddedLength, padValues } from '../collators/padding'
import { originOf } from '../data/origins'
import { TrainerError } from '../errors'
import type { JsonPart } from './jsonPart'
import { completeOptions, type CompleteOptions, type TokenizerOptions } from './options'
import type { TokenizerSettings } from './settings'
import { templateOf, type Template } from './template'
import type { TextModel } from './textModel'
import { truncatedLengths } from './truncation'

/** One encoded text or pair. `attention_mask` is missing only if `returnAttentionMask` is false. */
export type Encoding = {
  input_ids: number[]
  token_type_ids?: number[]
  attention_mask: number[]
  special_tokens_mask?: number[]
}

/** A batch of encoded texts, a row for each. */
export type BatchEncoding = { [Name in keyof Encoding]: Encoding[Name][] }

type Encode = (texts: unknown, pairs: unknown, options: TokenizerOptions | undefined) => Encoding | BatchEncoding

/** The function from texts to encodings of a model, with the post-processor of its tokenizer.json. */
export function encoder(model: TextModel, processor: JsonPart, settings: TokenizerSettings): Encode {
  const template = templateOf(processor)
  const bare = { single: template.single.filter(piece => piece.text), pair: template.pair.filter(piece => piece.text) }
  return (texts, pairs, options = {}) => {
    const complete = completeOptions(options, settings)
    const encodeRow = rowEncoder(model, complete.addSpecialTokens ? template : bare, complete)
    if (Array.isArray(texts)) {
      const seconds = checkPairs(texts, pairs)
      return columnsOf(
        texts.map((text, i) => encodeRow(textAt(text, texts, i), seconds && textAt(seconds[i], seconds, i))),
        complete,
        settings,
      )
    }
    const second = pairs === undefined || pairs === null || pairs === '' ? undefined : textAt(pairs)
    const batch = columnsOf([encodeRow(textAt(texts), second)], complete, settings)
    return Object.fromEntries(Object.entries(batch).map(([name, rows]) => [name, rows[0]!])) as Encoding
  }
}

interface EncodedRow {
  readonly ids: number[]
  readonly segments: number[]
  readonly specials: number[]
}

/** A function that cuts the tokens of a text or pair to the budget and puts them into the template. */
function rowEncoder(
  model: TextModel,
  template: Template,
  { strategy, maxLength, truncationSide: side, outputs }: CompleteOptions,
): (text: string, pair?: string) => EncodedRow {
  const truncates = strategy !== 'do_not_truncate' && maxLength !== undefined
  const cut = (ids: number[], length: number): number[] =>
    length >= ids.length ? ids : side === 'right' ? ids.slice(0, length) : ids.slice(ids.length - length)
  const count = (pieces: Template['single']): number => pieces.reduce((sum, piece) => sum + piece.ids.length, 0)
  const added = { single: count(template.single), pair: count(template.pair) }

  return (text, pair) => {
    const pieces = pair === undefined ? template.single : template.pair
    const specials = pair === undefined ? added.single : added.pair
    // If the special tokens alone exceed the budget, nothing is cut, as in the Rust library.
    const budget = truncates && maxLength >= specials ? maxLength - specials : undefined
    const enough = budget !== undefined && pair === undefined && side === 'right' ? budget + 1 : undefined
    let first = model.encode(text, enough)
    let second = pair === undefined ? undefined : model.encode(pair)
    if (budget !== undefined) {
      const [firstLength, secondLength] = truncatedLengths(first.length, second?.length, budget, strategy)
      first = cut(first, firstLength)
      second &&= cut(second, secondLength)
    }
    return assemble(pieces, first, second ?? [], outputs)
  }
}

function assemble(
  pieces: Template['single'],
  first: readonly number[],
  second: readonly number[],
  outputs: CompleteOptions['outputs'],
): EncodedRow {
  const row: EncodedRow = { ids: [], segments: [], specials: [] }
  for (const piece of pieces) {
    const ids = piece.text === 'A' ? first : piece.text === 'B' ? second : piece.ids
    for (let i = 0; i < ids.length; i++) {
      row.ids.push(ids[i]!)
      if (outputs.segments) row.segments.push(piece.segment)
      if (outputs.specials) row.specials.push(piece.text ? 0 : 1)
    }
  }
  return row
}

/** Rows padded and turned into columns, in Python's order of names. */
function columnsOf(
  rows: readonly EncodedRow[],
  { padding, outputs }: CompleteOptions,
  settings: TokenizerSettings,
): BatchEncoding {
  const length = paddedLength(
    rows.reduce((longest, row) => Math.max(longest, row.ids.length), 0),
    padding,
  )
  const pad = (values: number[], filler: number): number[] => padValues(values, length, filler, padding.side)
  const ones = (row: EncodedRow): number[] => new Array<number>(row.ids.length).fill(1)
  return {
    input_ids: rows.map(row => pad(row.ids, settings.padTokenId ?? 0)),
    ...(outputs.segments && { token_type_ids: rows.map(row => pad(row.segments, settings.padTokenTypeId)) }),
    ...(outputs.mask && { attention_mask: rows.map(row => pad(ones(row), 0)) }),
    ...(outputs.specials && { special_tokens_mask: rows.map(row => pad(row.specials, 1)) }),
  } as BatchEncoding
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
 * @throws TrainerError (`data`) for what is not a text, naming its column and row if they are known.
 */
function textAt(text: unknown, batch?: readonly unknown[], index = 0): string {
  if (typeof text === 'string') return text
  const origin = batch && originOf(batch)
  const place =
    batch === undefined
      ? 'The text'
      : origin === undefined
        ? `Text ${index} of the batch`
        : `Column '${origin.column}' of row ${origin.firstRow + index}`
  const column = origin?.column ?? 'text'
  const misnamed = batch === undefined && text === undefined
  const correct = misnamed ? ', or correct the name of the column' : ''
  const fix =
    text === undefined || text === null
      ? `Leave such rows out first: dataset.filter(row => typeof row.${column} === 'string')${correct}.`
      : 'Turn it into a string first: String(…).'
  throw new TrainerError('data', `${place} is ${describe(text)}; a text was expected.`, { fix })
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`
}
