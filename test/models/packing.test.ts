import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { createEngine, type Engine, type Program } from '../../src/engine/Engine'
import { type Batch, groupEnds, packBatch, type PackingOptions } from '../../src/models/packing'
import { encode } from '../../src/onnx/encode'
import { hash32, MersenneTwister } from '../../src/random'
import { Tensor } from '../../src/tensor'
import { createTrainingGraph, type TrainingGraph } from '../../src/TrainingGraph'
import {
  classes,
  columnsOf,
  type Computed,
  differing,
  familyNames,
  heldMask,
  labelsOf,
  randomBatch,
  tinyModel,
} from './support'

const labels = classes(2, 0, 1, 1, 0)
const batches = {
  'rows of all lengths': randomBatch([10, 3, 1, 7, 4], labels, { seed: 3 }),
  'rows padded beyond the longest': randomBatch([2, 5, 1, 3, 5], labels, { seed: 4, width: 10 }),
  'one row alone': randomBatch([6], classes(1), { seed: 5, width: 9 }),
  'single tokens': randomBatch([1, 1, 1], classes(2, 1, 0), { seed: 8 }),
  'a single token': randomBatch([1], classes(1), { seed: 9 }),
  'padding on the left': randomBatch(
    [
      [0, 0, 1, 1, 1, 1],
      [1, 1, 1, 1, 1, 1],
      [0, 0, 0, 0, 0, 1],
      [0, 1, 1, 1, 1, 1],
      [0, 0, 0, 1, 1, 1],
    ],
    labels,
    { seed: 6 },
  ),
  'masks with holes': randomBatch(
    [
      [1, 0, 1, 1, 0, 1],
      [1, 1, 1, 0, 0, 0],
      [1, 0, 0, 0, 0, 1],
      [1, 1, 1, 1, 1, 1],
      [1, 0, 0, 0, 0, 0],
    ],
    labels,
    { seed: 7 },
  ),
}

describe.each(familyNames)('the unpadded program of %s computes what the padded one does', family => {
  const keys =
    family === 'distilbert'
      ? ['dropout', 'attention_dropout', 'seq_classif_dropout']
      : ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout']

  it.each([
    ['without dropout', {}],
    ['with dropout everywhere, the masks held', Object.fromEntries(keys.map(key => [key, 0.3]))],
  ])('%s', async (_, fields) => {
    const engine = await createEngine({ threads: 1 })
    try {
      const model = await tinyModel(family, fields)
      const run = createRun(engine, model)
      for (const [name, batch] of Object.entries(batches)) {
        const expected = await run(batch, 1, true)
        const ways = [1, 2, 3].filter(n => n <= batch.input_ids!.dims[0]!).map(groups => ({ groups, round: undefined }))
        for (const { groups, round } of [
          ...ways,
          { groups: 1, round: { tokens: 8, length: 5 } },
          { groups: 1, round: { tokens: 64, length: 1 } },
        ]) {
          const given = await run(batch, groups, false, round)
          const way = `${name}, ${groups} groups${round === undefined ? '' : `, ${round.tokens} tokens`}`
          expect(given.count, name).toBe(expected.count)
          expect(Math.abs(given.loss - expected.loss), way).toBeLessThanOrEqual(1e-6 * Math.abs(expected.loss))
          expect(differing(given, expected), way).toEqual([])
        }
      }
    } finally {
      engine.dispose()
    }
  })
})

/**
 * Runs a batch forward and backward, in groups or padded; dropout masks depend on the places in the padded batch alone.
 */
function createRun(
  engine: Engine,
  model: PreTrainedModel,
): (batch: Batch, groups: number, padded: boolean, round?: PackingOptions['round']) => Promise<Computed> {
  const programs = new Map<number, { graph: TrainingGraph; program: Promise<Program> }>()
  return async (batch, groups, padded, round) => {
    if (!programs.has(groups)) {
      const graph = createTrainingGraph(model.config, { problemType: 'single_label_classification' }, false, groups)
      programs.set(groups, { graph, program: engine.load(encode(graph.training).model) })
    }
    const { graph, program } = programs.get(groups)!
    const packed = packBatch(batch, model.family.packing(model.config), { groups, padded, round })
    const masks = Object.fromEntries(
      graph.dropoutSites.map(site => {
        const name = Array.from(site.name.replace(/(layer\.\d+)\.\d+(\.attention)$/, '$1$2'), letter =>
          letter.codePointAt(0)!,
        )
        const held = heldMask(site, packed, columnsOf(batch, padded), (...place) =>
          hash32(...name, ...place) / 2 ** 32 < site.probability ? 0 : 1 / (1 - site.probability),
        )
        return [site.name, new Tensor('float32', Float32Array.from(held.data), held.dims)]
      }),
    )
    const loaded = await program
    const given: Record<string, Tensor> = {
      ...Object.fromEntries(model.parameters),
      ...packed.feeds,
      ...masks,
      labels: labelsOf(batch, packed),
    }
    const outputs = (await loaded.run(
      Object.fromEntries(loaded.inputs.map(({ name }) => [name, given[name]!])),
    )) as Record<string, Tensor>
    const gradients = new Map(
      graph.parameters.map(({ name }) => [name, Float64Array.from(outputs[`${name}_grad`]!.data as Float32Array)]),
    )
    return { loss: Number(outputs.loss!.data[0]), count: Number(outputs.count!.data[0]), gradients }
  }
}

interface Event {
  readonly cat: string
  readonly name: string
  readonly args: { readonly op_name?: string; readonly input_type_shape?: readonly Record<string, number[]>[] }
}

