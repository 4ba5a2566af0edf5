// updates of a store against the optimizer's own graph in float64
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph } from '../../src/onnx/types'
import { adafactor } from '../../src/optim/adafactor'
import { adagrad } from '../../src/optim/adagrad'
import { adamw } from '../../src/optim/adamw'
import { lion } from '../../src/optim/lion'
import type { Optimizer } from '../../src/optim/Optimizer'
import { rmsprop } from '../../src/optim/rmsprop'
import { sgd } from '../../src/optim/sgd'
import type { StoreOptions } from '../../src/parameters/ParameterStore'
import { updateGraph, updateScalars } from '../../src/programs/update'
import { sizeOf, Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'
import { contentOf, openSmallWorkshop, type SmallWorkshop, type StoreHome } from './storeRig'

/**
 * Two optimizers whose results must not be written over what they still read: one reads the whole parameter for each of its
 * elements, and keeps the old one; the other reads its slot after the slot's next value is there.
 */
const crossing: Optimizer = {
  name: 'crossing',
  init: ({ shape }) => ({ before: { shape } }),
  update: (graph, { gradient, parameter, slots, scalars }) => {
    const axes = parameter.shape.map((_, axis) => axis)
    const mean = graph.reduceMean(parameter, axes, true)
    const step = graph.mul(graph.add(gradient, slots.before!), scalars.rate!)
    return { parameter: graph.sub(graph.add(parameter, mean), step), slots: { before: parameter } }
  },
}
const late: Optimizer = {
  name: 'late',
  init: ({ shape }) => ({ sum: { shape, fill: 0.5 } }),
  update: (graph, { gradient, parameter, slots, scalars }) => {
    const sum = graph.add(slots.sum!, gradient)
    const change = graph.sub(graph.mul(sum, sum), slots.sum!)
    return { parameter: graph.sub(parameter, graph.mul(change, scalars.rate!)), slots: { sum } }
  },
}

const optimizers: readonly Optimizer[] = [
  adamw(),
  sgd(),
  sgd({ momentum: 0.9, nesterov: true }),
  adagrad({ initialAccumulatorValue: 0.1 }),
  rmsprop({ momentum: 0.5, centered: true }),
  lion(),
  adafactor({ beta1: 0.9, scaleParameter: true }),
  crossing,
  late,
]

const shapes: Readonly<Record<string, readonly number[]>> = { matrix: [2, 3], bias: [3] }
const weights = {
  matrix: Tensor.from('float32', [
    [0.5, -1, 2],
    [3, 0.25, -0.75],
  ]),
  bias: Tensor.from('float32', [1, -2, 0.5]),
}
const decays: Readonly<Record<string, number>> = { matrix: 0.1, bias: 0 }

/** A parameter's gradient of a micro-batch x is that parameter times x. */
function gradientGraph(): Graph {
  const g = new GraphBuilder('gradients')
  const x = g.input('x', 'float32', [3])
  return g.build(
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [`${name}_grad`, g.mul(g.input(name, 'float32', shape), x)]),
    ),
  )
}

/** The micro-batches of three updates. */
const updates = [
  [
    [1, 2, -1],
    [0.5, -0.25, 2],
    [0.1, 0.2, 0.3],
  ],
  [[3, 1, 0.5]],
  [
    [-1, 2, 0.75],
    [2, 2, 1],
  ],
]
const numbersOf = (step: number): { step: number; rate: number; scale: number } => ({
  step: step + 1,
  rate: 0.02 / (step + 1),
  scale: 0.5,
})

