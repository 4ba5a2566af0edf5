import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../src/engine/Engine'
import { isElementwise } from '../../src/engine/fused/compile'
import { createFusedEngine, type FusedEngine } from '../../src/engine/fused/FusedEngine'
import { encode } from '../../src/onnx/encode'
import { adafactor } from '../../src/optim/adafactor'
import { adagrad } from '../../src/optim/adagrad'
import { adamw } from '../../src/optim/adamw'
import { lion } from '../../src/optim/lion'
import type { Optimizer } from '../../src/optim/Optimizer'
import { rmsprop } from '../../src/optim/rmsprop'
import { sgd } from '../../src/optim/sgd'
import { updateGraph } from '../../src/programs/update'
import { sizeOf, Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'

/** A parameter's updates, by PyTorch. */
interface Trajectory {
  readonly shape: number[]
  readonly start: number[]
  readonly gradients: number[][]
  readonly after: number[][]
}

interface Oracle {
  readonly optimizer: Name
  readonly options: Readonly<Record<string, number & boolean>>
  readonly weight_decay: number
  readonly rates: number[]
  readonly parameters: Readonly<Record<string, Trajectory>>
}

const makers = { adamw, sgd, adagrad, rmsprop, lion, adafactor }
type Name = keyof typeof makers
const elementwise = ['adamw', 'sgd', 'adagrad', 'rmsprop', 'lion'] as const satisfies readonly Name[]
const names: readonly Name[] = [...elementwise, 'adafactor']
const oracle = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/optim/optimizers.json'), 'utf8'),
) as Oracle[]

/** One update: tensors and numbers by the names of the update graph's inputs → its outputs. */
type Step = (
  values: Readonly<Record<string, Tensor>>,
  scalars: Readonly<Record<string, number>>,
) => Promise<Record<string, Tensor>>
/** A way of running updates. */
interface Way {
  readonly prepare: (optimizer: Optimizer, shape: readonly number[]) => Promise<Step>
  readonly dtype: 'float32' | 'float64'
  /** The optimizers that it can run. */
  readonly optimizers: readonly Name[]
}

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

const exact: Way['prepare'] = async (optimizer, shape) => {
  const graph = updateGraph(optimizer, { name: 'p', shape }, false)
  return async (values, scalars) =>
    evaluate(graph, {
      ...values,
      ...scalarTensors(
        scalars,
        graph.inputs.map(({ name }) => name),
        'float64',
      ),
    })
}

const throughRuntime: Way['prepare'] = async (optimizer, shape) => {
  const program = await engine.load(encode(updateGraph(optimizer, { name: 'p', shape }, false)).model)
  const names = program.inputs.map(({ name }) => name)
  return async (values, scalars) => {
    const feeds = { ...values, ...scalarTensors(scalars, names, 'float32') }
    const outputs = await program.run(Object.fromEntries(names.map(name => [name, feeds[name]!])))
    return Object.fromEntries(
      await Promise.all(
        Object.entries(outputs).map(async ([name, value]) => [name, await engine.download(value)] as const),
      ),
    )
  }
}

const fusedLoop: Way['prepare'] = async (optimizer, shape) => {
  const graph = updateGraph(optimizer, { name: 'p', shape }, true)
  expect(isElementwise(graph)).toBe(true)
  const kernel = fused.compile(graph)
  return async (values, scalars) => {
    const names = Object.keys(values)
    const arrays = Object.fromEntries(
      names.map((name, i) => [name, fused.arena.allocateGroup(names.map(() => sizeOf(shape)))[i]!]),
    )
    for (const name of names) arrays[name]!.set(values[name]!.data as Float32Array)
    const outputs = Object.fromEntries(
      names.filter(name => name !== 'gradient').map(name => [`${name}_out`, arrays[name]!]),
    )
    const used = Object.fromEntries(
      Object.entries(scalars).filter(([name]) => graph.inputs.some(input => input.name === name)),
    )
    await fused.run(kernel, [{ inputs: arrays, outputs }], used)
    return Object.fromEntries(
      Object.entries(outputs).map(([name, data]) => [name, new Tensor('float32', Float32Array.from(data), shape)]),
    )
  }
}