describe('rounding', () => {
  it('adds tokens behind the real ones that read an empty slot, in one group', async () => {
    const model = await tinyModel('bert')
    const batch = batches['rows of all lengths'] // 25 tokens, 10 at most
    const packed = packBatch(batch, model.family.packing(model.config), { groups: 3, round: { tokens: 16, length: 8 } })
    expect(packed).toMatchObject({ tokens: 32, realTokens: 25, groups: [{ width: 16 }] })
    expect(packed.feeds.token_ids!.dims).toEqual([32])
    const empty = packed.feeds.head_mask!.data
    const read = packed.feeds.from_heads!.data as Int32Array
    expect(Array.from(read.subarray(25 * 2), slot => empty[slot])).toEqual(Array.from({ length: 7 * 2 }, () => 0))
    // rows that are as long as the rounded length leave no slot empty: one more length makes some
    const full = packBatch(randomBatch([4, 4], classes(0, 1), { seed: 1 }), model.family.packing(model.config), {
      round: { tokens: 16, length: 4 },
    })
    expect(full).toMatchObject({ tokens: 16, realTokens: 8, groups: [{ width: 8 }] })
    // and none is needed where no token is added
    const even = packBatch(
      randomBatch([4, 4, 4, 4], classes(0, 1, 0, 1), { seed: 1 }),
      model.family.packing(model.config),
      { round: { tokens: 16, length: 4 } },
    )
    expect(even).toMatchObject({ tokens: 16, realTokens: 16, groups: [{ width: 4 }] })
  })
})

describe('groupEnds', () => {
  it('splits sorted rows so that attention costs the least', () => {
    const cost = (lengths: readonly number[], ends: readonly number[]): number =>
      ends.reduce((sum, end, i) => sum + (end - (ends[i - 1] ?? 0)) * lengths[ends[i - 1] ?? 0]! ** 2, 0)
    const random = new MersenneTwister(1)
    for (let trial = 0; trial < 50; trial++) {
      const lengths = Array.from({ length: 4 + (random.next32() % 5) }, () => 1 + (random.next32() % 12)).toSorted(
        (a, b) => b - a,
      )
      const rows = lengths.length
      let best = Infinity
      for (let first = 1; first < rows - 1; first++)
        for (let second = first + 1; second < rows; second++)
          best = Math.min(best, cost(lengths, [first, second, rows]))
      const ends = groupEnds(lengths, 3)
      expect(ends).toHaveLength(3)
      expect(ends.at(-1)).toBe(rows)
      expect(cost(lengths, ends), lengths.join()).toBe(best)
    }
    expect(groupEnds([5, 4, 3], 1)).toEqual([3])
    expect(groupEnds([5, 4, 3], 3)).toEqual([1, 2, 3])
  })
})

describe.each(familyNames)('a step of %s', family => {
  it('multiplies weights with real tokens only, and in the last layer with first tokens only', async () => {
    const [tokens, slots, rows] = [25, 50, 5]
    const batch = batches['rows of all lengths']
    const model = await tinyModel(family)
    const products = await profiledProducts(model, batch)
    const widths = new Set([23, ...model.shapes.flatMap(({ shape }) => shape)])
    expect([tokens, slots, rows].filter(n => widths.has(n))).toEqual([])
    const lengthsMet = products.map(shapes => shapes.flat().filter(d => !widths.has(d)))
    expect(Math.max(...lengthsMet.flat())).toBe(tokens) // the sum of the mask; padded it would be 50
    // per layer: query, key, value, attention output and two of the feed-forward, each forward and backward twice
    const [onTokens, onRows] = [tokens, rows].map(
      count => lengthsMet.filter(met => met.length > 0 && met.every(d => d === count)).length,
    )
    const projection = family === 'electra' ? 3 : 0
    // the gradients of small tables of embeddings: one each
    const tables = model.shapes.filter(
      ({ name, shape }) => /(word|position|token_type)_embeddings/.test(name) && shape[0]! > 1,
    ).length
    // layer 0: six; layer 1: keys and values of all tokens, the other four of the first ones; the head: two
    expect({ onTokens, onRows }).toEqual({ onTokens: 3 * (6 + 2) + projection + tables, onRows: 3 * (4 + 2) })
    expect(products).toHaveLength(3 * (6 + 2 + 4 + 2) + projection + tables)
  })
})

/** The shapes of both factors of every product of matrices in a step, as ONNX Runtime's profile has them. */
async function profiledProducts(model: PreTrainedModel, batch: Batch): Promise<number[][][]> {
  const folder = mkdtempSync(join(tmpdir(), 'profile-'))
  const engine = await createEngine({ threads: 1 })
  try {
    const graph = createTrainingGraph(model.config, { problemType: 'single_label_classification' }, true, 2)
    const program = await engine.load(encode(graph.training).model, { profile: join(folder, 'step') })
    const packed = packBatch(batch, model.family.packing(model.config), { groups: 2 })
    const given: Record<string, Tensor> = {
      ...Object.fromEntries(model.parameters),
      ...packed.feeds,
      labels: labelsOf(batch, packed),
    }
    await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!])))
    const events = JSON.parse(readFileSync(program.endProfiling()!, 'utf8')) as Event[]
    return (
      events
        .filter(
          ({ cat, name, args }) =>
            cat === 'Node' && name.endsWith('_kernel_time') && /Gemm|MatMul/.test(args.op_name ?? ''),
        )
        .map(({ args }) => args.input_type_shape!.slice(0, 2).map(typed => Object.values(typed)[0]!))
        // sums over an axis are products with a row or a column of ones
        .filter(shapes => shapes.every(shape => shape.length === 2 && !shape.includes(1)))
    )
  } finally {
    engine.dispose()
    rmSync(folder, { recursive: true })
  }
}
