import * as ort from 'onnxruntime-node'
import { afterAll, describe, expect, it } from 'vitest'
import { compileElementwise, isElementwise } from '../../../src/engine/fused/compile'
import { createFusedEngine } from '../../../src/engine/fused/FusedEngine'
import { GraphBuilder } from '../../../src/onnx/builder'
import { encode } from '../../../src/onnx/encode'
import type { Graph, Value } from '../../../src/onnx/types'
import { adagrad } from '../../../src/optim/adagrad'
import { adamw } from '../../../src/optim/adamw'
import { lion } from '../../../src/optim/lion'
import type { Optimizer } from '../../../src/optim/Optimizer'
import { rmsprop } from '../../../src/optim/rmsprop'
import { sgd } from '../../../src/optim/sgd'
import { MersenneTwister } from '../../../src/random'
import { Tensor } from '../../../src/tensor'

const engine = createFusedEngine({ threads: 2 })
afterAll(() => engine.dispose())

const generator = new MersenneTwister(5)
const numbers = (count: number, spread = 1): Float32Array =>
  Float32Array.from({ length: count }, () => (generator.uniform() * 4 - 2) * spread)

/** Runs a graph of array inputs through the fused engine; every output is an array of its own. */
async function run(
  graph: Graph,
  arrays: Readonly<Record<string, Float32Array>>,
  scalars: Readonly<Record<string, number>> = {},
): Promise<Record<string, Float32Array>> {
  const kernel = engine.compile(graph)
  const count = Object.values(arrays)[0]!.length
  const names = [...kernel.program.inputs, ...kernel.program.outputs]
  const own = Object.fromEntries(
    engine.arena.allocateGroup(names.map(() => count)).map((array, i) => [names[i]!, array]),
  )
  for (const [name, array] of Object.entries(arrays)) own[name]!.set(array)
  await engine.run(kernel, [{ inputs: own, outputs: own }], scalars)
  return Object.fromEntries(kernel.program.outputs.map(name => [name, own[name]!]))
}

/** An optimizer's update of a flat parameter, as a graph. */
function updateGraph(optimizer: Optimizer): Graph {
  const builder = new GraphBuilder(optimizer.name)
  const array = (name: string): Value => builder.input(name, 'float32', ['n'])
  const scalar = (name: string): Value => builder.input(name, 'float32', [])
  const slots = Object.fromEntries(
    Object.keys(optimizer.init({ name: 'w', shape: [1] })).map(name => [name, array(name)]),
  )
  const scalars = Object.fromEntries(
    ['rate', 'weight_decay', ...Object.keys(optimizer.scalars?.(1, 1) ?? {})].map(name => [name, scalar(name)]),
  )
  const updated = optimizer.update(builder, {
    parameter: array('parameter'),
    gradient: builder.mul(array('gradient'), scalar('gradient_scale')),
    slots,
    scalars,
  })
  return builder.build({
    parameter_out: updated.parameter,
    ...Object.fromEntries(Object.entries(updated.slots).map(([name, slot]) => [`${name}_out`, slot])),
  })
}

/** The same through ONNX Runtime. */
async function runOnnx(
  graph: Graph,
  arrays: Readonly<Record<string, Float32Array>>,
  scalars: Readonly<Record<string, number>> = {},
): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(encode(graph).model)
  const feeds = Object.fromEntries([
    ...Object.entries(arrays).map(([name, array]) => [name, new ort.Tensor('float32', array, [array.length])]),
    ...Object.entries(scalars).map(([name, value]) => [name, new ort.Tensor('float32', [value], [])]),
  ]) as Record<string, ort.Tensor>
  const results = await session.run(feeds)
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]))
}

