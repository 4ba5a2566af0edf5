// distances between tokens: those of their columns in the batch, whichever layout feeds the model
import { describe, expect, it } from 'vitest'
import type { Feed } from '../../src/feeds/FeedLayout'
import { packed } from '../../src/feeds/packed'
import { declareColumns } from '../../src/feeds/padded'
import type { Geometry, GroupDistances, RelativeGeometry } from '../../src/feeds/TokenLayout'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Value } from '../../src/onnx/types'
import { type Batch, Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'
import { feedCases } from './feed.case'
import { geometry } from './geometry'
import { layouts } from './layouts'
import { tokenBatches } from './tokens.case'

const relativeTo = (blind: RelativeGeometry['blind']): Geometry => ({
  ...geometry,
  positions: 16,
  relative: { bucket: distance => 3 * distance, blind },
})
const blindnesses = [undefined, 'rows', 'tokens'] as const
const demands = { rows: 8, fewShapes: false }

describe.each(layouts)('%s', (_, layout) => {
  describe.each(blindnesses)('with blind %s', blind => {
    feedCases({
      layout: layout(relativeTo(blind), demands, 'real'),
      batches: tokenBatches,
      refused: { batch: { input_ids: Tensor.from('int32', [[3, 23]]) }, message: /token id 23 in row 100 of the/ },
      spaced: true,
    })

    it.each(Object.entries(tokenBatches))('knows how far tokens are from each other: %s', (_name, batch) => {
      const made = layout(relativeTo(blind), demands, 'real')
      const feed = made.feed(batch, String)
      const graph = new GraphBuilder('distances')
      const outputs = made
        .declare(graph, feed.variant)
        .attention.groups.flatMap(({ distances }, group) => written(graph, distances!, group))
      const found = evaluate(graph.build(Object.fromEntries(outputs)), feed.inputs)
      feed.places.groups.forEach((group, i) => {
        const suffix = feed.places.groups.length === 1 ? '' : `.${i}`
        const columns = columnsInAttention(feed, batch, suffix)
        const pairs = found[`pairs.${i}`]!
        expect(pairs.dims).toEqual([group.width, group.width])
        for (const row of columns) {
          row.forEach((query, at) => {
            if (query === undefined) return
            row.forEach((key, other) => {
              if (key !== undefined) expect(pairs.data[at * group.width + other]).toBe(3 * (query - key))
            })
          })
        }
        expect([...found[`first.${i}`]!.data]).toEqual(Array.from({ length: group.width }, (_key, key) => 0 - 3 * key))
      })
    })
  })
})

describe('an exported model', () => {
  it.each([1, 2, 7, 16])('knows the distances of rows of %i columns', length => {
    const graph = new GraphBuilder('columns')
    const { attention } = declareColumns(graph, relativeTo(undefined))
    const outputs = written(graph, attention.groups[0]!.distances!, 0)
    const ids = Tensor.zeros('int64', [2, length])
    const columns = { input_ids: ids, attention_mask: ids, token_type_ids: ids }
    const found = evaluate(graph.build(Object.fromEntries(outputs)), columns)
    const distances = Array.from({ length: length * length }, (_, i) => 3 * (Math.floor(i / length) - (i % length)))
    expect([...found['pairs.0']!.data]).toEqual(distances)
    expect([...found['first.0']!.data]).toEqual(Array.from({ length }, (_, key) => 0 - 3 * key))
  })
})

describe('what masked tokens see', () => {
  const hollow = tokenBatches['rows without real tokens']! // rows 0 and 3 are hollow, row 2 begins with a masked token
  const pack = (blind: RelativeGeometry['blind'], batch: Batch): Feed =>
    packed(relativeTo(blind), { groups: 1 }).feed(batch, String)

  it('is nothing for rows without real tokens, unless they are blind', () => {
    expect(pack(undefined, hollow)).toMatchObject({ variant: '1 hollow', lengths: { tokens: 3 + 3 + 6 + 1 + 1 } })
    const rows = pack('rows', hollow)
    expect(rows).toMatchObject({ variant: '1', lengths: { tokens: 3 + 3 + 6 + 6 + 6 } })
    expect(Object.keys(rows.inputs)).not.toContain('seen')
    const tokens = pack('tokens', hollow)
    expect(tokens).toMatchObject({ variant: '1 blind', lengths: { tokens: 3 + 6 + 6 + 6 + 6 } })
    expect(tokens.inputs.attention_bias!.dims).toEqual([5, 1, 6, 6])
    expect(Array.from(tokens.inputs.real_tokens!.data as Float32Array).filter(real => real === 0)).toHaveLength(
      6 + 6 + 4,
    )
    expect(pack('tokens', tokenBatches['rows of all lengths']!).variant).toBe('1')
  })

  it('is every column of the row, and no slot beyond', () => {
    const feed = packed(relativeTo('tokens'), { groups: 1, round: { tokens: 1, length: 8 } }).feed(hollow, String)
    const width = feed.lengths.length!
    expect(width).toBe(8)
    const bias = feed.inputs.attention_bias!.data as Float32Array
    const { order, lengths } = feed.places
    order.forEach((row, i) => {
      const real = [0, 1, 2, 3, 4, 5].map(column => Number(hollow.attention_mask!.data[row * 6 + column]) !== 0)
      const first = bias.slice(i * width * width, i * width * width + width)
      const lowered = [...first].map(value => (value === 0 ? 'seen' : value > -3.395e38 ? 'masked' : 'absent'))
      const expected = Array.from({ length: width }, (_, slot) =>
        slot >= lengths[i]! ? 'absent' : real[0] === true && real[slot] === true ? 'seen' : 'masked',
      )
      expect(lowered, `row ${row}`).toEqual(expected)
    })
  })
})

/** What a group's distances are, as outputs: for each pair, and from the first token. */
function written(graph: GraphBuilder, { all, first, toKeys }: GroupDistances, group: number): [string, Value][] {
  const values = graph.cast(all, 'float32')
  const ofQueries = graph.add(graph.unsqueeze(graph.cast(first, 'float32'), [1]), graph.unsqueeze(values, [0]))
  const sums = graph.sub(toKeys(ofQueries), graph.unsqueeze(graph.cast(first, 'float32'), [1]))
  return [
    [`pairs.${group}`, sums],
    [`first.${group}`, graph.cast(first, 'float32')],
  ]
}

/** The batch's column of what stands in each slot of a group's rows; undefined where nothing does. */
function columnsInAttention({ inputs, places }: Feed, batch: Batch, suffix: string): (number | undefined)[][] {
  const width = batch.input_ids!.dims[1]!
  const group = places.groups[suffix === '' ? 0 : Number(suffix.slice(1))]!
  const given = inputs[`to_heads${suffix}`]
  if (given === undefined) return Array.from(group.lengths, () => Array.from({ length: width }, (_, column) => column))
  const before = places.lengths.subarray(0, group.firstRow).reduce((sum, length) => sum + length, 0)
  const mask = inputs[`head_mask${suffix}`]!.data
  return Array.from(group.lengths, (_, row) =>
    Array.from({ length: group.width }, (_slot, at) => {
      const slot = row * geometry.heads * group.width + at
      if (mask[slot] === 0) return undefined
      return places.slots[before + Number(given.data[slot]) / geometry.heads]! % width
    }),
  )
}
