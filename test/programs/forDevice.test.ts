// graphs as a device has them, beside what ONNX Runtime computes of the same graphs on the processor
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../src/engine/Engine'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import type { Graph, Value } from '../../src/onnx/types'
import { forDevice } from '../../src/programs/forDevice'
import { largestGiven } from '../../src/programs/wholeNumbers'
import { hash32 } from '../../src/random'
import { Tensor } from '../../src/tensor'
import { inputsOf, type LabelledFeed } from '../../src/training/LabelledFeed'
import { deviceEngine } from '../helpers/deviceEngine'
import { findWebgpuDriver } from '../helpers/webgpu'

const hindrance = findWebgpuDriver()
if (hindrance !== undefined) process.stdout.write(`skipped: graphs for a device on webgpu: ${hindrance}\n`)

type Feeds = Readonly<Record<string, Tensor>>

let processor: Engine
let device: Engine | undefined
beforeAll(async () => {
  processor = await createEngine({ threads: 1 })
  device = hindrance === undefined ? await deviceEngine({ device: 'webgpu' }) : undefined
})
afterAll(() => {
  processor.dispose()
  device?.dispose()
})

async function run(engine: Engine, graph: Graph, feeds: Feeds): Promise<Record<string, number[]>> {
  check(graph)
  const program = await engine.load(encode(graph).model)
  const given = program.inputs.map(({ name, dtype }) => {
    const { data, dims, dtype: stated } = feeds[name]!
    return [name, dtype === stated ? feeds[name]! : new Tensor('int32', Int32Array.from(data, Number), dims)] as const
  })
  const outputs = await program.run(Object.fromEntries(given))
  program.dispose()
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, Array.from((value as Tensor).data, Number)]),
  )
}

/** The graph as it is on the processor, against the one for a device, there and on WebGPU, where no node may stray. */
async function expectSame(graph: Graph, feeds: Feeds, tolerance = 0): Promise<Graph> {
  const expected = await run(processor, graph, feeds)
  const written = forDevice(graph)
  expect(written.outputs).toEqual(graph.outputs)
  for (const engine of device === undefined ? [processor] : [processor, device]) {
    const found = await run(engine, written, feeds)
    for (const [name, values] of Object.entries(expected)) {
      expect(found[name]).toHaveLength(values.length)
      values.forEach((value, i) => {
        const given = found[name]![i]!
        const same = Object.is(given, value) || Math.abs(given - value) <= tolerance * Math.max(1, Math.abs(value))
        if (!same) expect(given, `${name}[${i}] on ${engine.provider}`).toBe(value)
      })
    }
  }
  return written
}

/** Whole numbers from -below to below. */
function integers(count: number, below: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => (hash32(seed, i) % (2 * below + 1)) - below)
}

const opsOf = ({ nodes }: Graph): string[] => nodes.map(({ op }) => op)

