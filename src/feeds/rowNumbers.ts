// where the rows of an update stand among all of its rows, in whichever micro-batch and process they are computed
import type { Places } from './FeedLayout'

/** Places of rows in an update: what dropout is drawn by. */
export interface RowNumbers {
  /** Of each row, how many rows of the update come before it: longer ones, and equally long ones that stand before it. */
  readonly rows: Int32Array
  /** Of each row, how many tokens those have. */
  readonly tokens: Int32Array
}

/**
 * Numbers the rows of an update by their lengths, the longest first. The numbers do not depend on how the rows are
 * divided into micro-batches; those of an update of one micro-batch are the order of its packed feed.
 */
export function numberRows(lengths: ArrayLike<number>): RowNumbers {
  const count = lengths.length
  const order = Int32Array.from({ length: count }, (_, row) => row).sort((a, b) => lengths[b]! - lengths[a]! || a - b)
  const rows = new Int32Array(count)
  const tokens = new Int32Array(count)
  let before = 0
  order.forEach((row, number) => {
    rows[row] = number
    tokens[row] = before
    before += lengths[row]!
  })
  return { rows, tokens }
}

/** How many tokens each row of a batch has. */
export function rowLengths({ order, lengths }: Places): Int32Array {
  const inBatch = new Int32Array(order.length)
  order.forEach((row, i) => (inBatch[row] = lengths[i]!))
  return inBatch
}

/** The numbers of `count` rows from one on. */
export function numbersFrom({ rows, tokens }: RowNumbers, start: number, count: number): RowNumbers {
  return { rows: rows.subarray(start, start + count), tokens: tokens.subarray(start, start + count) }
}