const ways: readonly (readonly [string, Way])[] = [
  ['in float64', { prepare: exact, dtype: 'float64', optimizers: names }],
  ['through ONNX Runtime', { prepare: throughRuntime, dtype: 'float32', optimizers: names }],
  ['as a fused loop', { prepare: fusedLoop, dtype: 'float32', optimizers: elementwise }],
]

function scalarTensors(
  scalars: Readonly<Record<string, number>>,
  names: readonly string[],
  dtype: 'float32' | 'float64',
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(scalars)
      .filter(([name]) => names.includes(name))
      .map(([name, value]) => [name, Tensor.from(dtype, value)]),
  )
}

/** The parameter after each update. */
async function follow(
  { prepare, dtype }: Way,
  optimizer: Optimizer,
  { shape, start, gradients }: Omit<Trajectory, 'after'>,
  rates: readonly number[],
  weightDecay: number,
): Promise<number[][]> {
  const run = await prepare(optimizer, shape)
  const tensor = (numbers: readonly number[], dims: readonly number[]): Tensor =>
    new Tensor(dtype, dtype === 'float32' ? Float32Array.from(numbers) : Float64Array.from(numbers), dims)
  const slots = Object.entries(optimizer.init({ name: 'p', shape }))
  let values: Record<string, Tensor> = {
    parameter: tensor(start, shape),
    ...Object.fromEntries(
      slots.map(([name, slot]) => [name, tensor(Array<number>(sizeOf(slot.shape)).fill(slot.fill ?? 0), slot.shape)]),
    ),
  }
  const after: number[][] = []
  for (const [i, gradient] of gradients.entries()) {
    // sums over 4 labels: the update divides by the count
    const sum = tensor(
      gradient.map(v => 4 * v),
      shape,
    )
    const scalars = {
      rate: rates[i]!,
      weight_decay: weightDecay,
      gradient_scale: 0.25,
      ...optimizer.scalars?.(i + 1, rates[i]!),
    }
    const outputs = await run({ ...values, gradient: sum }, scalars)
    values = Object.fromEntries(Object.keys(values).map(name => [name, outputs[`${name}_out`]!]))
    after.push(Array.from(values.parameter!.data as Float32Array))
  }
  return after
}

function expectUpdates(given: readonly number[][], expected: readonly (readonly number[])[], tolerance: number): void {
  expected.forEach((numbers, step) =>
    numbers.forEach((value, i) => {
      expect(
        Math.abs(given[step]![i]! - value),
        `update ${step + 1}, value ${i}: ${given[step]![i]} for ${value}`,
      ).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)))
    }),
  )
}

// appendix A.4 of the specification: a parameter of 1, gradients .5, -.2, .3
const golden: readonly (readonly [Name, object, number, number, readonly number[]])[] = [
  ['adamw', {}, 0.1, 0.01, [0.899000002, 0.8635404181145108, 0.8082328432610408]],
  ['sgd', {}, 0.1, 0.01, [0.949, 0.968051, 0.937082949]],
  ['sgd', { momentum: 0.9, nesterov: true }, 0.1, 0, [0.905, 0.9025, 0.82525]],
  ['adagrad', {}, 0.1, 0, [0.90000000002, 0.9371390676485138, 0.8884726413171798]],
  ['adagrad', { lrDecay: 0.1 }, 0.1, 0.01, [0.9000000000196078, 0.9318837224333794, 0.8907272081726929]],
  ['rmsprop', {}, 0.01, 0.01, [0.9000000196078394, 0.9352269169661604, 0.8854825124427146]],
  ['adafactor', {}, 0.1, 0.01, [0.89899999, 0.95370233, 0.86351651]],
]

