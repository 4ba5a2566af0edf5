import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { modelFromFolder, type PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { createFusedEngine } from '../../src/engine/fused/FusedEngine'
import { packedClassifier } from '../../src/models/classifier'
import type { ModelConfig } from '../../src/models/config'
import type { DropoutSite } from '../../src/models/layers'
import { packBatch, type PackedBatch } from '../../src/models/packing'
import { GraphBuilder } from '../../src/onnx/builder'
import { MersenneTwister } from '../../src/random'
import { sizeOf, Tensor } from '../../src/tensor'
import { createEvaluationGraph, createTrainingGraph, type TrainingGraph } from '../../src/TrainingGraph'
import { MaskSource } from '../../src/training/MaskSource'
import { evaluate } from '../helpers/referenceEngine'
import {
  batchOf,
  classes,
  columnsOf,
  familyNames,
  fixtures,
  heldMask,
  labelsOf,
  type OracleCase,
  randomBatch,
  readJson,
} from './support'

interface Asked {
  readonly p: number
  readonly shape: number[]
}

interface SiteOracle {
  readonly families: Record<string, { sizes: ModelConfig; alone: Record<string, Asked[]>; defaults: Asked[] }>
}

interface MaskedCase extends OracleCase {
  readonly masks: (Asked & { readonly bits: string })[]
}

const oracle = readJson<SiteOracle>('sites.json')

describe.each(familyNames)('the dropout of %s', family => {
  const { sizes, alone, defaults } = oracle.families[family]!
  const none = Object.fromEntries(Object.keys(alone).map(key => [key, 0]))
  const sitesOf = (fields: Record<string, unknown>): readonly DropoutSite[] =>
    packedClassifier('sites', { ...sizes, ...fields, model_type: family }, true).sites

  // PyTorch's modules were asked with a batch of 2 rows, padded to 4 columns
  const fits = ({ shape }: DropoutSite, asked: Asked): boolean => {
    const [rank, last] = [asked.shape.length, asked.shape.at(-1)!]
    if (rank === 4)
      return shape.length === 4 && shape[0] === 'batch' && shape[1] === asked.shape[1] && shape[3] === 'length'
    return (
      shape.length === 2 &&
      shape[1] === last &&
      (rank === 2 ? shape[0] === 'batch' : ['tokens', 'batch'].includes(String(shape[0])))
    )
  }
  const check = (sites: readonly DropoutSite[], asked: readonly Asked[]): void => {
    expect(sites.map(site => site.probability)).toEqual(asked.map(({ p }) => p))
    sites.forEach((site, i) =>
      expect(fits(site, asked[i]!), `${site.name} [${site.shape.join()}] for [${asked[i]!.shape.join()}]`).toBe(true),
    )
    expect(new Set(sites.map(site => site.name)).size).toBe(sites.length)
  }

  it.each(Object.keys(alone))("drops where Hugging Face's modules do for %s alone", key => {
    expect(alone[key]!.length).toBeGreaterThan(0)
    check(sitesOf({ ...none, [key]: 0.3 }), alone[key]!)
  })

  it("drops with Hugging Face's probabilities where the config names none", () => {
    check(sitesOf({}), defaults)
  })

  it('drops nothing at probability 0, nor in evaluation', () => {
    expect(sitesOf(none)).toEqual([])
    const config: ModelConfig = {
      ...sizes,
      model_type: family,
      ...Object.fromEntries(Object.keys(alone).map(key => [key, 0.5])),
    }
    const [graph, without] = [config, { ...config, ...none }].map(fields =>
      createEvaluationGraph(fields, { problemType: 'single_label_classification' }),
    )
    expect(graph!.inputs.map(({ name }) => name).filter(name => name.startsWith('dropout'))).toEqual([])
    expect(graph!.nodes).toEqual(without!.nodes)
  })

  it('is where PyTorch has it: with the same masks the loss and all gradients are equal in float64', async () => {
    const { graph, feeds, masked } = await heldMasks(family)
    const found = evaluate(graph.training, feeds)
    const count = Number(found.count!.data[0])
    expect(Math.abs(Number(found.loss!.data[0]) / count - masked.loss)).toBeLessThan(5e-9)
    for (const [name, expected] of Object.entries(masked.gradients)) {
      const gradient = Float64Array.from(found[`${name}_grad`]!.data as Float64Array, v => v / count)
      expect(Math.sqrt(gradient.reduce((sum, v) => sum + v * v, 0)), name).toBeCloseTo(expected!.norm, 8)
      expected!.first.forEach((v, i) => expect(gradient[i], `${name}[${i}]`).toBeCloseTo(v, 8))
    }
  })

  it('lets the gradients of the whole model agree with finite differences, the masks held', async () => {
    const { graph, feeds, model } = await heldMasks(family)
    const found = evaluate(graph.training, feeds)
    const builder = GraphBuilder.from(graph.training)
    const forward = builder.build({ loss: graph.training.outputs.find(({ name }) => name === 'loss')! })
    const random = new MersenneTwister(5)
    const needed = new Set(forward.inputs.map(({ name }) => name))
    const own = Object.fromEntries(Object.entries(feeds).filter(([name]) => needed.has(name)))
    for (const { name, shape } of model.shapes) {
      const direction = Float64Array.from({ length: sizeOf(shape) }, () => random.uniform() - 0.5)
      const at = (h: number): number => {
        const moved = Float64Array.from(feeds[name]!.data as Float32Array, (v, i) => v + h * direction[i]!)
        return Number(evaluate(forward, { ...own, [name]: new Tensor('float64', moved, shape) }).loss!.data[0])
      }
      const numeric = (4 * quotient(at, 1e-4) - quotient(at, 2e-4)) / 3
      const analytic = direction.reduce((sum, v, i) => sum + v * Number(found[`${name}_grad`]!.data[i]), 0)
      expect(Math.abs(analytic - numeric), `${name}: ${analytic} for ${numeric}`).toBeLessThan(
        1e-7 * (1 + Math.abs(numeric)),
      )
    }
  })
})

function quotient(at: (h: number) => number, h: number): number {
  return (at(h) - at(-h)) / (2 * h)
}

/** A family's tiny model with the masks that the oracle used. */
async function heldMasks(
  family: string,
): Promise<{ graph: TrainingGraph; feeds: Record<string, Tensor>; masked: MaskedCase; model: PreTrainedModel }> {
  const folder = `dropout-${family}`
  const config = readJson<ModelConfig>(folder, 'config.json')
  const masked = readJson<MaskedCase>(folder, 'dropout.json')
  const model = await modelFromFolder(join(fixtures, folder), config)
  const graph = createTrainingGraph(config, { problemType: 'single_label_classification' }, true)
  const batch = batchOf(masked.inputs)
  const packed = packBatch(batch, model.family.packing(config))
  expect(graph.dropoutSites).toHaveLength(masked.masks.length)
  const masks = Object.fromEntries(
    graph.dropoutSites.map((site, i) => {
      const { p, shape, bits } = masked.masks[i]!
      expect(site.probability).toBe(p)
      // heads that drop each row's first token have no columns
      const flat = (place: readonly number[]): number =>
        (shape.length === 2 ? [place[0]!, place[2]!] : place).reduce((sum, at, axis) => sum * shape[axis]! + at, 0)
      return [site.name, heldMask(site, packed, columnsOf(batch), (...place) => Number(bits[flat(place)]) / (1 - p))]
    }),
  )
  const given: Record<string, Tensor> = {
    ...Object.fromEntries(model.parameters),
    ...packed.feeds,
    ...masks,
    labels: labelsOf(batch, packed),
  }
  const names = new Set(graph.training.inputs.map(({ name }) => name))
  return { graph, masked, model, feeds: Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name))) }
}

