// what every layout of feeds promises; each implementation runs all of it
import { expect, it } from 'vitest'
import type { Feed, FeedLayout } from '../../src/feeds/FeedLayout'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Batch } from '../../src/tensor'

/** A layout, and batches that it can feed. */
export interface FeedCase {
  readonly layout: FeedLayout
  readonly batches: Readonly<Record<string, Batch>>
  /** A batch that it refuses, and what the message says of it. */
  readonly refused: { readonly batch: Batch; readonly message: RegExp }
  /** Whether tokens stand in their columns in attention, with gaps between them. */
  readonly spaced?: boolean
}

const rowName = (row: number): string => `row ${row + 100} of the dataset`

/** The cases of the interface `FeedLayout`. */
export function feedCases({ layout, batches, refused, spaced = false }: FeedCase): void {
  it.each(Object.entries(batches))('feeds what it declares: %s', (_, batch) => {
    const feed = layout.feed(batch, rowName)
    const graph = new GraphBuilder('feed')
    layout.declare(graph, feed.variant)
    expect(graph.inputs.length).toBeGreaterThan(0)
    expectInputs(graph, feed)
  })

  it.each(Object.entries(batches))('says where each row stands: %s', (_, batch) => {
    const { places } = layout.feed(batch, rowName)
    const rows = Object.values(batch)[0]!.dims[0]!
    expect([...places.order].toSorted((a, b) => a - b)).toEqual([...new Array(rows).keys()])
    expect(places.lengths).toHaveLength(rows)
    expectGroupsOfAllRows(places, spaced)
  })

  it('declares the variant of most feeds', () => {
    const graph = new GraphBuilder('usual')
    layout.declare(graph, layout.usualVariant)
    expect(graph.inputs.length).toBeGreaterThan(0)
  })

  it('gives the same feed for the same batch, and leaves the batch as it is', () => {
    const [batch] = Object.values(batches)
    const before = structuredClone(Object.entries(batch!).map(([name, { data }]) => [name, data]))
    const first = layout.feed(batch!, rowName)
    expect(layout.feed(batch!, rowName)).toEqual(first)
    expect(Object.entries(batch!).map(([name, { data }]) => [name, data])).toEqual(before)
  })

  it('names the row of what the model does not know', () => {
    expect(() => layout.feed(refused.batch, rowName)).toThrow(refused.message)
  })
}

/** A feed has the inputs that a graph declares, of their types and known lengths. */
function expectInputs({ inputs }: GraphBuilder, feed: Feed): void {
  expect(inputs.map(({ name }) => name).toSorted()).toEqual(Object.keys(feed.inputs).toSorted())
  for (const { name, dtype, shape } of inputs) {
    const tensor = feed.inputs[name]!
    expect(tensor.dtype, name).toBe(dtype)
    expect(tensor.dims.length, name).toBe(shape.length)
    shape.forEach((length, axis) => {
      const known = typeof length === 'number' ? length : feed.lengths[length]
      if (known !== undefined) expect(tensor.dims[axis], `${name}, axis ${axis}`).toBe(known)
    })
  }
}

/** Groups have every row once, in order; a layout without attention has none. */
function expectGroupsOfAllRows({ groups, lengths }: Feed['places'], spaced: boolean): void {
  if (groups.length === 0) return
  let next = 0
  for (const group of groups) {
    expect(group.firstRow).toBe(next)
    next += group.lengths.length
    const own = [...lengths.subarray(group.firstRow, next)]
    if (!spaced) expect([...group.lengths]).toEqual(own)
    expect(own.every((length, row) => length <= group.lengths[row]!)).toBe(true)
    expect(group.width).toBeGreaterThanOrEqual(Math.max(...group.lengths))
  }
  expect(next).toBe(lengths.length)
}
