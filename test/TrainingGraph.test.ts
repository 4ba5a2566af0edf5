import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelFromConfig, type PreTrainedModel } from '../src/auto/PreTrainedModel'
import { createEngine, type Engine } from '../src/engine/Engine'
import { createFusedEngine, type FusedEngine } from '../src/engine/fused/FusedEngine'
import type { ModelConfig } from '../src/models/config'
import { type Batch, packBatch } from '../src/models/packing'
import { check } from '../src/onnx/check'
import { encode } from '../src/onnx/encode'
import { adafactor } from '../src/optim/adafactor'
import { adagrad } from '../src/optim/adagrad'
import { adamw } from '../src/optim/adamw'
import { lion } from '../src/optim/lion'
import type { Optimizer } from '../src/optim/Optimizer'
import { rmsprop } from '../src/optim/rmsprop'
import { sgd } from '../src/optim/sgd'
import { Tensor } from '../src/tensor'
import { createEvaluationGraph, createPredictionGraph, createTrainingGraph, updateGraph } from '../src/TrainingGraph'
import type { ParameterState } from '../src/training/ParameterState'
import { createSharedState } from '../src/training/sharedState'
import { classes, labelsOf, randomBatch } from './models/support'

const config: ModelConfig = {
  model_type: 'bert',
  vocab_size: 5000,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 12,
  initializer_range: 0.3,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
}
const table = 'bert.embeddings.word_embeddings.weight'

let engine: Engine
let fused: FusedEngine
beforeAll(async () => {
  engine = await createEngine({ threads: 1 })
  fused = createFusedEngine({ threads: 2 })
})
afterAll(async () => {
  engine.dispose()
  await fused.dispose()
})

describe('createTrainingGraph', () => {
  it('gives a gradient for every parameter, the table of words as rows where it is large', () => {
    const { training, parameters, rowGradients } = createTrainingGraph(
      config,
      { problemType: 'single_label_classification' },
      true,
    )
    check(training)
    const dense = parameters.map(({ name }) => name).filter(name => name !== table)
    expect(rowGradients).toEqual([table])
    expect(training.outputs.map(({ name }) => name).toSorted()).toEqual(
      ['loss', 'count', `${table}_rows`, `${table}_index`, ...dense.map(name => `${name}_grad`)].toSorted(),
    )
    for (const { name, shape } of parameters.filter(parameter => parameter.name !== table))
      expect(training.outputs.find(output => output.name === `${name}_grad`)!.shape).toEqual(shape)
    expect(
      createTrainingGraph({ ...config, vocab_size: 127 }, { problemType: 'single_label_classification' }, true)
        .rowGradients,
    ).toEqual([])
    expect(createTrainingGraph(config, { problemType: 'single_label_classification' }, false).rowGradients).toEqual([])
  })

  it('has parameters as inputs, never as constants', () => {
    for (const graph of [
      createTrainingGraph(config, { problemType: 'regression' }, true).training,
      createEvaluationGraph(config, { problemType: 'regression' }),
      createPredictionGraph(config),
    ]) {
      const inputs = new Set(graph.inputs.map(({ name }) => name))
      for (const { name } of createTrainingGraph(config, { problemType: 'regression' }, true).parameters)
        expect(inputs.has(name), name).toBe(true)
      expect(Math.max(...[...graph.initializers.values()].map(({ tensor }) => tensor.size))).toBeLessThan(64)
    }
  })

  it('takes labels as the head needs them', () => {
    const labelsFor = (
      problemType: 'regression' | 'single_label_classification' | 'multi_label_classification',
      labels: number,
    ): unknown => {
      const id2label = Object.fromEntries(Array.from({ length: labels }, (_, i) => [i, String(i)]))
      const { dtype, shape } = createTrainingGraph({ ...config, id2label }, { problemType }, true).training.inputs.find(
        ({ name }) => name === 'labels',
      )!
      return [dtype, shape]
    }
    expect(labelsFor('single_label_classification', 3)).toEqual(['int32', ['batch']])
    expect(labelsFor('regression', 1)).toEqual(['float32', ['batch']])
    expect(labelsFor('regression', 3)).toEqual(['float32', ['batch', 3]])
    expect(labelsFor('multi_label_classification', 3)).toEqual(['float32', ['batch', 3]])
  })
})

describe('updateGraph', () => {
  it('is the same rule for a flat parameter of any length and for one of its own shape', () => {
    for (const optimizer of [adamw(), lion(), sgd({ momentum: 0.9 })]) {
      const [flat, shaped] = [true, false].map(as => updateGraph(optimizer, { name: 'p', shape: [2, 3] }, as))
      check(flat!)
      check(shaped!)
      expect(flat!.nodes.map(({ op }) => op)).toEqual(shaped!.nodes.map(({ op }) => op))
      expect(flat!.outputs.map(({ name }) => name)).toEqual([
        'parameter_out',
        ...Object.keys(optimizer.init({ name: 'p', shape: [2, 3] })).map(name => `${name}_out`),
      ])
      expect(shaped!.outputs.every(({ shape }) => shape.join() === '2,3')).toBe(true)
    }
  })
})

/**
 * Micro-batches of two updates and two more: words that come twice in a row, in both micro-batches, only once, only
 * early, only late; and padding.
 */
const [first, second, third, fourth] = [31, 32, 33, 34].map(seed =>
  randomBatch([6, 3, 1, 4], classes(1, 0, 1, 1), { seed, vocabulary: seed < 33 ? 40 : 5000 }),
) as [Batch, Batch, Batch, Batch]
const updates: readonly (readonly Batch[])[] = [
  [first, second],
  [second],
  [third, fourth],
  [first, third],
  [fourth, first],
]

