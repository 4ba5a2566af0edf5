// the options of a tokenizer's calls, and what they mean together
import {
  checkMaxLength,
  checkMultiple,
  checkSide,
  paddingStrategy,
  type Padding,
  type PaddingStrategy,
  type Side,
} from '../collators/padding'
import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { checkFlag, checkOptions, shown } from '../options'
import type { TokenizerSettings } from './settings'
import type { TruncationStrategy } from './truncation'

/** Options of a call of a tokenizer: Python's in camelCase. */
export interface TokenizerOptions {
  /**
   * Cut what is longer than `maxLength`: true means 'longest_first'. false by default, but true if `maxLength` is given
   * without padding.
   */
  readonly truncation?: boolean | TruncationStrategy | undefined
  /** Tokens, special ones included; `modelMaxLength` by default. */
  readonly maxLength?: number | null | undefined
  /** Pad to the longest text ('longest' or true) or to `maxLength` ('max_length'); false by default. */
  readonly padding?: boolean | PaddingStrategy | undefined
  /** Rounds the padded length up to a multiple of this. */
  readonly padToMultipleOf?: number | null | undefined
  /** Put `[CLS]` and its kin around the texts; true by default. */
  readonly addSpecialTokens?: boolean | undefined
  /** Whether to return `token_type_ids`; by default if the model takes them. */
  readonly returnTokenTypeIds?: boolean | undefined
  /** Whether to return `attention_mask`; by default if the model takes it. */
  readonly returnAttentionMask?: boolean | undefined
  /** Whether to return `special_tokens_mask` (1 for tokens of the template and the padding); false by default. */
  readonly returnSpecialTokensMask?: boolean | undefined
  /**
   * The texts are lists of their words, each encoded by itself; false by default. A list of lists is a batch, a list of
   * words one text.
   */
  readonly isSplitIntoWords?: boolean | undefined
  /**
   * Whether to return `word_ids`, what Python's `encoding.word_ids(row)` gives: for each token the number of its word
   * (with `isSplitIntoWords` its place in the list, otherwise the word that the pre-tokenizer found), null for special
   * tokens and padding. Of a pair each text's words count from 0: `sequence_ids` tell them apart. false by default.
   */
  readonly returnWordIds?: boolean | undefined
  /**
   * Whether to return `sequence_ids`: 0 for tokens of the first text, 1 for those of the second, null for special tokens
   * and padding; false by default.
   */
  readonly returnSequenceIds?: boolean | undefined
  /**
   * Whether to return `offset_mapping`: for each token where it begins and ends in its text (with `isSplitIntoWords` in its
   * word), [0, 0] for special tokens and padding; false by default. The numbers count UTF-16 units, so that
   * `text.slice(start, end)` is what the token stands for; Python's count code points.
   */
  readonly returnOffsetsMapping?: boolean | undefined
  /**
   * Make further rows of what truncation cuts off, in place of dropping it; false by default. There may be more rows than
   * texts, also for a single text, and `overflow_to_sample_mapping` says which text each is from. In `map` the columns
   * that the function does not make have to be removed (`removeColumns`).
   */
  readonly returnOverflowingTokens?: boolean | undefined
  /**
   * How many tokens such a row repeats of the one before; 0 by default. Less than a row has room for: `maxLength` less the
   * special tokens and the text that is not cut.
   */
  readonly stride?: number | undefined
  /** Where padding is put; the tokenizer's own side by default. */
  readonly paddingSide?: Side | undefined
  /** Where tokens are cut off; the tokenizer's own side by default. */
  readonly truncationSide?: Side | undefined
}

/** The options with their defaults. */
export interface CompleteOptions {
  readonly strategy: TruncationStrategy
  readonly maxLength: number | undefined
  readonly truncationSide: Side
  readonly addSpecialTokens: boolean
  readonly isSplitIntoWords: boolean
  readonly returnsOverflow: boolean
  readonly stride: number
  readonly padding: Padding
  readonly outputs: Outputs
}

/** Which columns beside the ids are made. */
export interface Outputs {
  readonly segments: boolean
  readonly mask: boolean
  readonly specials: boolean
  readonly places: boolean
  readonly words: boolean
  readonly sequences: boolean
}

const flagNames = [
  'addSpecialTokens',
  'isSplitIntoWords',
  'returnTokenTypeIds',
  'returnAttentionMask',
  'returnSpecialTokensMask',
  'returnOffsetsMapping',
  'returnOverflowingTokens',
  'returnWordIds',
  'returnSequenceIds',
] as const

const optionNames = [
  ...flagNames,
  'truncation',
  'maxLength',
  'stride',
  'padding',
  'padToMultipleOf',
  'paddingSide',
  'truncationSide',
]

