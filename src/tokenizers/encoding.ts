// texts and options → ids, segments and masks
import { TrainerError, nearest } from '../errors'
import {
  paddedLength,
  paddingStrategy,
  padValues,
  checkSide,
  type Padding,
  type PaddingStrategy,
  type Side,
} from '../collators/padding'
import { originOf } from '../data/origins'
import { readTemplate, type Template } from './template'
import type { TextModel } from './textModel'
import type { TokenizerSettings } from './tokenizer'
import type { TokenizerJson } from './files'
import { truncatedLengths, type TruncationStrategy } from './truncation'

/** Options of a call of a tokenizer, Python's in camelCase. */
export interface TokenizerOptions {
  /**
   * Cut what is longer than `maxLength`: true is 'longest_first'. false by default (true if only `maxLength` is given).
   */
  readonly truncation?: boolean | TruncationStrategy | undefined
  /** Tokens, special ones included; `modelMaxLength` by default. */
  readonly maxLength?: number | undefined
  /** Pad to the longest text ('longest', true) or to `maxLength` ('max_length'); false by default. */
  readonly padding?: boolean | PaddingStrategy | undefined
  /** Rounds the padded length up to a multiple of this. */
  readonly padToMultipleOf?: number | null | undefined
  /** Put `[CLS]` and its kin around the texts; true by default. */
  readonly addSpecialTokens?: boolean | undefined
  /** Whether to give `token_type_ids`; what the model takes by default. */
  readonly returnTokenTypeIds?: boolean | undefined
  /** Whether to give `attention_mask`; what the model takes by default. */
  readonly returnAttentionMask?: boolean | undefined
  /** Whether to give `special_tokens_mask` (1 for tokens that the template or the padding added); false by default. */
  readonly returnSpecialTokensMask?: boolean | undefined
  /** Where padding is put; the tokenizer's own side by default. */
  readonly paddingSide?: Side | undefined
  /** Where tokens are cut off; the tokenizer's own side by default. */
  readonly truncationSide?: Side | undefined
}

/** One encoded text or pair. `attention_mask` is missing only where `returnAttentionMask` is false. */
export type Encoding = {
  input_ids: number[]
  token_type_ids?: number[]
  attention_mask: number[]
  special_tokens_mask?: number[]
}

/** A batch of encoded texts, a row for each. */
export type BatchEncoding = { [Name in keyof Encoding]: Encoding[Name][] }

type Encode = (texts: unknown, pairs: unknown, options: TokenizerOptions | undefined) => Encoding | BatchEncoding

/** A function from texts to encodings. */
export function encoder(
  model: TextModel,
  processor: TokenizerJson['post_processor'],
  settings: TokenizerSettings,
): Encode {
  const template = readTemplate(processor)
  const bare = { single: template.single.filter(piece => piece.text), pair: template.pair.filter(piece => piece.text) }
  return (texts, pairs, options = {}) => {
    const plan = readOptions(options, settings)
    const encodeRow = rowEncoder(model, plan.addSpecialTokens ? template : bare, plan)
    if (Array.isArray(texts)) {
      const seconds = checkPairs(texts, pairs)
      return finish(
        texts.map((text, i) => encodeRow(textAt(text, texts, i), seconds && textAt(seconds[i], seconds, i))),
        plan,
        settings,
      )
    }
    const second = pairs === undefined || pairs === null || pairs === '' ? undefined : textAt(pairs)
    const batch = finish([encodeRow(textAt(texts), second)], plan, settings)
    return Object.fromEntries(Object.entries(batch).map(([name, rows]) => [name, rows[0]!])) as Encoding
  }
}

interface Plan {
  readonly strategy: TruncationStrategy
  readonly maxLength: number | undefined
  readonly truncationSide: Side
  readonly addSpecialTokens: boolean
  readonly padding: Padding
  readonly outputs: { readonly segments: boolean; readonly mask: boolean; readonly specials: boolean }
}

interface EncodedRow {
  readonly ids: number[]
  readonly segments: number[]
  readonly specials: number[]
}