describe('the masks that are drawn', () => {
  const config: ModelConfig = {
    model_type: 'bert',
    vocab_size: 30,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 64,
    max_position_embeddings: 256,
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.25,
    classifier_dropout: 0.5,
  }
  const { sites } = packedClassifier('masks', config, true)
  const batchWith = (rows: number, length: number): PackedBatch => ({
    feeds: {},
    order: new Int32Array(rows),
    tokens: rows * length,
    realTokens: rows * length,
    groups: [{ lengths: new Int32Array(rows).fill(length), firstRow: 0, width: length, tokens: rows * length }],
  })
  /** A million draws for sites of tokens and of rows, and for those of attention. */
  const [manyRows, longRows] = [batchWith(16384, 1), batchWith(16, 128)]

  it('drop their share and keep the mean, and are uncorrelated between seeds, steps, micro-batches, sites, rows and columns', async () => {
    const fused = createFusedEngine({ threads: 2 })
    const source = new MaskSource(sites, fused)
    try {
      const key = { seed: 42, step: 3, microBatch: 0 }
      /** A million places of each mask: 1 where something is dropped. */
      const draw = async (batch: PackedBatch, change: Partial<typeof key> = {}): Promise<Map<string, Uint8Array>> => {
        const masks = await source.draw(batch, { ...key, ...change })
        return new Map(
          sites.map(({ name, probability }) => [name, droppedOf(masks[name]!.data as Float32Array, probability)]),
        )
      }
      const [rows, attention] = [await draw(manyRows), await draw(longRows)]
      // [rows, heads, 1, 1] are few here; they come from the same kernel as the other sites whose padding needs no
      // zeros
      const million = sites.filter(({ shape }) => shape.length === 2 || shape[2] !== 1)
      const first = new Map(
        million.map(({ name, shape }) => [name, (shape.length === 4 ? attention : rows).get(name)!]),
      )
      for (const { name, probability, shape } of million) {
        const dropped = first.get(name)!
        expect(dropped.length).toBe(2 ** 20)
        const share = dropped.reduce((sum, v) => sum + v, 0) / dropped.length
        expect(Math.abs(share - probability), name).toBeLessThan(
          3 * Math.sqrt((probability * (1 - probability)) / dropped.length),
        )
        expect(Math.abs((1 - share) / (1 - probability) - 1), name).toBeLessThan(
          3 * Math.sqrt(probability / (1 - probability) / dropped.length),
        )
        // neighbours in a row, and in other rows
        for (const lag of shape.length === 4 ? [1, 128, 128 * 128, 4 * 128 * 128] : [1, 64, 64 * 7])
          expectIndependent(dropped.subarray(lag), dropped.subarray(0, -lag), `${name}, ${lag} further`)
      }
      for (const change of [{ seed: 43 }, { step: 4 }, { microBatch: 1 }]) {
        const others = await draw(manyRows, change)
        for (const name of ['dropout.embeddings', 'dropout.layer.0.output', 'dropout.classifier'])
          expectIndependent(first.get(name)!, others.get(name)!, `${name} and ${JSON.stringify(change)}`)
      }
      const dense = million.filter(({ shape }) => shape.length === 2).map(({ name }) => name)
      dense.forEach((a, i) =>
        dense.slice(i + 1).forEach(b => expectIndependent(first.get(a)!, first.get(b)!, `${a} and ${b}`)),
      )
    } finally {
      source.dispose()
      await fused.dispose()
    }
  })

  it('pass nothing back through queries that are no tokens', async () => {
    const fused = createFusedEngine({ threads: 1 })
    const grouped = packedClassifier('groups', config, true, 2).sites
    const source = new MaskSource(grouped, fused)
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
    const packed = packBatch(
      batch,
      { heads: 4, vocabularySize: 23, positions: 8, firstPosition: 0, positionPadding: undefined, segments: 0 },
      { groups: 2 },
    )
    const masks = await source.draw(packed, { seed: 1, step: 0, microBatch: 0 })
    for (const [group, { lengths, width }] of packed.groups.entries()) {
      const { data, dims } = masks[`dropout.layer.0.${group}.attention`]!
      expect(dims).toEqual([lengths.length, 4, width, width])
      data.forEach((value, i) => {
        const [query, row] = [Math.floor(i / width) % width, Math.floor(i / width / width / 4)]
        if (query >= lengths[row]!) expect(value).toBe(0)
      })
      expect(data.some(value => value !== 0)).toBe(true)
    }
    source.dispose()
    await fused.dispose()
  })

  it('are the same for the same key, whatever was drawn before', async () => {
    const draws = await Promise.all(
      [1, 2].map(async threads => {
        const fused = createFusedEngine({ threads })
        const source = new MaskSource(sites, fused)
        if (threads === 2) await source.draw(longRows, { seed: 1, step: 0, microBatch: 0 })
        const masks = await source.draw(batchWith(3, 9), { seed: 1, step: 5, microBatch: 2 })
        const copied = Object.fromEntries(
          Object.entries(masks).map(([name, { data, dims }]) => [name, { dims, data: [...(data as Float32Array)] }]),
        )
        source.dispose()
        await fused.dispose()
        return copied
      }),
    )
    expect(draws[0]).toEqual(draws[1])
  })

  it('are the same for real tokens, whatever groups attention is computed in, and however shapes are rounded', async () => {
    const batch = randomBatch([9, 2, 7, 3, 5], classes(0, 1, 0, 1, 1), { seed: 3 })
    const rules = {
      heads: 4,
      vocabularySize: 30,
      positions: 256,
      firstPosition: 0,
      positionPadding: undefined,
      segments: 2,
    }
    const fused = createFusedEngine({ threads: 2 })
    try {
      const draw = async (
        groups: number,
        round?: { tokens: number; length: number },
      ): Promise<Record<string, number[]>> => {
        const packed = packBatch(batch, rules, { groups, round })
        const source = new MaskSource(packedClassifier('masks', config, true, groups).sites, fused)
        const drawn = await source.draw(packed, { seed: 1, step: 5, microBatch: 0 })
        const real: Record<string, number[]> = {}
        for (const [name, { data, dims }] of Object.entries(drawn)) {
          const place = groups > 1 && dims.length === 4 ? name.replace(/\.\d+(\.attention)$/, '$1') : name
          const group =
            packed.groups[groups > 1 && dims.length === 4 ? Number(/\.(\d+)\.attention$/.exec(name)![1]) : 0]!
          const [, heads = 1, queries = 1, width = 1] = dims
          const kept =
            dims.length === 4
              ? [...data].filter(
                  (_, i) =>
                    Math.max(i % width, Math.floor(i / width) % queries) <
                    group.lengths[Math.floor(i / width / queries / heads)]!,
                )
              : [...data.subarray(0, (name.includes('classifier') ? 5 : packed.realTokens) * dims[1]!)]
          ;(real[place] ??= []).push(...(kept as number[]))
        }
        source.dispose()
        return real
      }
      const expected = await draw(1)
      expect(Object.keys(expected)).toContain('dropout.layer.0.attention')
      expect(await draw(3)).toEqual(expected)
      expect(await draw(1, { tokens: 64, length: 16 })).toEqual(expected)
    } finally {
      await fused.dispose()
    }
  })
})

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
  let [sumA, sumB, both] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    sumA += a[i]!
    sumB += b[i]!
    both += a[i]! & b[i]!
  }
  const [p, q] = [sumA / n, sumB / n]
  const correlation = (both / n - p * q) / Math.sqrt(p * (1 - p) * q * (1 - q))
  expect(Math.abs(correlation), what).toBeLessThan(4 / Math.sqrt(n))
}
