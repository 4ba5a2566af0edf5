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
import type { UpdateSums } from '../../src/optim/updateSums'
import type { ParameterStore, StoreOptions, UpdateNumbers } from '../../src/parameters/ParameterStore'
import { updateGraph, updateScalars } from '../../src/programs/update'
import { sizeOf, Tensor } from '../../src/tensor'
import { expectClose } from '../helpers/expectClose'
import { evaluate } from '../helpers/referenceEngine'
import { contentOf, countOf, openSmallWorkshop, type SmallWorkshop, type StoreHome } from './storeRig'

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
/** A bias learns faster. */
const factors: Readonly<Record<string, number>> = { matrix: 1, bias: 3 }

/** A parameter's gradient of a micro-batch x is that parameter times x; its loss is the sum of x, of which 0 does not count. */
function gradientGraph(): Graph {
  const g = new GraphBuilder('gradients')
  const x = g.input('x', 'float32', [3])
  const gradients = Object.entries(shapes).map(([name, shape]) => {
    return [`${name}_grad`, g.mul(g.input(name, 'float32', shape), x)] as const
  })
  return g.build({ loss: g.sum(x), count: countOf(g, x), ...Object.fromEntries(gradients) })
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
const numbersOf = (step: number): UpdateNumbers & { readonly maxNorm: number } => ({
  step: step + 1,
  rate: 0.02 / (step + 1),
  maxNorm: 1.5,
})

/** What an update of a store came to. */
async function updated(store: ParameterStore, numbers: UpdateNumbers): Promise<UpdateSums> {
  const result = await store.update(numbers)
  return typeof result === 'function' ? result() : result
}

export function updateCases(open: () => Promise<StoreHome>): void {
  describe('updates', () => {
    const workshop = openSmallWorkshop(open, gradientGraph())

    it.each(optimizers.map((optimizer, i) => [`${optimizer.name} ${i}`, optimizer] as const))(
      'of %s are what its graph says in float64, for every parameter by its own weight decay',
      (_, optimizer) => expectUpdates(workshop, optimizer),
    )

    it('by a loss that was multiplied are those of one that was not', async () => {
      const contents = []
      for (const lossScale of [1, 4]) {
        const store = await workshop.create(storeOptions(sgd()))
        await workshop.run(store, [lossScale, 2 * lossScale, -lossScale], 0)
        await store.update({ ...numbersOf(0), lossScale })
        contents.push(await contentOf(store, 'parameters'))
        await store.dispose()
      }
      for (const [name, { data }] of contents[0]!) expectClose(contents[1]!.get(name)!.data, data, 1e-6, name)
    })

    it('without a label that counts are divided by nothing', () => expectNothingOfNoLabels(workshop))
  })
  nonFiniteCases(open)
}

function nonFiniteCases(open: () => Promise<StoreHome>): void {
  describe('updates that are not finite', () => {
    const workshop = openSmallWorkshop(open, gradientGraph())

    it.each(optimizers.map((optimizer, i) => [`${optimizer.name} ${i}`, optimizer] as const))(
      'of %s are left out, and leave everything whole',
      (_, optimizer) => expectWholeAfterNonFinite(workshop, optimizer),
    )

    it('are made where they are asked for', async () => {
      const store = await workshop.create(storeOptions(adamw()))
      await workshop.run(store, [1, Infinity, 1], 0)
      await store.update({ ...numbersOf(0), onlyFinite: false })
      const { data } = (await contentOf(store, 'parameters')).get('matrix')!
      expect([...data].every(Number.isFinite)).toBe(false)
      await store.dispose()
    })
  })
}

async function expectUpdates({ create, run }: SmallWorkshop, optimizer: Optimizer): Promise<void> {
  const store = await create(storeOptions(optimizer))
  for (const [step, microBatches] of updates.entries()) {
    for (const [index, x] of microBatches.entries()) await run(store, x, index)
    const { loss, count, squaredNorm } = await updated(store, numbersOf(step))
    const numbers = microBatches.flat()
    expect(loss - numbers.reduce((sum, x) => sum + x)).toBeCloseTo(0, 5)
    expect(count).toBe(numbers.filter(x => x !== 0).length)
    expect(squaredNorm).toBeGreaterThan(0)
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
}

async function expectWholeAfterNonFinite({ create, run }: SmallWorkshop, optimizer: Optimizer): Promise<void> {
  const store = await create(storeOptions(optimizer))
  const content = async (): Promise<unknown> => [await contentOf(store, 'parameters'), await contentOf(store, 'slots')]
  await run(store, [1, 2, 3], 0)
  await store.update(numbersOf(0))
  const before = await content()
  for (const wrong of [NaN, Infinity]) {
    await run(store, [1, 2, 3], 0)
    await run(store, [1, wrong, 1], 1)
    const { loss, squaredNorm } = await updated(store, numbersOf(1))
    expect([loss, squaredNorm].some(Number.isFinite)).toBe(false)
    expect(await content()).toEqual(before)
  }
  await run(store, [0, 2, 0], 0)
  const parameters = await contentOf(store, 'parameters')
  const [matrix, bias] = [parameters.get('matrix')!.data, parameters.get('bias')!.data]
  const expected = 4 * (matrix[1]! ** 2 + matrix[4]! ** 2 + bias[1]! ** 2)
  expect((await updated(store, numbersOf(1))).squaredNorm / expected).toBeCloseTo(1, 5)
  expect(await content()).not.toEqual(before)
  await store.dispose()
}

/** An update whose gradients are 0 changes nothing, and is finite. */
async function expectNothingOfNoLabels({ create, run }: SmallWorkshop): Promise<void> {
  const store = await create(storeOptions(sgd()))
  await run(store, [0, 0, 0], 0)
  expect(await updated(store, { ...numbersOf(0), onlyFinite: false })).toEqual({ loss: 0, count: 0, squaredNorm: 0 })
  expect((await contentOf(store, 'parameters')).get('bias')!.data).toEqual(weights.bias.data) // which does not decay
  await store.dispose()
}

const storeOptions = (optimizer: Optimizer): StoreOptions => ({
  weights: new Map(Object.entries(weights)),
  loss: { sum: 'loss', count: 'count' },
  gradients: new Map(Object.keys(weights).map(name => [name, { kind: 'dense', output: `${name}_grad` }] as const)),
  optimizer,
  weightDecay: name => decays[name]!,
  rateFactor: name => factors[name]!,
})

/** Parameters and slots after all updates, in float64. */
function expectedOf(optimizer: Optimizer): Map<string, Float64Array> {
  const states = new Map(Object.keys(shapes).map(name => [name, stateOf(optimizer, name)] as const))
  for (const [step, microBatches] of updates.entries()) {
    const count = microBatches.flat().filter(x => x !== 0).length
    const means = new Map(
      [...states].map(([name, { parameter }]) => [
        name,
        (parameter!.data as Float64Array).map(
          (v, i) => microBatches.reduce((sum, x) => sum + v * x[i % 3]!, 0) / count,
        ),
      ]),
    )
    const norm = Math.hypot(...[...means.values()].flatMap(mean => [...mean]))
    for (const [name, state] of states) {
      const { rate, maxNorm } = numbersOf(step)
      const clip = Math.min(1, maxNorm / (norm + 1e-6))
      const scalars = {
        ...updateScalars(optimizer, step + 1, rate * factors[name]!),
        gradient_scale: clip,
        weight_decay: decays[name]!,
      }
      const shape = shapes[name]!
      const outputs = evaluate(updateGraph(optimizer, { name, shape }, false), {
        ...state,
        ...Object.fromEntries(Object.entries(scalars).map(([key, v]) => [key, Tensor.from('float64', v)])),
        gradient: new Tensor('float64', means.get(name)!, shape),
      })
      for (const key in state) state[key] = outputs[`${key}_out`]!
    }
  }
  const found = [...states].flatMap(([name, state]) =>
    Object.entries(state).map(([key, { data }]) => [key === 'parameter' ? name : `${name}.${key}`, data] as const),
  )
  return new Map(found) as Map<string, Float64Array>
}

/** A parameter and its slots before any update. */
function stateOf(optimizer: Optimizer, name: string): Record<string, Tensor> {
  const slots = Object.entries(optimizer.init({ name, shape: shapes[name]! })).map(([slot, { shape, fill = 0 }]) => {
    return [slot, new Tensor('float64', new Float64Array(sizeOf(shape)).fill(fill), shape)] as const
  })
  return { parameter: wide(weights[name as 'matrix' | 'bias']), ...Object.fromEntries(slots) }
}

function wide({ data, dims }: Tensor): Tensor {
  return new Tensor('float64', Float64Array.from(data as Float32Array), dims)
}
