import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph } from '../../src/onnx/types'
import { Arena } from '../../src/programs/arena'
import { liveBytes, runOrder } from '../../src/programs/liveness'

/** x [n, 256] → a = x · x, b = a · x, sum = a + b: at most two values of n KiB at once, since the sum is written over one. */
function graph(): Graph {
  const builder = new GraphBuilder('three')
  const x = builder.input('x', 'float32', ['n', 256])
  const weight = builder.input('weight', 'float32', [256, 256])
  const a = builder.matMul(x, weight)
  const b = builder.matMul(a, weight)
  const sum = builder.add(a, b)
  return builder.build({ y: builder.matMul(sum, weight) })
}

describe('what values take while a graph runs', () => {
  it('is what lives at once, inputs and what is written elsewhere left out', () => {
    const none = new Set<string>()
    expect(liveBytes(graph(), { n: 100 }, none)).toMatchObject({ peak: 2 * 100 * 1024, unknown: [] })
    expect(liveBytes(graph(), { n: 100 }, new Set(['y'])).peak).toBe(2 * 100 * 1024)
  })

  it('names values whose size nothing says', () => {
    expect(liveBytes(graph(), {}, new Set()).unknown).toHaveLength(4)
  })

  it('runs every node once, after those that it reads', () => {
    const order = runOrder(graph())
    expect(order.map(({ op }) => op)).toEqual(['MatMul', 'MatMul', 'Add', 'MatMul'])
  })

  it('takes memory where something was written, whole pages, and again what is free', () => {
    const arena = new Arena()
    const first = arena.take(10_000)
    expect(arena.touched).toBe(3 * 4096)
    arena.give(first)
    arena.give(arena.take(12_000))
    expect(arena.touched).toBe(3 * 4096)
    arena.take(2 ** 21)
    expect(arena.touched).toBe(3 * 4096 + 2 ** 21)
  })
})
