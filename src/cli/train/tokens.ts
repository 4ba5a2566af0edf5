// texts → tokens, cut to a length that few texts exceed
import type { Dataset, PreTrainedModel, Tokenizer, TokenizerOptions } from '../../index'
import { UsageError } from '../flags'

/** So many rows say how long texts are. */
const sampledRows = 1000

/** The share of the texts that fits. */
const share = 0.95

/** The most tokens of a row, and what share of the rows has no more. */
export interface TokenLimit {
  readonly maxLength: number
  readonly fits: number
}

/**
 * The tokens that a row may have: as many as were asked for, else as tokenizer and model take.
 * @throws UsageError for more than they take.
 */
export function lengthOf(wanted: number | undefined, tokenizer: Tokenizer, model: PreTrainedModel): number {
  const most = Math.min(tokenizer.modelMaxLength, model.maxPositions)
  if (wanted === undefined || wanted <= most) return wanted ?? most
  throw new UsageError(`--max_length is ${wanted}, but the tokenizer and the model take ${most} tokens.`)
}

/**
 * The length in tokens that 95 % of the rows do not exceed, rounded up to a multiple of 8; never more than the model
 * takes.
 * @param texts the columns of texts: one or two.
 * @param lengths the most tokens that a row may have; and the length that was asked for, which counts.
 */
export function tokenLimit(
  rows: Dataset,
  texts: readonly string[],
  tokenizer: Tokenizer,
  { most, given }: { readonly most: number; readonly given: number | undefined },
): TokenLimit {
  const step = Math.max(1, rows.length / sampledRows)
  const sample = rows.select(
    Array.from({ length: Math.min(rows.length, sampledRows) }, (_, at) => Math.floor(at * step)),
  )
  const { input_ids: ids } = tokenizer(...columnsOf(sample, texts), cutTo(most))
  const lengths = ids.map(row => row.length).toSorted((a, b) => a - b)
  const usual = Math.ceil(lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))]! / 8) * 8
  const maxLength = given ?? Math.min(usual, most)
  return { maxLength, fits: lengths.filter(length => length <= maxLength).length / lengths.length }
}

/** The rows with their tokens; the texts stay, for whoever looks at rows that were judged wrongly. */
export function tokenized(
  rows: Dataset,
  texts: readonly string[],
  tokenizer: Tokenizer,
  maxLength: number,
): Promise<Dataset> {
  const [first, second] = texts
  return rows.map(
    columns => tokenizer(columns[first!], second === undefined ? undefined : columns[second], cutTo(maxLength)),
    { batched: true },
  )
}

function cutTo(maxLength: number): TokenizerOptions {
  return Number.isFinite(maxLength) ? { truncation: true, maxLength } : {}
}

function columnsOf(rows: Dataset, texts: readonly string[]): [string[], string[] | undefined] {
  const [first, second] = texts.map(name => rows.column(name) as string[])
  return [first!, second]
}
