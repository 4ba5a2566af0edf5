// encoded examples → columns of one length: Python's tokenizer.pad
import { TrainerError } from '../errors'
import { checkFlag, checkOptions } from '../options'
import type { Example } from './Collator'
import {
  checkMaxLength,
  checkMultiple,
  checkSide,
  paddedLength,
  paddingStrategy,
  padValues,
  type PaddingStrategy,
  type Side,
} from './padding'

/** Options of {@link padExamples}. */
export interface PadOptions {
  /** 'longest' (true, the default), 'max_length', or 'do_not_pad' (false). */
  readonly padding?: boolean | PaddingStrategy | undefined
  /** For 'max_length'; the tokenizer's `modelMaxLength` by default. */
  readonly maxLength?: number | null | undefined
  /** Rounds the length up to a multiple of this. */
  readonly padToMultipleOf?: number | null | undefined
  /** The tokenizer's own side by default. */
  readonly paddingSide?: Side | undefined
  /** Whether to make an `attention_mask` if there is none; by default if the model takes it. */
  readonly returnAttentionMask?: boolean | undefined
}

const padOptions = ['padding', 'maxLength', 'padToMultipleOf', 'paddingSide', 'returnAttentionMask'] as const

/**
 * Checks the options of padding before anything is padded.
 * @param known those that `where` has.
 * @throws TrainerError (`argument`) for an option that it does not have, and for a value that an option cannot have.
 */
export function checkPadOptions(
  options: PadOptions | undefined,
  where: string,
  known: readonly string[] = padOptions,
): void {
  checkOptions(options, known, where)
  const { padding, maxLength, padToMultipleOf, paddingSide, returnAttentionMask: mask } = options ?? {}
  paddingStrategy(padding)
  checkMaxLength(maxLength)
  checkMultiple(padToMultipleOf)
  if (paddingSide !== undefined) checkSide(paddingSide, 'paddingSide')
  checkFlag(mask, 'returnAttentionMask')
}

/** The settings of a tokenizer that padding uses. */
export interface PadSettings {
  readonly modelInputNames: readonly string[]
  readonly modelMaxLength: number
  readonly paddingSide: Side
  readonly padTokenId: number | undefined
  readonly padTokenTypeId: number
}

/**
 * Encoded examples (or their columns) as columns padded to one length. Only the main input (with the padding token),
 * `attention_mask` (0), `token_type_ids` (the padding's segment) and `special_tokens_mask` (1) are padded; nothing is
 * cut, and other columns stay as they are. The columns are those of the first example.
 * @throws TrainerError naming the row of the batch that lacks the main input or a column of the first example, or an
 * option that does not exist or cannot have its value.
 */
export function padExamples(
  examples: readonly Example[] | Example,
  settings: PadSettings,
  options: PadOptions = {},
): Record<string, unknown[]> {
  checkPadOptions(options, 'pad()')
  const columns = columnsOf(examples)
  const main = settings.modelInputNames[0] ?? 'input_ids'
  const rows = columns[main]
  if (rows === undefined) {
    throw new TrainerError(
      'data',
      `The examples have no '${main}'; they have ${Object.keys(columns).join(', ') || 'no columns'}.`,
      {
        fix: 'Tokenize them first: dataset.map(rows => tokenizer(rows.text, { truncation: true }), { batched: true }).',
      },
    )
  }
  const mask = 'attention_mask'
  if (!(mask in columns) && (options.returnAttentionMask ?? settings.modelInputNames.includes(mask))) {
    columns[mask] = rows.map(ids => new Array<number>((ids as ArrayLike<number>).length).fill(1))
  }
  const fillers: Record<string, number> = {
    [main]: settings.padTokenId ?? 0,
    [mask]: 0,
    token_type_ids: settings.padTokenTypeId,
    special_tokens_mask: 1,
  }
  const { length, side } = paddingTarget(rows as ArrayLike<number>[], settings, options)
  for (const [name, filler] of Object.entries(fillers)) {
    if (name in columns)
      columns[name] = columns[name]!.map((values, row) => padValues(numbersAt(values, name, row), length, filler, side))
  }
  return columns
}

function paddingTarget(
  rows: readonly ArrayLike<number>[],
  settings: PadSettings,
  options: PadOptions,
): { length: number; side: Side } {
  let strategy = paddingStrategy(options.padding === undefined ? true : options.padding)
  let maxLength = checkMaxLength(options.maxLength)
  if (strategy === 'max_length' && maxLength === undefined) {
    if (settings.modelMaxLength === Infinity) strategy = 'do_not_pad'
    else maxLength = settings.modelMaxLength
  }
  if (strategy !== 'do_not_pad' && settings.padTokenId === undefined) {
    throw new TrainerError('argument', 'padding is on, but the tokenizer has no padding token.', {
      fix: 'Name one of its tokens as pad_token in tokenizer_config.json.',
    })
  }
  const side = checkSide(options.paddingSide ?? settings.paddingSide, 'paddingSide')
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0)
  const multipleOf = checkMultiple(options.padToMultipleOf)
  return { length: paddedLength(longest, { strategy, maxLength, multipleOf, side }), side }
}

function columnsOf(examples: readonly Example[] | Example): Record<string, unknown[]> {
  if (!Array.isArray(examples)) return { ...examples } as Record<string, unknown[]>
  const columns: Record<string, unknown[]> = {}
  for (const name of Object.keys(examples[0] ?? {})) {
    columns[name] = examples.map((example: Example, row) => {
      if (example[name] !== undefined) return example[name]
      throw new TrainerError('data', `Row ${row} of the batch has no '${name}', which the first row has.`)
    })
  }
  return columns
}

function numbersAt(values: unknown, name: string, row: number): number[] {
  if (Array.isArray(values)) return values as number[]
  if (ArrayBuffer.isView(values)) return Array.from(values as unknown as ArrayLike<number | bigint>, Number)
  throw new TrainerError(
    'data',
    `'${name}' of row ${row} of the batch is ${String(values)}; a list of numbers was expected.`,
  )
}