describe('what WebGPU has no kernel of', () => {
  it('Round: to the nearest, of two the even one', async () => {
    const g = new GraphBuilder('round', true)
    const y = g.node('Round', [g.input('x', 'float32', ['n'])], {})[0]!
    const halves = integers(500, 200, 1).map(number => number / 2)
    const beside = halves.flatMap(half => [
      half,
      Math.fround(half * (1 + 2 ** -23)),
      Math.fround(half * (1 - 2 ** -23)),
    ])
    const others = integers(500, 4e6, 2).map(number => number / 1024)
    const x = Tensor.from('float32', [...beside, ...others, 2 ** 23 + 1, -(2 ** 24) + 1, 3e30, 0.49999997, -0.49999997])
    const written = await expectSame(g.build({ y: g.add(y, 0) }), { x }) // -0 as 0
    expect(opsOf(written)).not.toContain('Round')
  })

  it('Round: of ∞ it is ∞', async () => {
    const g = new GraphBuilder('round', true)
    const graph = g.build({ y: g.node('Round', [g.input('x', 'float32', ['n'])], {})[0]! })
    const x = Tensor.from('float32', [Infinity, -Infinity, NaN])
    expect(await run(processor, forDevice(graph), { x })).toEqual(await run(processor, graph, { x }))
  })

  it.each([0, 1])('Mod of whole numbers, fmod %s', async fmod => {
    const g = new GraphBuilder('mod', true)
    const [a, b] = ['a', 'b'].map(name => g.input(name, 'int32', ['n'])) as [Value, Value]
    const graph = g.build({ y: g.node('Mod', [a, b], { fmod })[0]! })
    const dividends = [...integers(500, 50, 3), ...integers(500, 1e9, 4), 2 ** 31 - 1, -(2 ** 31) + 1]
    const divisors = [...integers(500, 7, 5), ...integers(502, 1e6, 6)].map(number => number || 3)
    const feeds = { a: Tensor.from('int32', dividends), b: Tensor.from('int32', divisors) }
    expect(opsOf(await expectSame(graph, feeds))).not.toContain('Mod')
  })

  it('Mod of floats', async () => {
    const g = new GraphBuilder('mod', true)
    const [a, b] = ['a', 'b'].map(name => g.input(name, 'float32', ['n'])) as [Value, Value]
    const graph = g.build({ y: g.node('Mod', [a, b], { fmod: 1 })[0]! })
    const dividends = [...integers(500, 100, 7).map(number => number / 4), ...integers(500, 100, 8), 6, 9, 12, -6, 0]
    const divisors = [...integers(1000, 40, 9).map(number => (number || 3) / 4), 3, 3, -3, 3, 2]
    const feeds = { a: Tensor.from('float32', dividends), b: Tensor.from('float32', divisors) }
    expect(opsOf(await expectSame(graph, feeds, 1e-6))).not.toContain('Mod')
    const beyond = { a: Tensor.from('float32', [5]), b: Tensor.from('float32', [Infinity]) }
    expect(await run(processor, forDevice(graph), beyond)).toEqual({ y: [5] })
  })

  it('the shape of truths', async () => {
    const g = new GraphBuilder('shape', true)
    const mask = g.input('mask', 'int64', ['n', 'm'])
    const truths = g.cast(mask, 'bool')
    const shape = g.node('Shape', [g.not(truths)], {})[0]!
    const y = g.reshape(g.cast(truths, 'float32'), g.concat([g.node('Shape', [truths], {})[0]!, g.integers([1])], 0))
    await expectSame(g.build({ y, shape }), { mask: Tensor.from('int64', [[1, 0, 1], [0, 0, 1]]) }) // prettier-ignore
  })
})

