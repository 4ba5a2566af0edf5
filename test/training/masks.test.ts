import { afterAll, describe, expect, it } from 'vitest'
import { createFusedEngine, type FusedEngine } from '../../src/engine/fused/FusedEngine'
import type { Feed } from '../../src/feeds/FeedLayout'
import { packed, type Packing } from '../../src/feeds/packed'
import { numberRows, rowLengths, type RowNumbers } from '../../src/feeds/rowNumbers'
import type { DropoutSite } from '../../src/models/Model'
import { trainingProgram } from '../../src/programs/training'
import { type Batch, sizeOf } from '../../src/tensor'
import { MaskSource } from '../../src/training/MaskSource'
import { classes, randomBatch, rowsOf } from '../helpers/batches'
import { definitionOf } from '../helpers/oracleModels'
import { tinyConfig } from '../helpers/tinyModel'

const config = {
  ...tinyConfig,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 256,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.25,
  classifier_dropout: 0.5,
}

/** A batch as a model is fed with it, and where that drops values. */
function feedOf(batch: Batch, packing: Packing): { feed: Feed; sites: readonly DropoutSite[] } {
  const model = definitionOf(config, 'single_label_classification', geometry => packed(geometry, packing))
  const layout = model.layout({ rows: 1, fewShapes: false })
  const feed = layout.feed(batch, String)
  return { feed, sites: trainingProgram(model, layout, feed.variant, {}).dropout }
}

const { sites } = feedOf(randomBatch([3, 2], classes(0, 1)), { groups: 1 })

/** A feed of equally long rows in one group, without inputs. */
function feedWith(rows: number, length: number): Feed {
  const lengths = new Int32Array(rows).fill(length)
  return {
    variant: '1',
    inputs: {},
    places: {
      order: Int32Array.from({ length: rows }, (_, row) => row),
      lengths,
      slots: Int32Array.from({ length: rows * length }, (_, slot) => slot),
      groups: [{ firstRow: 0, lengths, width: length }],
    },
    lengths: { tokens: rows * length, batch: rows, length },
    size: { elements: rows * length, realTokens: rows * length },
  }
}

/** The numbers of a feed's rows, in an update of this feed alone. */
function numbersOf({ places }: Feed): RowNumbers {
  return numberRows(rowLengths(places))
}

const key = { seed: 42, step: 3 }
const fused = createFusedEngine({ threads: 2 })
afterAll(() => fused.dispose())

/** Draws masks, and copies them. */
async function draw(
  source: MaskSource,
  feed: Feed,
  numbers = numbersOf(feed),
  change: Partial<typeof key> = {},
): Promise<Record<string, { data: Float32Array; dims: readonly number[] }>> {
  const masks = await source.draw(feed, numbers, { ...key, ...change })
  return Object.fromEntries(
    Object.entries(masks).map(([name, { data, dims }]) => [name, { data: Float32Array.from(data as never), dims }]),
  )
}

async function withSource<T>(
  of: readonly DropoutSite[],
  use: (source: MaskSource) => Promise<T>,
  on: FusedEngine = fused,
): Promise<T> {
  const source = new MaskSource(of, on)
  try {
    return await use(source)
  } finally {
    source.dispose()
  }
}

