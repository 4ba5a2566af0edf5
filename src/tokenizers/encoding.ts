// texts and options → ids, segments and masks
import { paddedLength, padValues } from '../collators/padding'
import { TrainerError } from '../errors'
import { log } from '../logging'
import type { TokenizerFiles } from './files'
import { JsonPart } from './jsonPart'
import { completeOptions, type CompleteOptions, type TokenizerOptions } from './options'
import { type EncodedRow, rowEncoder } from './rows'
import type { TokenizerSettings } from './settings'
import { templateOf } from './template'
import type { TextModel } from './textModel'
import { placeOf, textsOf } from './texts'
import { wordsChecker } from './words'

/** One encoded text or pair. `attention_mask` is missing only if `returnAttentionMask` is false. */
export type Encoding = {
  input_ids: number[]
  token_type_ids?: number[]
  attention_mask: number[]
  special_tokens_mask?: number[]
  /** With `returnOffsetsMapping`: where each token begins and ends in its text; [0, 0] for special tokens and padding. */
  offset_mapping?: [number, number][]
  /** With `returnWordIds`: the number of each token's word in its text; null for special tokens and padding. */
  word_ids?: (number | null)[]
  /** With `returnSequenceIds`: 0 for the first text's tokens, 1 for the second's; null for special tokens and padding. */
  sequence_ids?: (number | null)[]
}

/** A batch of encoded texts, a row for each. */
export type BatchEncoding = { [Name in keyof Encoding]: NonNullable<Encoding[Name]>[] } & {
  /** With `returnOverflowingTokens`: the number of the text that each row is from. */
  overflow_to_sample_mapping?: number[]
}

type Encode = (texts: unknown, pairs: unknown, options: TokenizerOptions | undefined) => Encoding | BatchEncoding

/** The function from texts to encodings of a model, with the post-processor of its tokenizer.json. */
export function encoder(model: TextModel, files: TokenizerFiles, settings: TokenizerSettings): Encode {
  const template = templateOf(new JsonPart(files.json.post_processor, files.path, 'post_processor'))
  const bare = {
    ...template,
    single: template.single.filter(piece => piece.text),
    pair: template.pair.filter(piece => piece.text),
  }
  const checkTakesWords = wordsChecker(model, files)
  const tellLost = lostWordsTeller()
  return (texts, pairs, options = {}) => {
    const complete = completeOptions(options, settings)
    if (complete.isSplitIntoWords) checkTakesWords()
    const { isBatch, firsts, seconds } = textsOf(texts, pairs, complete.isSplitIntoWords)
    const encode = rowEncoder(model, complete.addSpecialTokens ? template : bare, complete, seconds !== undefined)
    const rows: EncodedRow[] = []
    const samples: number[] = []
    const encodeAt = (index: number): number => {
      const lost = encode(rows, firsts[index]!, seconds?.[index])
      while (samples.length < rows.length) samples.push(index)
      return lost
    }
    const lost = encodeAll(firsts.length, encodeAt, isBatch ? texts : undefined)
    if (complete.isSplitIntoWords) tellLost(lost, complete.maxLength)
    const batch = columnsOf(rows, complete, settings)
    if (complete.returnsOverflow) batch.overflow_to_sample_mapping = samples
    if (isBatch || complete.returnsOverflow) return batch
    return Object.fromEntries(Object.entries(batch).map(([name, rows]) => [name, rows[0]!])) as Encoding
  }
}

/**
 * Encodes texts one by one; returns how many words of each got no tokens.
 * @param batch what they are from, of a batch: our own errors then name the text.
 */
function encodeAll(count: number, encodeAt: (index: number) => number, batch: unknown): number[] {
  const lost: number[] = []
  try {
    while (lost.length < count) lost.push(encodeAt(lost.length))
  } catch (error) {
    if (!(error instanceof TrainerError) || batch === undefined) throw error
    const place = placeOf(batch as readonly unknown[], lost.length)
    throw new TrainerError(error.code, `${place}: ${error.message}`, { cause: error })
  }
  return lost
}

/** A function that says how many words get no tokens: the first time as a warning, later as a note. */
function lostWordsTeller(): (lostOfTexts: readonly number[], maxLength: number | undefined) => void {
  let level: 'warning' | 'info' = 'warning'
  return (lostOfTexts, maxLength) => {
    const losing = lostOfTexts.filter(lost => lost > 0)
    if (losing.length === 0) return
    const lost = losing.reduce((sum, one) => sum + one, 0)
    log(
      level,
      `${lost} ${lost === 1 ? 'word' : 'words'} of ${losing.length} of ${lostOfTexts.length} texts lie behind the limit of ` +
        `${maxLength} tokens: they get no tokens, and their labels count neither in the loss nor in metrics. A larger ` +
        `maxLength or returnOverflowingTokens: true keeps them.${level === 'warning' ? ' Of later calls this is said at the log level info.' : ''}`,
    )
    level = 'info'
  }
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
  const pad = <Value>(values: Value[], filler: Value): Value[] => padValues(values, length, filler, padding.side)
  const ones = (row: EncodedRow): number[] => new Array<number>(row.ids.length).fill(1)
  return {
    input_ids: rows.map(row => pad(row.ids, settings.padTokenId ?? 0)),
    ...(outputs.segments && { token_type_ids: rows.map(row => pad(row.segments!, settings.padTokenTypeId)) }),
    ...(outputs.mask && { attention_mask: rows.map(row => pad(ones(row), 0)) }),
    ...(outputs.specials && { special_tokens_mask: rows.map(row => pad(row.specials!, 1)) }),
    ...(outputs.places && { offset_mapping: rows.map(row => pad(row.places!, [0, 0])) }),
    ...(outputs.words && { word_ids: rows.map(row => pad(row.words!, null)) }),
    ...(outputs.sequences && { sequence_ids: rows.map(row => pad(row.sequences!, null)) }),
  } as BatchEncoding
}