describe('int32 in place of int64', () => {
  it('counts positions as exports of RoBERTa do, and reads tables by them', async () => {
    const g = new GraphBuilder('positions', true)
    const ids = g.input('ids', 'int64', ['rows', 'length'])
    const real = g.cast(g.not(g.equal(ids, g.constant(1, 'int64'))), 'int32')
    const counted = g.mul(g.node('CumSum', [real, g.constant(1, 'int64')], {})[0]!, real)
    const places = g.add(g.cast(counted, 'int64'), g.constant(1, 'int64'))
    const segments = g.node('Expand', [g.constant(Tensor.from('int64', [[0, 1, 2, 3, 0, 1, 2, 3, 0]])), g.concat([g.slice(g.shape(ids), [0], [1], [0]), g.integers([1])], 0)], {})[0]! // prettier-ignore
    const segment = g.gatherElements(segments, places, 1)
    const table = g.constant(Tensor.from('float32', integers(9, 50, 1).map(v => [v, v / 8]))) // prettier-ignore
    const y = g.add(g.gather(table, places), g.gather(table, segment))
    const rows = [[5, 1, 7, 9], [1, 1, 4, 4], [3, 3, 3, 3]] // prettier-ignore
    const written = await expectSame(g.build({ y }), { ids: Tensor.from('int64', rows) })
    expect(written.inputs.map(({ dtype }) => dtype)).toEqual(['int32'])
  })

  it('computes, compares and moves as with int64', async () => {
    const g = new GraphBuilder('arithmetic', true)
    const [a, b] = ['a', 'b'].map(name => g.input(name, 'int64', ['n', 6])) as [Value, Value]
    const seven = g.constant(7, 'int64')
    const float = (value: Value): Value => g.cast(value, 'float32')
    const outputs = {
      sum: float(g.add(a, g.sub(b, seven))),
      mod: float(g.node('Mod', [a, seven], {})[0]!),
      div: float(g.div(a, seven)),
      least: float(g.max(g.min(a, b), g.constant(-3, 'int64'))),
      chosen: float(g.where(g.less(a, b), a, g.mul(g.node('Mod', [b, seven], {})[0]!, seven))),
      total: float(g.reduceMax(g.neg(g.abs(a)), [1])),
      moved: float(g.slice(g.concat([g.transpose(a, [1, 0]), g.transpose(b, [1, 0])], 0), [3], [9], [0])),
      wide: g.cast(g.where(g.greater(a, b), a, b), 'int32'),
      left: g.node('Identity', [a], {})[0]!,
    }
    const big = integers(30, largestGiven, 11)
    const feeds = { a: Tensor.from('int64', big), b: Tensor.from('int64', integers(30, 20, 12)) }
    const shaped = Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, new Tensor('int64', data as BigInt64Array<ArrayBuffer>, [5, 6])])) // prettier-ignore
    const expected = await run(processor, g.build(outputs), shaped)
    const written = forDevice(g.build(outputs))
    expect(await run(processor, written, shaped)).toEqual(expected)
    const { left: _left, ...others } = outputs // an output of int64, which is a Cast at the end
    await expectSame(g.build(others), shaped)
  })

  it('stays int64 where a number could go beyond int32', async () => {
    const g = new GraphBuilder('products', true)
    const ids = g.input('ids', 'int64', ['n'])
    const hashed = g.node('Mod', [g.mul(g.add(ids, g.constant(1, 'int64')), g.constant(131071, 'int64')), g.constant(64, 'int64')], {})[0]! // prettier-ignore
    const graph = g.build({ y: g.cast(hashed, 'float32') })
    const ids32 = { ids: Tensor.from('int64', integers(40, 2 ** 24, 13).map(Math.abs)) } // prettier-ignore
    const written = forDevice(graph)
    expect(await run(processor, written, ids32)).toEqual(await run(processor, graph, ids32))
    expect(written.nodes.find(({ op }) => op === 'Mul')!.inputs[0]!.dtype).toBe('int64')
  })

  it('leaves inputs that are lengths as they are', async () => {
    const g = new GraphBuilder('lengths', true)
    const [ids, lengths] = [g.input('ids', 'int64', ['n']), g.input('lengths', 'int64', [2])]
    const y = g.reshape(g.cast(g.add(ids, g.constant(1, 'int64')), 'float32'), lengths)
    const feeds = { ids: Tensor.from('int64', [1, 2, 3, 4, 5, 6]), lengths: Tensor.from('int64', [2, 3]) }
    const written = await expectSame(g.build({ y }), feeds)
    expect(written.inputs.map(({ dtype }) => dtype)).toEqual(['int32', 'int64'])
  })

  it('leaves a graph without int64 inputs, Round and Mod as it is', () => {
    const g = new GraphBuilder('plain')
    const graph = g.build({ y: g.gather(g.input('table', 'float32', [9, 2]), g.input('ids', 'int32', ['n'])) })
    expect(forDevice(graph)).toBe(graph)
  })
})

describe('a feed of int64', () => {
  const program = { inputs: [{ name: 'ids', dtype: 'int32', dims: [-1] }] } as unknown as Parameters<typeof inputsOf>[0]
  const feed = (numbers: readonly number[]): LabelledFeed =>
    ({ inputs: { ids: Tensor.from('int64', numbers) } }) as unknown as LabelledFeed

  it('becomes int32 where the program takes that', () => {
    const { ids } = inputsOf(program, feed([5, -100, largestGiven]), { count: 1 }, {})
    expect(ids).toEqual(Tensor.from('int32', [5, -100, largestGiven]))
  })

  it('is refused with a number that no device counts to', () => {
    expect(() => inputsOf(program, feed([5, largestGiven + 1]), { count: 1 }, {})).toThrow(
      '"ids" has the number 16777217, but on a device whole numbers of int64 go up to 16777216. Train on device \'cpu\'',
    )
  })
})