export function updateCases(open: () => Promise<StoreHome>): void {
  describe('updates', () => {
    const workshop = openSmallWorkshop(open, gradientGraph())

    it.each(optimizers.map((optimizer, i) => [`${optimizer.name} ${i}`, optimizer] as const))(
      'of %s are what its graph says in float64, for every parameter by its own weight decay',
      async (_, optimizer) => {
        const store = await workshop.create(storeOptions(optimizer))
        for (const [step, microBatches] of updates.entries()) {
          for (const [index, x] of microBatches.entries()) await workshop.run(store, x, index)
          await store.update(numbersOf(step))
        }
        const given = new Map([...(await contentOf(store, 'parameters')), ...(await contentOf(store, 'slots'))])
        for (const [name, expected] of expectedOf(optimizer)) {
          const { data } = given.get(name)!
          expected.forEach((value, i) =>
            expect(Math.abs(data[i]! - value), `${name}[${i}]: ${data[i]} for ${value}`).toBeLessThan(
              2e-5 * Math.max(1, Math.abs(value)),
            ),
          )
        }
        await store.dispose()
      },
    )

    it('that are not finite are measured as such, and leave everything whole when they are discarded', () =>
      expectWholeAfterNonFinite(workshop))
  })
}

async function expectWholeAfterNonFinite({ create, run }: SmallWorkshop): Promise<void> {
  const store = await create(storeOptions(adamw()))
  const content = async (): Promise<unknown> => [await contentOf(store, 'parameters'), await contentOf(store, 'slots')]
  await run(store, [1, 2, 3], 0)
  await store.update(numbersOf(0))
  const before = await content()
  for (const wrong of [NaN, Infinity]) {
    await run(store, [1, 2, 3], 0)
    await run(store, [1, wrong, 1], 1)
    expect(Number.isFinite(await store.squaredNorm())).toBe(false)
    await store.discard()
    expect(await content()).toEqual(before)
  }
  await run(store, [0, 2, 0], 0)
  const parameters = await contentOf(store, 'parameters')
  const [matrix, bias] = [parameters.get('matrix')!.data, parameters.get('bias')!.data]
  const expected = 4 * (matrix[1]! ** 2 + matrix[4]! ** 2 + bias[1]! ** 2)
  expect((await store.squaredNorm()) / expected).toBeCloseTo(1, 5)
  await store.dispose()
}

const storeOptions = (optimizer: Optimizer): StoreOptions => ({
  weights: new Map(Object.entries(weights)),
  gradients: new Map(Object.keys(weights).map(name => [name, { kind: 'dense', output: `${name}_grad` }] as const)),
  optimizer,
  weightDecay: name => decays[name]!,
})

/** Parameters and slots after all updates. */
function expectedOf(optimizer: Optimizer): Map<string, Float64Array> {
  const found = new Map<string, Float64Array>()
  for (const [name, shape] of Object.entries(shapes)) {
    const parameter = { name, shape }
    const slots = optimizer.init(parameter)
    let state: Record<string, Tensor> = { parameter: wide(weights[name as 'matrix' | 'bias']) }
    for (const [slot, { shape: dims, fill = 0 }] of Object.entries(slots)) {
      state[slot] = new Tensor('float64', new Float64Array(sizeOf(dims)).fill(fill), dims)
    }
    const graph = updateGraph(optimizer, parameter, false)
    for (const [step, microBatches] of updates.entries()) {
      const value = state['parameter']!.data as Float64Array
      const sums = value.map((v, i) => microBatches.reduce((sum, x) => sum + v * x[i % 3]!, 0))
      const { rate, scale } = numbersOf(step)
      const scalars = { ...updateScalars(optimizer, step + 1, rate, scale), weight_decay: decays[name]! }
      const outputs = evaluate(graph, {
        ...state,
        ...Object.fromEntries(Object.entries(scalars).map(([key, v]) => [key, Tensor.from('float64', v)])),
        gradient: new Tensor('float64', sums, shape),
      })
      state = Object.fromEntries(Object.keys(state).map(key => [key, outputs[`${key}_out`]!]))
    }
    for (const [key, { data }] of Object.entries(state))
      found.set(key === 'parameter' ? name : `${name}.${key}`, data as Float64Array)
  }
  return found
}

function wide({ data, dims }: Tensor): Tensor {
  return new Tensor('float64', Float64Array.from(data as Float32Array), dims)
}