describe('gradients of tables as rows lead to the same parameters and slots as whole ones', () => {
  const optimizers: readonly (readonly [string, Optimizer])[] = [
    ['adamw', adamw()],
    ['sgd', sgd()],
    ['sgd with momentum', sgd({ momentum: 0.9 })],
    ['adagrad', adagrad()],
    ['adagrad that starts at 0.1', adagrad({ initialAccumulatorValue: 0.1 })],
    ['rmsprop', rmsprop({ momentum: 0.5, centered: true })],
    ['lion', lion()],
    ['adafactor', adafactor()],
  ]
  it.each(optimizers.flatMap(([name, optimizer]) => [0, 0.1].map(decay => [name, decay, optimizer] as const)))(
    '%s, weight decay %d',
    async (name, decay, optimizer) => {
      const [rows, dense] = [await train(optimizer, decay, true), await train(optimizer, decay, false)]
      // the sums of a row's gradients are rounded in another order; Lion takes signs, which flip where a sum is zero
      // but for rounding
      const tolerance = name === 'adafactor' || name === 'rmsprop' ? 2e-4 : 2e-5
      for (const [key, expected] of dense) {
        if (key.includes('key.bias')) continue // its gradient is rounding noise: softmax ignores a shift
        const given = rows.get(key)!
        const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-12)
        const wrong = expected.findIndex((v, i) => !(Math.abs(v - given[i]!) <= tolerance * largest))
        expect(wrong, `${key}[${wrong}]: ${given[wrong]} for ${expected[wrong]}, the largest being ${largest}`).toBe(-1)
      }
      const [before, after] = [modelFromConfig(config).parameter(table).data, rows.get(table)!]
      const moved = [...new Array(5000).keys()].filter(row =>
        before.subarray(row * 8, row * 8 + 8).some((v, i) => v !== after[row * 8 + i]),
      )
      // rows that were never read stay as they are, unless they decay; the padding row gets no gradient
      expect(moved.length > 4900).toBe(decay > 0)
      expect(moved.includes(0)).toBe(false)
    },
  )
})

describe('an optimizer that goes on from slots', () => {
  it.each([
    ['adamw', adamw()],
    ['sgd', sgd({ momentum: 0.9 })],
  ] as const)('%s, makes the very updates of one that never stopped, rows of tables included', async (_, optimizer) => {
    const whole = await train(optimizer, 0, true)
    const resumed = await train(optimizer, 0, true, 2)
    expect([...resumed.keys()]).toEqual([...whole.keys()])
    for (const [name, expected] of whole) expect(resumed.get(name), name).toEqual(expected)
  })

  it('refuses slots that are missing or do not fit', async () => {
    const model = modelFromConfig(config)
    const state = await createSharedState(
      {
        model,
        graph: createTrainingGraph(config, { problemType: 'regression' }, true),
        optimizer: adamw(),
        weightDecay: () => 0,
      },
      engine,
      fused,
    )
    await expect(state.loadSlots(new Map())).rejects.toThrow(
      `The optimizer's state has no "exp_avg" of ${table}. Resume with the optimizer that the checkpoint was made with, or start anew.`,
    )
    await expect(state.loadSlots(new Map([[table, { exp_avg: Tensor.zeros('float32', [3]) }]]))).rejects.toThrow(
      `The optimizer's "exp_avg" of ${table} has 3 values, but 40000 belong there.`,
    )
    await state.dispose()
  })
})

/**
 * Trains for a few updates, stopping and going on in a new state before one of them, and returns all parameters and
 * slots, by name.
 */
async function train(
  optimizer: Optimizer,
  decay: number,
  rows: boolean,
  stopBefore?: number,
): Promise<Map<string, Float32Array>> {
  let model: PreTrainedModel = modelFromConfig(config)
  const graph = createTrainingGraph(config, { problemType: 'single_label_classification' }, rows)
  const program = await engine.load(encode(graph.training).model)
  const begin = (): Promise<ParameterState> =>
    createSharedState({ model, graph, optimizer, weightDecay: () => decay }, engine, fused)
  let state = await begin()
  for (const [step, microBatches] of updates.entries()) {
    if (step === stopBefore) {
      const slots = new Map(
        [...(await state.slots())].map(([name, own]) => [
          name,
          Object.fromEntries(Object.entries(own).map(([slot, tensor]) => [slot, copied(tensor)])),
        ]),
      )
      await state.dispose()
      const weights = new Map([...model.parameters].map(([name, tensor]) => [name, copied(tensor)]))
      model = modelFromConfig(config)
      state = await begin()
      await state.loadParameters(weights)
      await state.loadSlots(slots)
    }
    for (const [index, batch] of microBatches.entries()) {
      const packed = packBatch(batch, model.family.packing(config))
      const given = { ...state.parameters, ...packed.feeds, labels: labelsOf(batch, packed) } as Record<string, Tensor>
      await state.collect(
        await program.run(
          Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!])),
          state.targets(index, packed.tokens),
        ),
        index,
      )
    }
    await state.update({ step: step + 1, rate: 0.01, scale: 1 / (4 * microBatches.length) })
  }
  const found = new Map<string, Float32Array>(
    [...model.parameters].map(([name, { data }]) => [name, Float32Array.from(data)]),
  )
  for (const [name, slots] of await state.slots())
    for (const [slot, tensor] of Object.entries(slots)) found.set(`${slot} of ${name}`, copied(tensor).data)
  program.dispose()
  await state.dispose()
  return found
}

function copied({ data, dims }: Tensor): Tensor<'float32'> {
  return new Tensor('float32', Float32Array.from(data as Float32Array), dims)
}
