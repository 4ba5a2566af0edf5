// texts → tokens, cut to a length that few texts exceed
import type { Dataset, Tokenizer } from '../../index'

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
 * The length in tokens that 95 % of the rows do not exceed, rounded up to a multiple of 8; never more than the model
 * takes.
 * @param texts the columns of texts: one or two.
 * @param given the length that was asked for.
 */
export function tokenLimit(
  rows: Dataset,
  texts: readonly string[],
  tokenizer: Tokenizer,
  given: number | undefined,
): TokenLimit {
  const step = Math.max(1, rows.length / sampledRows)
  const sample = rows.select(
    Array.from({ length: Math.min(rows.length, sampledRows) }, (_, at) => Math.floor(at * step)),
  )
  const { input_ids: ids } = tokenizer(...columnsOf(sample, texts), { truncation: true })
  const lengths = ids.map(row => row.length).toSorted((a, b) => a - b)
  const usual = Math.ceil(lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))]! / 8) * 8
  const maxLength = Math.min(given ?? usual, tokenizer.modelMaxLength)
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
    columns =>
      tokenizer(columns[first!], second === undefined ? undefined : columns[second], { truncation: true, maxLength }),
    { batched: true },
  )
}

function columnsOf(rows: Dataset, texts: readonly string[]): [string[], string[] | undefined] {
  const [first, second] = texts.map(name => rows.column(name) as string[])
  return [first!, second]
}
