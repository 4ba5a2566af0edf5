import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { modelFromConfig, type PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { createEngine, type EngineValues } from '../../src/engine/Engine'
import { createFusedEngine } from '../../src/engine/fused/FusedEngine'
import type { ModelConfig } from '../../src/models/config'
import { packed } from '../../src/feeds/packed'
import { numberRows, rowLengths } from '../../src/feeds/rowNumbers'
import type { Model } from '../../src/models/Model'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import type { Graph } from '../../src/onnx/types'
import type { LossFunction } from '../../src/losses/LossFunction'
import { trainingProgram } from '../../src/programs/training'
import type { TrainingProgram } from '../../src/programs/TrainingProgram'
import type { Batch } from '../../src/tensor'
import { MaskSource } from '../../src/training/MaskSource'
import { portableBreach } from '../autodiff/portable'
import { dropoutConfig, trainHere, twentySteps } from '../helpers/trainingProcess'
import { classes, randomBatch } from '../helpers/batches'
import { type Computed, compute } from '../helpers/compute'
import { readJson } from '../helpers/oracle'
import { definitionOf, type FamilyName } from '../helpers/oracleModels'
import { temporaryFolder } from '../helpers/temporaryFolder'

const layers = 4
/** A family's model of four layers with dropout everywhere. */
function modelOf(family: FamilyName, fields: Readonly<Record<string, unknown>> = {}): PreTrainedModel {
  const config = readJson<ModelConfig>(`dropout-${family}`, 'config.json')
  const dropout = { hidden_dropout_prob: 0.2, attention_probs_dropout_prob: 0.3, dropout: 0.2, attention_dropout: 0.3 }
  return modelFromConfig(
    { ...config, num_hidden_layers: layers, n_layers: layers, initializer_range: 0.4, ...dropout, ...fields },
    { seed: 5 },
  )
}

// nine rows are two groups of attention, the two of the second micro-batch one
const batches: readonly Batch[] = [
  randomBatch([7, 10, 3, 5, 1, 9, 4, 4, 2], classes(0, 1, 2, 0, 1, 2, 0, 1, 2)),
  randomBatch([6, 2], classes(1, 0), { seed: 3 }),
]
/** A family's definition whose attention is computed in so many groups. */
function definitionIn(family: FamilyName, groups: number): Model {
  return definitionOf(modelOf(family).config, 'single_label_classification', geometry => packed(geometry, { groups }))
}

function programOf(model: Model, checkpointing: boolean): TrainingProgram {
  const layout = model.layout({ rows: 1, fewShapes: false })
  return trainingProgram(model, layout, layout.usualVariant, {}, { checkpointing, onProcessor: true })
}

const half: LossFunction = ({ logits }, _labels, count, graph) =>
  graph.div(graph.mul(graph.sum(graph.mul(logits, logits)), 0.5), count)

/** Loss and gradients, each number as its bits. */
function bitsOf({ loss, gradients }: Computed): unknown {
  const bits = (values: Float64Array): string => Buffer.from(Float32Array.from(values).buffer).toString('base64')
  return { loss, gradients: Object.fromEntries([...gradients].map(([name, values]) => [name, bits(values)])) }
}

describe.each(['bert', 'roberta', 'distilbert', 'electra'] as const)('gradient checkpointing of %s', family => {
  it.each([
    ['its own loss', {}, {}],
    ['a custom loss', {}, { custom: half }],
    ['another activation', { hidden_act: 'relu', activation: 'relu' }, {}],
  ])('gives the same loss and gradients bit for bit, with %s', async (_, fields, objective) => {
    const [kept, again] = await Promise.all(
      [false, true].map(gradientCheckpointing =>
        compute(modelOf(family, fields), batches, { objective, gradientCheckpointing }),
      ),
    )
    expect(bitsOf(again!)).toEqual(bitsOf(kept!))
    expect(Math.max(...[...kept!.gradients.values()].flatMap(values => [...values.map(Math.abs)]))).toBeGreaterThan(0)
  })

  it.each([1, 3])(
    'keeps what enters a layer, and of the layers before the last nothing else, with %i groups',
    groups => {
      const model = definitionIn(family, groups)
      const kept = programOf(model, false).graph
      const again = programOf(model, true).graph
      check(again)
      const between = again.nodes.filter(({ name }) => /^backward\/again\/[A-Z]/.test(name))
      expect([between.filter(({ op }) => op === 'Sub').length, between.flatMap(portableBreach)]).toEqual([
        layers - 1,
        [],
      ])
      const read = keptOf(again)
      expect(read.filter(name => name.startsWith(`layer.${layers - 1}/`)).length).toBeGreaterThan(10)
      expect(read.filter(name => /^layer\.[012]\//.test(name)).map(name => name.replace(/_\d+:0$/, ''))).toEqual(
        [0, 1, 2].map(i => `layer.${i}/LayerNormalization`),
      )
      expect(keptOf(kept).filter(name => /^layer\.[012]\//.test(name)).length).toBeGreaterThan(30)
    },
  )
})

/** Floating-point values of the forward pass that the backward pass reads. */
function keptOf({ nodes }: Graph): string[] {
  const isBackward = ({ name }: { readonly name: string }): boolean => name.startsWith('backward/')
  const forward = new Set(
    nodes.filter(node => !isBackward(node)).flatMap(node => node.outputs.map(output => output?.name)),
  )
  const read = nodes
    .filter(isBackward)
    .flatMap(node =>
      node.inputs.flatMap(input => (input?.dtype === 'float32' && forward.has(input.name) ? [input.name] : [])),
    )
  return [...new Set(read)].toSorted()
}

it('computes a layer again when the gradients of the weights after it are done', async () => {
  const ran = await executionOrder('bert')
  const at = (test: (name: string) => boolean): number[] => ran.flatMap((name, i) => (test(name) ? [i] : []))
  for (let layer = layers - 2; layer >= 0; layer--) {
    const again = at(name => name.startsWith(`backward/again/layer.${layer}/`))
    const after = at(name => name.startsWith(`backward/layer.${layer + 1}/`))
    const own = at(name => name.startsWith(`backward/layer.${layer}/`))
    expect(again.length).toBeGreaterThan(20)
    const products = after.filter(i => /\/Gemm_\d+$/.test(ran[i]!))
    expect(Math.max(...products), `layer ${layer}`).toBeLessThan(again.find(i => /Gemm_\d+$/.test(ran[i]!))!)
    expect(again.at(-1)).toBeLessThan(own.at(-1)!)
  }
})

/** The names of a step's nodes as ONNX Runtime runs them. */
async function executionOrder(family: FamilyName): Promise<string[]> {
  const engine = await createEngine({ threads: 1 })
  const fused = createFusedEngine({ threads: 1 })
  const model = definitionIn(family, 1)
  const { graph, dropout } = programOf(model, true)
  const program = await engine.load(encode(graph).model, { profile: join(temporaryFolder(), 'step') })
  const masks = new MaskSource(dropout, fused)
  try {
    const feed = model.layout({ rows: 1, fewShapes: false }).feed(batches[0]!, String)
    const given: EngineValues = {
      ...Object.fromEntries(modelOf(family).parameters),
      ...feed.inputs,
      ...(await masks.draw(feed, numberRows(rowLengths(feed.places)), { seed: 1, step: 0 })),
      ...model.head.feed(batches[0]!, feed.places, String)!.inputs,
    }
    await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!])))
    const events = JSON.parse(readFileSync(program.endProfiling()!, 'utf8')) as {
      cat?: string
      name: string
      ts: number
    }[]
    const kernels = events
      .filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
      .toSorted((a, b) => a.ts - b.ts)
    return kernels.map(({ name }) => name.slice(0, -'_kernel_time'.length))
  } finally {
    masks.dispose()
    program.dispose()
    engine.dispose()
    await fused.dispose()
  }
}

it('makes the same run, in accumulated micro-batches, and resumes where one without it was stopped', async () => {
  const config = { ...dropoutConfig, num_hidden_layers: 3 }
  const run = (outputDir: string, gradientCheckpointing: boolean, resume?: string): ReturnType<typeof trainHere> =>
    trainHere({
      outputDir,
      config,
      args: { ...twentySteps, saveSteps: 10, gradientCheckpointing },
      ...(resume !== undefined && { resume }),
    })
  const plain = temporaryFolder()
  const own = temporaryFolder()
  const report = await run(plain, false)
  expect(await run(own, true)).toEqual(report)
  for (const from of [plain, own])
    expect((await run(temporaryFolder(), true, join(from, 'checkpoint-10'))).weights).toBe(report.weights)
})
