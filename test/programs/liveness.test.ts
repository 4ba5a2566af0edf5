import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph } from '../../src/onnx/types'
import { Arena } from '../../src/programs/arena'
import { planBuffers, runOrder } from '../../src/programs/bufferPlan'
import { liveBytes, type LiveBytes } from '../../src/programs/liveness'
import { Tensor } from '../../src/tensor'

const none: ReadonlySet<string> = new Set()
const kib = 1024

/** x [n, 256] → a = x · w, b = a · w, sum = a + b, y = sum · w: each [n, 256], n KiB. */
function graph(): Graph {
  const builder = new GraphBuilder('three')
  const x = builder.input('x', 'float32', ['n', 256])
  const weight = builder.input('weight', 'float32', [256, 256])
  const a = builder.matMul(x, weight)
  const b = builder.matMul(a, weight)
  const sum = builder.add(a, b)
  return builder.build({ y: builder.matMul(sum, weight) })
}

function bytesOf(given: Graph, lengths: Record<string, number>, inputs = {}, elsewhere = none): LiveBytes {
  return liveBytes(given, planBuffers(given), { lengths, inputs }, elsewhere)
}

describe('what values take while a graph runs', () => {
  it('is what is taken at once, inputs and what is written elsewhere left out', () => {
    // a, b and their sum, which ONNX Runtime does not write over either; y is in a buffer of its own as an output
    expect(bytesOf(graph(), { n: 100 })).toEqual({ peak: 300 * kib, unknown: [] })
    expect(bytesOf(graph(), { n: 100 }, {}, new Set(['y'])).peak).toBe(300 * kib)
  })

  it('names values whose size nothing says', () => {
    expect(bytesOf(graph(), {}).unknown).toHaveLength(4)
  })

  it('follows lengths that inputs say', () => {
    const builder = new GraphBuilder('parts')
    const x = builder.input('x', 'float32', ['n', 256])
    const counts = builder.input('counts', 'int64', [2])
    const [first, second] = builder.node('Split', [x, counts], { axis: 0 }, 2)
    const given = builder.build({ y: builder.exp(builder.exp(first!)), z: builder.exp(builder.exp(second!)) })
    const inputs = { x: Tensor.zeros('float32', [8, 256]), counts: new Tensor('int64', BigInt64Array.of(3n, 5n), [2]) }
    // parts of 3 and 5 KiB, and what is made of the second beside them; the second is freed before the next 5
    expect(bytesOf(given, {}, inputs)).toEqual({ peak: 13 * kib, unknown: [] })
  })

  it('runs every node once, after those that it reads', () => {
    const order = runOrder(graph())
    expect(order.map(({ op }) => op)).toEqual(['MatMul', 'MatMul', 'Add', 'MatMul'])
  })
})

describe('the buffers that are planned', () => {
  it('are taken by values of the same shape after the last one that reads them', () => {
    const builder = new GraphBuilder('chain')
    const x = builder.input('x', 'float32', ['n', 4])
    const values = [builder.exp(x)]
    for (let i = 0; i < 4; i++) values.push(builder.exp(values.at(-1)!))
    const { bufferOf } = planBuffers(builder.build({ y: builder.exp(values.at(-1)!) }))
    const buffers = values.map(({ name }) => bufferOf.get(name))
    expect(buffers).toEqual([0, 1, 0, 1, 0].map(i => values[i]!.name))
  })

  it('are those of an input under another shape, and written over where a kernel may', () => {
    const builder = new GraphBuilder('views')
    const x = builder.input('x', 'float32', ['n', 4])
    const made = builder.exp(x)
    const reshaped = builder.reshape(made, [-1])
    const tanh = builder.tanh(made)
    const { bufferOf } = planBuffers(builder.build({ y: builder.exp(reshaped), z: builder.exp(tanh) }))
    expect(bufferOf.get(reshaped.name)).toBe(made.name)
    expect([made.name, tanh.name]).toContain(bufferOf.get(tanh.name))
  })
})

describe("ONNX Runtime's arena", () => {
  it('takes memory where something was written, whole pages, and again what is free', () => {
    const arena = new Arena()
    const first = arena.take(10_000)
    expect(arena.touched).toBe(3 * 4096)
    arena.give(first)
    arena.give(arena.take(12_000))
    expect(arena.touched).toBe(3 * 4096)
    arena.take(2 ** 21)
    expect(arena.touched).toBe(3 * 4096 + 2 ** 21)
    expect(arena.reserved).toBe(3 * 2 ** 20) // regions of 1 and 2 MiB
  })
})
