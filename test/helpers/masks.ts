import type { Feed } from '../../src/feeds/FeedLayout'
import type { DropoutSite } from '../../src/models/Model'
import { type Batch, Tensor } from '../../src/tensor'

/** For every row of a batch the columns that are computed: the real tokens and the first, or all. */
export function columnsOf(batch: Batch, keep: 'real' | 'all' = 'real'): number[][] {
  const { data, dims } = batch.attention_mask!
  const rows = dims[0]!
  const width = dims[1]!
  const isKept = (row: number, column: number): boolean =>
    keep === 'all' || column === 0 || Number(data[row * width + column]) !== 0
  return Array.from({ length: rows }, (_, row) => [...new Array(width).keys()].filter(column => isKept(row, column)))
}

/** Where an element of a mask stands in a padded model. */
type At = (...place: number[]) => number

/**
 * A dropout mask as a site takes it, from what it is in a padded model: `at(row, column, i)` for [batch, length,
 * width], or `at(row, head, query, key)` for attention, where padded queries get zeros.
 */
export function heldMask(
  { over, shape }: DropoutSite,
  feed: Feed,
  columns: readonly number[][],
  at: At,
): Tensor<'float64'> {
  if (typeof over === 'object') return attentionMask(shape[1] as number, shape[2] === 1, over.group, feed, columns, at)
  const { order } = feed.places
  const width = shape[1] as number
  const places = [...order].flatMap(row =>
    (over === 'rows' ? [0] : columns[row]!).map(column => [row, column] as const),
  )
  const values = places.flatMap(([row, column]) => Array.from({ length: width }, (_, i) => at(row, column, i)))
  const count = over === 'rows' ? places.length : feed.lengths.tokens! // those that round their number have any mask
  const data = Float64Array.from({ length: count * width }, (_, i) => values[i] ?? 1)
  return new Tensor('float64', data, [count, width])
}

function attentionMask(
  heads: number,
  firstOnly: boolean,
  group: number,
  { places }: Feed,
  columns: readonly number[][],
  at: At,
): Tensor<'float64'> {
  const { firstRow, lengths, width } = places.groups[group]!
  const rows = [...places.order.subarray(firstRow, firstRow + lengths.length)]
  const queries = firstOnly ? 1 : width
  const mask = Tensor.zeros('float64', [rows.length, heads, queries, width])
  for (let i = 0; i < mask.size; i++) {
    const row = rows[Math.floor(i / width / queries / heads)]!
    const head = Math.floor(i / width / queries) % heads
    const query = columns[row]![Math.floor(i / width) % queries]
    const key = columns[row]![i % width]
    mask.data[i] = query === undefined || key === undefined ? 0 : at(row, head, query, key)
  }
  return mask
}
