import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import type { OpName } from '../../src/onnx/operators'
import type { Graph } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { allCases } from '../onnx/operatorCases'
import { graphOf } from '../onnx/operatorCases/case'
import { evaluate } from './referenceEngine'
import { erf } from './referenceKernels/elementwise'

/** Where float32 itself is coarser than the bound for all: sums of cancelling terms, and functions of them. */
const tolerance = 2e-6
const tolerances: { readonly [Op in OpName]?: number } = {
  LayerNormalization: 1e-5,
  SkipLayerNormalization: 1e-5,
  Pow: 1e-5,
}

describe('the reference engine agrees with ONNX Runtime', () => {
  it.each(allCases)('$title', async ({ op, of }) => {
    const { graph, feeds } = graphOf(op, of)
    const ours = evaluate(graph, feeds)
    const theirs = await run(graph, feeds)
    for (const { name } of graph.outputs) {
      const y = ours[name]!
      const expected = theirs[name]!
      expect({ name, dims: y.dims, type: y.dtype === 'float64' ? 'float32' : y.dtype }).toEqual({
        name,
        dims: expected.dims,
        type: expected.type,
      })
      const data = Array.from(expected.data as Iterable<number | bigint>, Number)
      data.forEach((value, i) => {
        const error = Math.abs(Number(y.data[i]) - value) / Math.max(1, Math.abs(value))
        expect(error, `${name}[${i}]: ${y.data[i]} is not ${value}`).toBeLessThanOrEqual(
          y.dtype === 'float64' ? (tolerances[op] ?? tolerance) : 0,
        )
      })
    }
  })
})

describe('evaluate', () => {
  const builder = new GraphBuilder('two steps')
  const x = builder.input('x', 'float32', ['n', 2])
  const graph = builder.build({ y: builder.softmax(builder.mul(x, 2)) })

  it('computes in float64', () => {
    const y = evaluate(graph, { x: Tensor.from('float64', [[0.1, 0.3]]) })['y']!
    expect(y.dtype).toBe('float64')
    expect(y.data[0]).toBeCloseTo(1 / (1 + Math.exp(0.4)), 15)
  })

  it('refuses a missing tensor and one of another shape than declared', () => {
    expect(() => evaluate(graph, {})).toThrow(/No tensor was fed for the input "x"/)
    expect(() => evaluate(graph, { x: Tensor.zeros('float32', [2, 3]) })).toThrow(
      /x is declared float32\[n, 2\] \(n = 2\), but is float32\[2, 3\]/,
    )
  })

  it('requires a named length to be the same everywhere', () => {
    const wrong = { ...graph, inputs: [...graph.inputs, { name: 'z', dtype: 'float32', shape: ['n'] } as const] }
    const feeds = { x: Tensor.zeros('float32', [2, 2]), z: Tensor.zeros('float32', [3]) }
    expect(() => evaluate(wrong, feeds)).toThrow(/z is declared float32\[n\] \(n = 2\)/)
  })

  it('decodes half floats', () => {
    const halves = new GraphBuilder('halves')
    const a = halves.input('a', 'float16', [3])
    const b = halves.input('b', 'bfloat16', [2])
    const outputs = evaluate(halves.build({ u: halves.cast(a, 'float32'), v: halves.cast(b, 'float32') }), {
      a: new Tensor('float16', Uint16Array.of(0x3c00, 0xc500, 0x0001), [3]), // 1, -5, the smallest
      b: new Tensor('bfloat16', Uint16Array.of(0x3f80, 0xc0a0), [2]), // 1, -5
    })
    expect(outputs['u']!.tolist()).toEqual([1, -5, 2 ** -24])
    expect(outputs['v']!.tolist()).toEqual([1, -5])
  })

  // values of Abramowitz and Stegun's table 7.1, and of NIST's Digital Library of Mathematical Functions
  it.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [-3, -0.9999779095030014],
    [7, 1],
  ])('erf(%d)', (at, value) => {
    expect(erf(at)).toBeCloseTo(value, 15)
  })
})

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<InferenceSession.OnnxValueMapType> {
  const session = await InferenceSession.create(encode(graph).model, {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
  })
  try {
    const fed = Object.entries(feeds).map(([name, { dtype, data, dims }]) => [
      name,
      new OrtTensor(dtype as 'float32', data as never, dims),
    ])
    return await session.run(Object.fromEntries(fed))
  } finally {
    await session.release()
  }
}
