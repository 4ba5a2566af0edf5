import type { Feed } from '../../src/feeds/FeedLayout'
import type { DropoutSite } from '../../src/models/Model'
import { type Batch, Tensor } from '../../src/tensor'

/** For every row of a batch the columns that a feed computes: the real tokens and the first, or all. */
export function columnsOf({ places: { order, lengths, slots } }: Feed, batch: Batch): number[][] {
  const width = batch.input_ids!.dims[1]!
  const columns = new Array<number[]>(order.length)
  let first = 0
  order.forEach((row, i) => {
    columns[row] = Array.from(slots.subarray(first, first + lengths[i]!), slot => slot % width)
    first += lengths[i]!
  })
  return columns
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
  const width = shape[1] as number
  if (over === 'table') {
    const rows = shape[0] as number
    const data = Float64Array.from({ length: rows * width }, (_, i) => at(Math.floor(i / width), 0, i % width))
    return new Tensor('float64', data, [rows, width])
  }
  const { order } = feed.places
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
  { places, inputs }: Feed,
  columns: readonly number[][],
  at: At,
): Tensor<'float64'> {
  // where distances count, or attention is local, tokens stand in their columns
  const isSpaced = Object.keys(inputs).some(name => /^(distances|columns)(\.\d+)?$/.test(name))
  const columnIn = (row: number, slot: number): number | undefined =>
    isSpaced ? columns[row]!.find(column => column === slot) : columns[row]![slot]
  const { firstRow, lengths, width } = places.groups[group]!
  const rows = [...places.order.subarray(firstRow, firstRow + lengths.length)]
  const queries = firstOnly ? 1 : width
  const mask = Tensor.zeros('float64', [rows.length, heads, queries, width])
  for (let i = 0; i < mask.size; i++) {
    const row = rows[Math.floor(i / width / queries / heads)]!
    const head = Math.floor(i / width / queries) % heads
    const query = firstOnly ? 0 : columnIn(row, Math.floor(i / width) % queries)
    const key = columnIn(row, i % width)
    mask.data[i] = query === undefined || key === undefined ? 0 : at(row, head, query, key)
  }
  return mask
}