/** Tokens of the texts, cut to what the budget leaves, then put into the template. */
function rowEncoder(
  model: TextModel,
  template: Template,
  { strategy, maxLength, truncationSide: side, outputs }: Plan,
): (text: string, pair?: string) => EncodedRow {
  const truncates = strategy !== 'do_not_truncate' && maxLength !== undefined
  const cut = (ids: number[], length: number): number[] =>
    length >= ids.length ? ids : side === 'right' ? ids.slice(0, length) : ids.slice(ids.length - length)
  const count = (pieces: Template['single']): number => pieces.reduce((sum, piece) => sum + piece.ids.length, 0)
  const added = { single: count(template.single), pair: count(template.pair) }

  return (text, pair) => {
    const pieces = pair === undefined ? template.single : template.pair
    const specials = pair === undefined ? added.single : added.pair
    // a budget that the special tokens alone exceed means no truncation, as in the Rust library
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
  outputs: Plan['outputs'],
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

/** Rows padded and laid out as columns, in Python's order of names. */
function finish(rows: readonly EncodedRow[], { padding, outputs }: Plan, settings: TokenizerSettings): BatchEncoding {
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

const optionNames = [
  'truncation',
  'maxLength',
  'padding',
  'padToMultipleOf',
  'addSpecialTokens',
  'returnTokenTypeIds',
  'returnAttentionMask',
  'returnSpecialTokensMask',
  'paddingSide',
  'truncationSide',
]

/** The options checked, with their defaults, in the order of Python's `_get_padding_truncation_strategies`. */
function readOptions(options: TokenizerOptions, settings: TokenizerSettings): Plan {
  for (const name of Object.keys(options)) {
    if (optionNames.includes(name)) continue
    const close = nearest(name, optionNames)
    const fix = close === undefined ? `It has ${optionNames.join(', ')}.` : `Did you mean '${close}'?`
    throw new TrainerError('argument', `The tokenizer has no option '${name}'.`, { fix })
  }
  let strategy = truncationStrategy(options)
  let padding = paddingStrategy(options.padding)
  let { maxLength } = options
  const limitless = settings.modelMaxLength === Infinity
  if (maxLength === undefined) {
    if (limitless && padding === 'max_length') padding = 'do_not_pad'
    if (limitless) strategy = 'do_not_truncate'
    if (padding === 'max_length' || strategy !== 'do_not_truncate') maxLength = settings.modelMaxLength
  } else if (!Number.isInteger(maxLength) || maxLength < 0) {
    throw new TrainerError('argument', `maxLength is ${maxLength}: a whole number of tokens was expected.`)
  }
  checkPadding(padding, strategy, maxLength, options, settings)
  const wants = (name: string, asked: boolean | undefined): boolean => asked ?? settings.modelInputNames.includes(name)
  return {
    strategy,
    maxLength,
    truncationSide: checkSide(options.truncationSide ?? settings.truncationSide, 'truncationSide'),
    addSpecialTokens: options.addSpecialTokens ?? true,
    padding: {
      strategy: padding,
      maxLength,
      multipleOf: options.padToMultipleOf ?? undefined,
      side: checkSide(options.paddingSide ?? settings.paddingSide, 'paddingSide'),
    },
    outputs: {
      segments: wants('token_type_ids', options.returnTokenTypeIds),
      mask: wants('attention_mask', options.returnAttentionMask),
      specials: options.returnSpecialTokensMask ?? false,
    },
  }
}

function checkPadding(
  padding: PaddingStrategy,
  truncation: TruncationStrategy,
  maxLength: number | undefined,
  { padToMultipleOf: multiple }: TokenizerOptions,
  settings: TokenizerSettings,
): void {
  if (padding === 'do_not_pad') return
  if (settings.padTokenId === undefined) {
    throw new TrainerError('argument', 'Padding was asked for, but the tokenizer has no padding token.', {
      fix: 'Name one of its tokens as pad_token in tokenizer_config.json.',
    })
  }
  if (truncation !== 'do_not_truncate' && multiple && maxLength !== undefined && maxLength % multiple !== 0) {
    throw new TrainerError(
      'argument',
      `maxLength ${maxLength} is not a multiple of padToMultipleOf ${multiple}, though both truncation and padding are on.`,
      {
        fix: `Use a maxLength of ${Math.ceil(maxLength / multiple) * multiple}.`,
      },
    )
  }
}

function truncationStrategy({ truncation, maxLength, padding }: TokenizerOptions): TruncationStrategy {
  if (truncation === undefined)
    return maxLength !== undefined && (padding ?? false) === false ? 'longest_first' : 'do_not_truncate'
  if (truncation === true) return 'longest_first'
  if (truncation === false) return 'do_not_truncate'
  const strategies = ['longest_first', 'only_first', 'only_second', 'do_not_truncate']
  if (strategies.includes(truncation)) return truncation
  throw new TrainerError(
    'argument',
    `truncation is '${String(truncation)}': true, false, or one of ${strategies.join(', ')} was expected.`,
  )
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

/** A text that is one; `batch` and `index` say where it stands. */
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
  throw new TrainerError('data', `${place} is ${describe(text)}, where a text was expected.`, {
    fix:
      text === undefined || text === null
        ? `Leave such rows out first: dataset.filter(row => typeof row.${column} === 'string')${misnamed ? ', or correct the name of the column' : ''}.`
        : 'Turn it into a string first: String(…).',
  })
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`
}