/**
 * The options with their defaults, in the order of Python's `_get_padding_truncation_strategies`.
 * @throws TrainerError (`argument`) for unknown options, values that do not exist, and padding without a padding token.
 */
export function completeOptions(options: TokenizerOptions, settings: TokenizerSettings): CompleteOptions {
  checkOptions(options, optionNames, 'The tokenizer')
  for (const name of flagNames) checkFlag(options[name], name)
  const { strategy, padding, maxLength } = lengthOptions(options, settings)
  checkPadding(padding, strategy, maxLength, options, settings)
  const wants = (name: string, asked: boolean | undefined): boolean => asked ?? settings.modelInputNames.includes(name)
  return {
    strategy,
    maxLength,
    truncationSide: checkSide(options.truncationSide ?? settings.truncationSide, 'truncationSide'),
    addSpecialTokens: options.addSpecialTokens ?? true,
    isSplitIntoWords: options.isSplitIntoWords ?? false,
    returnsOverflow: options.returnOverflowingTokens ?? false,
    stride: checkStride(options, strategy),
    padding: {
      strategy: padding,
      maxLength,
      multipleOf: checkMultiple(options.padToMultipleOf),
      side: checkSide(options.paddingSide ?? settings.paddingSide, 'paddingSide'),
    },
    outputs: {
      segments: wants('token_type_ids', options.returnTokenTypeIds),
      mask: wants('attention_mask', options.returnAttentionMask),
      specials: options.returnSpecialTokensMask ?? false,
      places: options.returnOffsetsMapping ?? false,
      words: options.returnWordIds ?? false,
      sequences: options.returnSequenceIds ?? false,
    },
  }
}

const unlimitedNote =
  'truncation is on, but neither the tokenizer nor a config.json in its folder says how long texts may be: nothing is ' +
  'cut. Give maxLength at the call, or set tokenizer.modelMaxLength.'

interface LengthOptions {
  readonly strategy: TruncationStrategy
  readonly padding: PaddingStrategy
  readonly maxLength: number | undefined
}

/** The options that decide lengths. Without any limit nothing is cut, and nothing is padded to it. */
function lengthOptions(options: TokenizerOptions, { modelMaxLength, limitNote }: TokenizerSettings): LengthOptions {
  const strategy = truncationStrategy(options)
  const padding = paddingStrategy(options.padding)
  const maxLength = checkMaxLength(options.maxLength)
  if (maxLength === undefined) {
    if (modelMaxLength === Infinity) {
      if (strategy !== 'do_not_truncate') logOnce('warning', unlimitedNote)
      const unlimited = padding === 'max_length' ? 'do_not_pad' : padding
      return { strategy: 'do_not_truncate', padding: unlimited, maxLength }
    }
    const isLimited = padding === 'max_length' || strategy !== 'do_not_truncate'
    if (isLimited && limitNote !== undefined) logOnce('warning', limitNote)
    return { strategy, padding, maxLength: isLimited ? modelMaxLength : undefined }
  }
  return { strategy, padding, maxLength }
}

function checkStride({ stride = 0, returnOverflowingTokens }: TokenizerOptions, strategy: TruncationStrategy): number {
  if (!Number.isInteger(stride) || stride < 0)
    throw new TrainerError('argument', `stride is ${shown(stride)}; a whole number of tokens was expected.`)
  if (stride > 0 && (returnOverflowingTokens !== true || strategy === 'do_not_truncate'))
    throw new TrainerError('argument', `stride is ${stride}, but no text is cut into overlapping rows.`, {
      fix: 'Say truncation and returnOverflowingTokens too, or leave stride out.',
    })
  return stride
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
    throw new TrainerError('argument', 'padding is on, but the tokenizer has no padding token.', {
      fix: 'Name one of its tokens as pad_token in tokenizer_config.json.',
    })
  }
  if (truncation !== 'do_not_truncate' && multiple && maxLength !== undefined && maxLength % multiple !== 0) {
    throw new TrainerError(
      'argument',
      `With truncation and padding, maxLength ${maxLength} has to be a multiple of padToMultipleOf ${multiple}.`,
      { fix: `Use a maxLength of ${Math.ceil(maxLength / multiple) * multiple}.` },
    )
  }
}

function truncationStrategy({ truncation, maxLength, padding }: TokenizerOptions): TruncationStrategy {
  if (truncation === undefined)
    return (maxLength ?? undefined) !== undefined && (padding ?? false) === false ? 'longest_first' : 'do_not_truncate'
  if (truncation === true) return 'longest_first'
  if (truncation === false) return 'do_not_truncate'
  const strategies = ['longest_first', 'only_first', 'only_second', 'do_not_truncate']
  if (strategies.includes(truncation)) return truncation
  throw new TrainerError(
    'argument',
    `truncation is '${String(truncation)}'; true, false or one of ${strategies.join(', ')} was expected.`,
  )
}