describe.each(ways)('updates %s are those of PyTorch', (_, way) => {
  // Adafactor's oracle is float32 itself
  const toleranceOf = (name: Name, float64: number, float32: number): number =>
    way.dtype === 'float64' && name !== 'adafactor' ? float64 : float32
  const entries = oracle.filter(({ optimizer }) => way.optimizers.includes(optimizer))

  it.each(entries.map(entry => [entry.optimizer, JSON.stringify(entry.options), entry.weight_decay, entry] as const))(
    '%s %s, weight decay %d',
    async (name, _options, weightDecay, { options, rates, parameters }) => {
      const optimizer = makers[name](options)
      for (const trajectory of Object.values(parameters)) {
        const after = await follow(way, optimizer, trajectory, rates, weightDecay)
        expectUpdates(after, trajectory.after, toleranceOf(name, 1e-7, 3e-6))
      }
    },
  )

  it.each(golden.filter(([name]) => way.optimizers.includes(name)))(
    '%s %j at rate %d, weight decay %d: the golden values',
    async (name, options, rate, weightDecay, expected) => {
      for (const shape of [[1], []]) {
        const optimizer = (makers[name] as (options: object) => Optimizer)(options)
        const gradients = [[0.5], [-0.2], [0.3]]
        const after = await follow(way, optimizer, { shape, start: [1], gradients }, [rate, rate, rate], weightDecay)
        expectUpdates(
          after,
          expected.map(value => [value]),
          toleranceOf(name, 1e-8, 1e-6),
        )
      }
    },
  )
})

describe.each(ways.filter(([, { optimizers }]) => optimizers.includes('adafactor')))('updates %s', (_, way) => {
  it('of a matrix by Adafactor have the golden values', async () => {
    const gradients = [
      [0.1, -0.2, 0.3, 0.4],
      [0.05, 0.1, -0.2, 0.1],
    ]
    const after = await follow(way, adafactor(), { shape: [2, 2], start: [1, -2, 0.5, 3], gradients }, [0.1, 0.1], 0)
    const expected = [
      [0.9225403, -1.8904555, 0.3960769, 2.9020204],
      [0.8762209, -1.9675852, 0.4811083, 2.8666224],
    ]
    expectUpdates(after, expected, 1e-6)
  })
})

describe('optimizers', () => {
  it('are elementwise except for Adafactor, so that on the CPU each runs as one loop', async () => {
    for (const name of elementwise)
      expect(isElementwise(updateGraph(makers[name](), { name: 'p', shape: [2, 3] }, true)), name).toBe(true)
    expect(isElementwise(updateGraph(adafactor(), { name: 'p', shape: [3] }, true))).toBe(false)
  })

  it("name their slots as PyTorch does, and Adafactor keeps only a matrix's rows and columns", () => {
    const slots = (optimizer: Optimizer, shape: readonly number[]): Record<string, readonly number[]> =>
      Object.fromEntries(Object.entries(optimizer.init({ name: 'p', shape })).map(([name, slot]) => [name, slot.shape]))
    expect(slots(adamw(), [2, 3])).toEqual({ exp_avg: [2, 3], exp_avg_sq: [2, 3] })
    expect(slots(sgd(), [2])).toEqual({})
    expect(slots(sgd({ momentum: 0.9 }), [2])).toEqual({ momentum_buffer: [2] })
    expect(slots(rmsprop({ momentum: 0.9, centered: true }), [2])).toEqual({
      square_avg: [2],
      momentum_buffer: [2],
      grad_avg: [2],
    })
    expect(slots(adafactor(), [5, 2, 3])).toEqual({ exp_avg_sq_row: [5, 2], exp_avg_sq_col: [5, 3] })
    expect(slots(adafactor({ beta1: 0.9 }), [4])).toEqual({ exp_avg_sq: [4], exp_avg: [4] })
  })

  it('refuse impossible options', () => {
    expect(() => sgd({ nesterov: true })).toThrow('Nesterov momentum needs a momentum above 0 and no dampening.')
    expect(() => sgd({ nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow('Nesterov')
    expect(() => adafactor({ warmupInit: true })).toThrow('warmupInit needs relativeStep.')
  })
})