type Write = (graph: GraphBuilder, a: Value, b: Value) => Value
const f = Math.fround
/** Every operator: how it is written, and what it is of two float32 numbers. */
const operators: Readonly<Record<string, readonly [Write, (a: number, b: number) => number]>> = {
  Add: [(g, a, b) => g.add(a, b), (a, b) => a + b],
  Sub: [(g, a, b) => g.sub(a, b), (a, b) => a - b],
  Mul: [(g, a, b) => g.mul(a, b), (a, b) => a * b],
  Div: [(g, a, b) => g.div(a, b), (a, b) => a / b],
  Min: [(g, a, b) => g.min(a, b), Math.min],
  Max: [(g, a, b) => g.max(a, b), Math.max],
  Pow: [(g, a) => g.pow(a, 2), a => a * a],
  Neg: [(g, a) => g.neg(a), a => -a],
  Abs: [(g, a) => g.abs(a), Math.abs],
  Sqrt: [(g, a) => g.sqrt(a), Math.sqrt],
  Floor: [(g, a) => g.floor(a), Math.floor],
  Relu: [(g, a) => g.relu(a), a => Math.max(a, 0)],
  Reciprocal: [(g, a) => g.reciprocal(a), a => 1 / a],
  Sign: [(g, a) => g.node('Sign', [a], {})[0]!, a => Math.sign(a) + 0],
  Identity: [(g, a) => g.identity(a), a => a],
  Equal: [(g, a, b) => g.where(g.equal(a, b), 1, 2), (a, b) => (a === b ? 1 : 2)],
  Greater: [(g, a, b) => g.where(g.greater(a, b), a, b), (a, b) => (a > b ? a : b)],
  Less: [(g, a, b) => g.where(g.less(a, b), a, 7), (a, b) => (a < b ? a : 7)],
  GreaterOrEqual: [(g, a, b) => g.where(g.node('GreaterOrEqual', [a, b], {})[0]!, 1, b), (a, b) => (a >= b ? 1 : b)],
  LessOrEqual: [(g, a, b) => g.where(g.node('LessOrEqual', [a, b], {})[0]!, 1, b), (a, b) => (a <= b ? 1 : b)],
  And: [(g, a, b) => g.where(g.and(g.greater(a, 0), g.greater(b, 0)), 1, 0), (a, b) => (a > 0 && b > 0 ? 1 : 0)],
  Or: [(g, a, b) => g.where(g.or(g.greater(a, 0), g.greater(b, 0)), 1, 0), (a, b) => (a > 0 || b > 0 ? 1 : 0)],
  Not: [(g, a) => g.where(g.not(g.greater(a, 0)), 1, 0), a => (a > 0 ? 0 : 1)],
  Cast: [
    (g, a, b) => g.mul(g.cast(g.less(a, b), 'float32'), g.cast(g.cast(a, 'bool'), 'float32')),
    (a, b) => (a < b && a !== 0 ? 1 : 0),
  ],
}

describe('each operator', () => {
  const special = [0, -0, 1, -1, 1e-45, 3.4e38, -3.4e38, Infinity, -Infinity]
  const a = Float32Array.from([...special.flatMap(x => special.map(() => x)), ...numbers(50, 3)])
  const b = Float32Array.from([...special.flatMap(() => special), ...numbers(50, 0.2)])

  it.each(Object.entries(operators))('%s: the float32 result, as ONNX Runtime has it', async (_, [write, expected]) => {
    const builder = new GraphBuilder('operator')
    const graph = builder.build({
      out: write(builder, builder.input('a', 'float32', ['n']), builder.input('b', 'float32', ['n'])),
    })
    const { out } = await run(graph, { a, b })
    expect(out).toEqual(Float32Array.from(a, (x, i) => f(expected(x, b[i]!))))
    const reference = (await runOnnx(graph, { a, b }))['out']!
    const zeros = (array: Float32Array): number[] => Array.from(array, x => x + 0) // -0 and 0 count as equal
    expect(zeros(out!)).toEqual(zeros(reference))
  })

  it('keeps NaN where arithmetic meets it', async () => {
    const builder = new GraphBuilder('not a number')
    const x = builder.input('x', 'float32', ['n'])
    const graph = builder.build({
      sum: builder.add(x, 1),
      least: builder.min(x, 0),
      most: builder.max(x, 0),
      root: builder.sqrt(x),
    })
    const out = await run(graph, { x: Float32Array.of(NaN, -1) })
    expect(Object.entries(out).map(([name, array]) => [name, array[0]])).toEqual(
      ['sum', 'least', 'most', 'root'].map(name => [name, NaN]),
    )
    expect(out['root']![1]).toBeNaN()
  })
})