describe('the masks that are drawn', () => {
  /** A million draws for sites of tokens and of rows, and for those of attention. */
  const manyRows = feedWith(16384, 1)
  const longRows = feedWith(16, 128)

  it('drop their share and keep the mean, and are uncorrelated between seeds, steps, rows of an update, sites and columns', async () => {
    await withSource(sites, async source => {
      /** A million places of each mask: 1 where something is dropped. */
      const drawn = async (
        feed: Feed,
        numbers = numbersOf(feed),
        change: Partial<typeof key> = {},
      ): Promise<Map<string, Uint8Array>> => {
        const masks = await draw(source, feed, numbers, change)
        return new Map(
          sites.map(({ input, probability }) => [input, droppedOf(masks[input]!.data, probability)] as const),
        )
      }
      const rows = await drawn(manyRows)
      const attention = await drawn(longRows)
      // [rows, heads, 1, 1] are few here; they come from the same kernel as the other sites whose padding needs no
      // zeros
      const million = sites.filter(({ shape }) => shape.length === 2 || shape[2] !== 1)
      const first = new Map(
        million.map(({ input, shape }) => [input, (shape.length === 4 ? attention : rows).get(input)!]),
      )
      for (const { input, probability, shape } of million) {
        const dropped = first.get(input)!
        expect(dropped.length).toBe(2 ** 20)
        const share = dropped.reduce((sum, v) => sum + v, 0) / dropped.length
        expect(Math.abs(share - probability), input).toBeLessThan(
          3 * Math.sqrt((probability * (1 - probability)) / dropped.length),
        )
        expect(Math.abs((1 - share) / (1 - probability) - 1), input).toBeLessThan(
          3 * Math.sqrt(probability / (1 - probability) / dropped.length),
        )
        // neighbours in a row, and in other rows
        for (const lag of shape.length === 4 ? [1, 128, 128 * 128, 4 * 128 * 128] : [1, 64, 64 * 7])
          expectIndependent(dropped.subarray(lag), dropped.subarray(0, -lag), `${input}, ${lag} further`)
      }
      const names = ['dropout.embeddings', 'dropout.layer.0.output', 'dropout.classifier']
      for (const change of [{ seed: 43 }, { step: 4 }]) {
        const others = await drawn(manyRows, numbersOf(manyRows), change)
        for (const name of names)
          expectIndependent(first.get(name)!, others.get(name)!, `${name} and ${JSON.stringify(change)}`)
      }
      // the same rows as the second micro-batch of an update
      const numbers = numbersOf(manyRows)
      const later = { rows: numbers.rows.map(row => row + 16384), tokens: numbers.tokens.map(token => token + 16384) }
      const others = await drawn(manyRows, later)
      for (const name of names) expectIndependent(first.get(name)!, others.get(name)!, `${name} of later rows`)
      const dense = million.filter(({ shape }) => shape.length === 2).map(({ input }) => input)
      dense.forEach((a, i) =>
        dense.slice(i + 1).forEach(b => expectIndependent(first.get(a)!, first.get(b)!, `${a} and ${b}`)),
      )
    })
  })

  it('pass nothing back through queries that are not tokens', async () => {
    const batch = randomBatch(
      [
        [0, 0, 1, 1],
        [1, 0, 1, 0],
        [1, 1, 1, 1],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
      ],
      classes(0, 0, 0, 0, 0),
    )
    const { feed, sites: grouped } = feedOf(batch, { groups: 2 })
    const masks = await withSource(grouped, source => draw(source, feed))
    for (const [group, { lengths, width }] of feed.places.groups.entries()) {
      const { data, dims } = masks[`dropout.layer.0.attention.${group}`]!
      expect(dims).toEqual([lengths.length, 4, width, width])
      data.forEach((value, i) => {
        const query = Math.floor(i / width) % width
        const row = Math.floor(i / width / width / 4)
        if (query >= lengths[row]!) expect(value).toBe(0)
      })
      expect(data.some(value => value !== 0)).toBe(true)
    }
  })

  it('are the same for the same key, whatever was drawn before', async () => {
    const small = feedWith(3, 9)
    const first = await withSource(sites, source => draw(source, small))
    const single = createFusedEngine({ threads: 1 })
    const second = await withSource(
      sites,
      async source => {
        await draw(source, longRows, numbersOf(longRows), { step: 0 })
        return draw(source, small)
      },
      single,
    )
    await single.dispose()
    expect(second).toEqual(first)
  })

  const batch = randomBatch([9, 2, 7, 3, 5], classes(0, 1, 0, 1, 1), { seed: 3 })
  const whole = feedOf(batch, { groups: 1 })
  const numbers = numbersOf(whole.feed)

  it('are the same for real tokens, whatever groups attention is computed in, and however shapes are rounded', async () => {
    const expected = await drawnByRow(whole, numbers)
    expect([...expected[0]!.keys()]).toContain('layer.0.attention')
    expect(await drawnByRow(feedOf(batch, { groups: 3 }), numbers)).toEqual(expected)
    expect(await drawnByRow(feedOf(batch, { groups: 1, round: { tokens: 64, length: 16 } }), numbers)).toEqual(expected)
  })

  it.each([
    ['two micro-batches', [0, 2, 5]],
    ['five micro-batches', [0, 1, 2, 3, 4, 5]],
  ])('belong to a row of the update, which may be divided into %s', async (_, bounds) => {
    const parts = bounds.slice(1).map(async (end, i) => {
      const start = bounds[i]!
      const own = { rows: numbers.rows.subarray(start, end), tokens: numbers.tokens.subarray(start, end) }
      return drawnByRow(feedOf(rowsOf(batch, start, end), { groups: 1 }), own)
    })
    expect((await Promise.all(parts)).flat()).toEqual(await drawnByRow(whole, numbers))
  })
})

/** For each row of a batch what is drawn for it, by the place in the model; of attention what is not padding. */
async function drawnByRow(
  { feed, sites: own }: ReturnType<typeof feedOf>,
  numbers: RowNumbers,
): Promise<Map<string, number[]>[]> {
  const masks = await withSource(own, source => draw(source, feed, numbers))
  const { order, lengths, groups } = feed.places
  const drawn = Array.from(order, () => new Map<string, number[]>())
  for (const { input, place, over } of own) {
    const { data, dims } = masks[input]!
    const size = sizeOf(dims.slice(1))
    if (typeof over === 'object') {
      const { firstRow, lengths: inGroup } = groups[over.group]!
      inGroup.forEach((length, i) => {
        const [, , queries, width] = dims as readonly [number, number, number, number]
        const isReal = (at: number): boolean => Math.max(at % width, Math.floor(at / width) % queries) < length
        const planes = data.subarray(i * size, (i + 1) * size)
        drawn[order[firstRow + i]!]!.set(
          place,
          [...planes].filter((_, at) => isReal(at)),
        )
      })
      continue
    }
    let at = 0
    order.forEach((row, i) => {
      const count = size * (over === 'rows' ? 1 : lengths[i]!)
      drawn[row]!.set(place, [...data.subarray(at, at + count)])
      at += count
    })
  }
  return drawn
}

/** Which of the first 2²⁰ places are dropped, the others being enlarged. */
function droppedOf(mask: Float32Array, probability: number): Uint8Array {
  const kept = Math.fround(1 / (1 - probability))
  const dropped = new Uint8Array(Math.min(mask.length, 2 ** 20))
  let strange = 0
  for (let i = 0; i < dropped.length; i++) {
    if (mask[i] === 0) dropped[i] = 1
    else if (mask[i] !== kept) strange++
  }
  expect(strange).toBe(0)
  return dropped
}

/** The correlation of what is dropped stays within 4 standard deviations of 0. */
function expectIndependent(a: Uint8Array, b: Uint8Array, what: string): void {
  const n = a.length
  let sumA = 0
  let sumB = 0
  let both = 0
  for (let i = 0; i < n; i++) {
    sumA += a[i]!
    sumB += b[i]!
    both += a[i]! & b[i]!
  }
  const p = sumA / n
  const q = sumB / n
  const correlation = (both / n - p * q) / Math.sqrt(p * (1 - p) * q * (1 - q))
  expect(Math.abs(correlation), what).toBeLessThan(4 / Math.sqrt(n))
}
