// what every layout of tokens promises: the numbers of a padded model, whatever the layout
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { modelFromFolder, type PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { createEngine, type Engine, type Program } from '../../src/engine/Engine'
import type { Feed } from '../../src/feeds/FeedLayout'
import { paddedLayout } from '../../src/feeds/padded'
import type { MakeTokenLayout } from '../../src/feeds/TokenLayout'
import type { ModelConfig } from '../../src/models/config'
import { labelCount } from '../../src/models/labels'
import type { DropoutSite, Model } from '../../src/models/Model'
import { encode } from '../../src/onnx/encode'
import { trainingProgram } from '../../src/programs/training'
import type { TrainingProgram } from '../../src/programs/TrainingProgram'
import { hash32 } from '../../src/random'
import { type Batch, Tensor } from '../../src/tensor'
import { classes, randomBatch } from '../helpers/batches'
import { type Computed, differing } from '../helpers/compute'
import { columnsOf, heldMask } from '../helpers/masks'
import { batchOf, fixtures, type OracleCase, readJson } from '../helpers/oracle'
import { evaluate } from '../helpers/referenceEngine'
import { definitionOf, familyNames, oracleModel } from '../helpers/oracleModels'

const labels = classes(2, 0, 1, 1, 0)

/** Batches of all kinds: lengths, padding on either side, holes. */
export const tokenBatches: Readonly<Record<string, Batch>> = {
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
  'rows without real tokens': randomBatch(
    [
      [0, 0, 0, 0, 0, 0],
      [1, 1, 1, 0, 0, 0],
      [0, 1, 0, 0, 0, 1],
      [0, 0, 0, 0, 0, 0],
      [1, 1, 1, 1, 1, 1],
    ],
    labels,
    { seed: 10 },
  ),
}

/** The fields of a family's config that say how often values are dropped. */
function dropoutFields(family: string): string[] {
  const bert = ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout']
  const others: Readonly<Record<string, string[]>> = {
    distilbert: ['dropout', 'attention_dropout', 'seq_classif_dropout'],
    mpnet: bert.slice(0, 2),
    'deberta-v2': [...bert.slice(0, 2), 'pooler_dropout', 'cls_dropout'],
    albert: ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout_prob'],
    modernbert: ['embedding_dropout', 'attention_dropout', 'mlp_dropout', 'classifier_dropout'],
  }
  return others[family] ?? bert
}

/** The cases of layouts of tokens: as those of PyTorch, and as the padded layout's. */
export function tokenCases(layout: MakeTokenLayout): void {
  it.each(familyNames)('%s computes what PyTorch computes with the same masks of dropout, in float64', async family => {
    const { program, inputs, masked } = await oracleMasks(family, layout)
    const found = evaluate(program.graph, inputs)
    const count = Number(found.count!.data[0])
    expect(Math.abs(Number(found.loss!.data[0]) / count - masked.loss)).toBeLessThan(5e-9)
    for (const [name, expected] of Object.entries(masked.gradients)) {
      const gradient = Float64Array.from(found[`${name}_grad`]!.data as Float64Array, v => v / count)
      expect(Math.sqrt(gradient.reduce((sum, v) => sum + v * v, 0)), name).toBeCloseTo(expected!.norm, 8)
      expected!.first.forEach((v, i) => expect(gradient[i], `${name}[${i}]`).toBeCloseTo(v, 8))
    }
  })

  describe.each(familyNames)('%s computes what the padded layout computes', family => {
    it.each([
      ['without dropout', {}],
      ['with dropout everywhere, the masks held', Object.fromEntries(dropoutFields(family).map(field => [field, 0.3]))],
    ])('%s', async (_, fields) => {
      const engine = await createEngine({ threads: 1 })
      try {
        const model = await oracleModel(family, fields)
        const expected = createRun(engine, model, paddedLayout)
        const given = createRun(engine, model, layout)
        for (const [name, batch] of Object.entries(tokenBatches)) {
          const padded = await expected(batch)
          const own = await given(batch)
          expect(own.count, name).toBe(padded.count)
          expect(Math.abs(own.loss - padded.loss), name).toBeLessThanOrEqual(1e-6 * Math.abs(padded.loss))
          expect(differing(own, padded), name).toEqual([])
        }
      } finally {
        engine.dispose()
      }
    })
  })
}

interface MaskedCase extends OracleCase {
  readonly masks: readonly { readonly p: number; readonly shape: number[]; readonly bits: string }[]
}

/** A family's tiny model with the masks that the oracle used. */
export async function oracleMasks(
  family: string,
  layout: MakeTokenLayout,
): Promise<{ program: TrainingProgram; inputs: Record<string, Tensor>; masked: MaskedCase; model: PreTrainedModel }> {
  const folder = `dropout-${family}`
  const config = readJson<ModelConfig>(folder, 'config.json')
  const masked = readJson<MaskedCase>(folder, 'dropout.json')
  const model = await modelFromFolder(join(fixtures, folder), config)
  const definition = definitionOf(config, 'single_label_classification', layout)
  const batch = batchOf(masked.inputs)
  const { feed, program } = prepare(definition, batch, new Map())
  // the groups of one attention share the oracle's mask
  const places = [...new Set(program.dropout.map(({ place }) => place))]
  expect(places).toHaveLength(masked.masks.length)
  const masks = program.dropout.map(site => {
    const { p, shape, bits } = masked.masks[places.indexOf(site.place)]!
    expect(site.probability).toBe(p)
    // heads that drop each row's first token have no columns
    const flat = (place: readonly number[]): number =>
      (shape.length === 2 ? [place[0]!, place[2]!] : place).reduce((sum, at, axis) => sum * shape[axis]! + at, 0)
    const at = (...place: number[]): number => Number(bits[flat(place)]) / (1 - p)
    return [site.input, heldMask(site, feed, columnsOf(feed, batch), at)] as const
  })
  const inputs = inputsOf(definition, model, batch, feed, program, Object.fromEntries(masks))
  return { program, inputs, masked, model }
}

/** The feed of a batch, and its program; programs are made once for a variant. */
function prepare(
  definition: Model,
  batch: Batch,
  programs: Map<string, TrainingProgram>,
): { feed: Feed; program: TrainingProgram } {
  const layout = definition.layout({ rows: 8, fewShapes: false })
  const feed = layout.feed(batch, String)
  const program = programs.get(feed.variant) ?? trainingProgram(definition, layout, feed.variant, {}, { rows: false })
  programs.set(feed.variant, program)
  return { feed, program }
}

function inputsOf(
  definition: Model,
  model: PreTrainedModel,
  batch: Batch,
  feed: Feed,
  { graph }: TrainingProgram,
  masks: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const given: Record<string, Tensor> = {
    ...Object.fromEntries(model.parameters),
    ...feed.inputs,
    ...masks,
    ...definition.head.feed(batch, feed.places, String)!.inputs,
  }
  return Object.fromEntries(graph.inputs.map(({ name }) => [name, given[name]!]))
}

/**
 * Runs a batch forward and backward through ONNX Runtime; dropout masks depend on the places in the padded batch alone.
 */
function createRun(
  engine: Engine,
  model: PreTrainedModel,
  layout: MakeTokenLayout,
): (batch: Batch) => Promise<Computed> {
  const definition = definitionOf(model.config, 'single_label_classification', layout)
  expect(definition.head.width).toBe(labelCount(model.config))
  const programs = new Map<string, TrainingProgram>()
  const loaded = new Map<string, Promise<Program>>()
  return async batch => {
    const { feed, program } = prepare(definition, batch, programs)
    if (!loaded.has(feed.variant)) loaded.set(feed.variant, engine.load(encode(program.graph).model))
    const masks = program.dropout.map(site => [site.input, hashedMask(site, feed, batch)] as const)
    const inputs = inputsOf(definition, model, batch, feed, program, Object.fromEntries(masks))
    const outputs = (await (await loaded.get(feed.variant)!).run(inputs)) as Record<string, Tensor>
    const gradients = model.definition.parameters.map(
      ({ name }) => [name, Float64Array.from(outputs[`${name}_grad`]!.data as Float32Array)] as const,
    )
    return {
      loss: Number(outputs.loss!.data[0]),
      count: Number(outputs.count!.data[0]),
      gradients: new Map(gradients),
    }
  }
}

function hashedMask(site: DropoutSite, feed: Feed, batch: Batch): Tensor<'float32'> {
  const name = Array.from(site.place, letter => letter.codePointAt(0)!)
  const held = heldMask(site, feed, columnsOf(feed, batch), (...place) =>
    hash32(...name, ...place) / 2 ** 32 < site.probability ? 0 : 1 / (1 - site.probability),
  )
  return new Tensor('float32', Float32Array.from(held.data), held.dims)
}