describe('a whole update', () => {
  const b2 = f(0.999)
  const c1 = f(1 - 0.9)
  const c2 = f(1 - 0.999)
  const eps = f(1e-8)

  it.each([1, 2, 3, 4, 5, 7, 8, 64, 1001, 70_001])('of %i elements, in place, is a plain float32 loop', async count => {
    const kernel = engine.compile(updateGraph(adamw()))
    const [parameter, gradient, exp_avg, exp_avg_sq] = engine.arena.allocateGroup([count, count, count, count]) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    parameter.set(numbers(count))
    const p = Float32Array.from(parameter)
    const m = new Float32Array(count)
    const v = new Float32Array(count)
    for (const step of [1, 2, 3]) {
      gradient.set(numbers(count, 0.01))
      const rate = 1e-3
      const decay = 0.01
      const scale = 0.7
      const size = f(rate / (1 - 0.9 ** step))
      const root = f(1 / Math.sqrt(1 - 0.999 ** step))
      for (let i = 0; i < count; i++) {
        const g = f(gradient[i]! * f(scale))
        m[i] = f(m[i]! + f(f(g - m[i]!) * c1))
        v[i] = f(f(v[i]! * b2) + f(f(g * g) * c2))
        const kept = f(p[i]! * f(1 - f(f(rate) * f(decay))))
        p[i] = f(kept - f(f(m[i]! * size) / f(f(f(Math.sqrt(v[i]!)) * root) + eps)))
      }
      const arrays = { parameter, gradient, exp_avg, exp_avg_sq }
      const outputs = { parameter_out: parameter, exp_avg_out: exp_avg, exp_avg_sq_out: exp_avg_sq }
      await engine.run(kernel, [{ inputs: arrays, outputs, scalars: { weight_decay: decay } }], {
        rate,
        gradient_scale: scale,
        ...adamw().scalars!(step, rate),
      })
    }
    const bytes = (array: Float32Array): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength)
    for (const [ours, plain] of [
      [parameter, p],
      [exp_avg, m],
      [exp_avg_sq, v],
    ] as const)
      expect(bytes(ours).equals(bytes(plain))).toBe(true)
  })

  it('leaves what lies beside a part of an array alone', async () => {
    const builder = new GraphBuilder('twice')
    const kernel = engine.compile(builder.build({ out: builder.mul(builder.input('x', 'float32', ['n']), 2) }))
    const array = engine.arena.allocate(23)
    array.fill(1)
    const part = array.subarray(3, 20)
    await engine.run(kernel, [{ inputs: { x: part }, outputs: { out: part } }])
    expect(array).toEqual(Float32Array.from({ length: 23 }, (_, i) => (i >= 3 && i < 20 ? 2 : 1)))
  })

  it.each([
    ['adamw', adamw()],
    ['sgd', sgd()],
    ['sgd with Nesterov momentum', sgd({ momentum: 0.9, nesterov: true })],
    ['adagrad', adagrad()],
    ['rmsprop, centred, with momentum', rmsprop({ centered: true, momentum: 0.9 })],
    ['lion', lion()],
  ])('%s is what ONNX Runtime makes of the same graph, bit for bit', async (_, optimizer) => {
    const graph = updateGraph(optimizer)
    expect(isElementwise(graph)).toBe(true)
    const arrays: Record<string, Float32Array> = { parameter: numbers(5003), gradient: numbers(5003, 0.1) }
    for (const slot of Object.keys(optimizer.init({ name: 'w', shape: [5003] })))
      arrays[slot] = numbers(5003, 0.1).map(x => Math.abs(x) + 0.05)
    const scalars = { gradient_scale: 0.3, rate: 1e-3, weight_decay: 0.02, ...optimizer.scalars?.(3, 1e-3) }
    expect(await run(graph, arrays, scalars)).toEqual(await runOnnx(graph, arrays, scalars))
  })
})

describe('subnormal results', () => {
  const graph = (): Graph => {
    const builder = new GraphBuilder('halve')
    return builder.build({ out: builder.mul(builder.input('x', 'float32', ['n']), 0.5) })
  }
  const least = 2 ** -126
  const x = Float32Array.of(least, -least, least * 2, least * 2.5, 1e-44, 0, NaN, Infinity, 3)

  it('are kept, unless the output is flushed', async () => {
    const [from, to] = engine.arena.allocateGroup([x.length, x.length]) as [Float32Array, Float32Array]
    from.set(x)
    for (const [options, expected] of [
      [{}, [least / 2, -least / 2, least, least * 1.25, Math.fround(1e-44 / 2), 0, NaN, Infinity, 1.5]],
      [{ flush: ['out'] }, [0, 0, least, least * 1.25, 0, 0, NaN, Infinity, 1.5]],
    ] as const) {
      await engine.run(engine.compile(graph(), options), [{ inputs: { x: from }, outputs: { out: to } }])
      expect([...to]).toEqual(expected)
    }
  })
})

describe('what is not elementwise', () => {
  const refuse = (write: (graph: GraphBuilder, x: Value) => Value): Graph => {
    const builder = new GraphBuilder('odd')
    return builder.build({ out: write(builder, builder.input('x', 'float32', ['n'])) })
  }
  it.each([
    [/ReduceMean .* is not among/, refuse((g, x) => g.sub(x, g.reduceMean(x, [0], true)))],
    [/Exp .* is not among/, refuse((g, x) => g.exp(x))],
    [/exponent of Pow/, refuse((g, x) => g.pow(x, 1.5))],
    [/\[n\] and not \[2\]/, refuse((g, x) => g.add(x, g.constant(Tensor.from('float32', [1, 2]))))],
    [/an output is a scalar/, refuse(g => g.add(g.input('s', 'float32', []), 1))],
    [/"i" is int32/, refuse((g, x) => g.add(x, g.cast(g.input('i', 'int32', ['n']), 'float32')))],
    [
      /\[m\] and not \[n\]/,
      refuse((g, x) => {
        g.input('other', 'float32', ['m'])
        return x
      }),
    ],
  ])('is refused: %s', (message, graph) => {
    expect(isElementwise(graph)).toBe(false)
    expect(() => compileElementwise(graph)).toThrow(message)
  })
})
