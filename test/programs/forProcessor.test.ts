import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import type { Graph } from '../../src/onnx/types'
import { forProcessor } from '../../src/programs/forProcessor'
import { Tensor } from '../../src/tensor'
import { cases } from '../autodiff/cases'
import { backwardOps, gradientGraph } from '../helpers/gradientGraph'
import { evaluate } from '../helpers/referenceEngine'
import { writeGradients } from '../helpers/writeGradients'

const opsOf = (graph: Graph): string[] => graph.nodes.map(node => node.op)

describe('a graph rewritten for the processor gives the numbers of the graph itself', () => {
  for (const [op, list] of Object.entries(cases)) {
    for (const { title, build, inputs, notOnRuntime: _, ...options } of list) {
      it(`${op}, ${title}`, () => {
        for (const weighting of ['whole', 'column', 'scalar'] as const) {
          const { graph, feeds } = writeGradients(build, inputs, weighting, options)
          const rewritten = forProcessor(graph)
          check(rewritten)
          expect(rewritten.outputs).toEqual(graph.outputs)
          const found = evaluate(rewritten, feeds)
          for (const [name, expected] of Object.entries(evaluate(graph, feeds))) {
            const { data, dims } = found[name]!
            expect(dims, name).toEqual(expected.dims)
            const largest = Array.from(expected.data, Number).reduce((top, v) => Math.max(top, Math.abs(v)), 1)
            Array.from(expected.data, Number).forEach((v, i) =>
              expect(Math.abs(Number(data[i]) - v), `${name}[${i}]`).toBeLessThanOrEqual(1e-12 * largest),
            )
          }
        }
      })
    }
  }
})

describe('what is rewritten', () => {
  const sumOfRows = ['Shape', 'Concat', 'Expand', 'MatMul', 'Squeeze']

  it('a transposed first factor becomes a node, a sum over rows a product with ones', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.input('w', 'float32', [4, 2])
    const b = g.input('b', 'float32', [2])
    const graph = gradientGraph(g, g.sum(g.tanh(g.gemm(x, w, b))), [w, b])
    expect(backwardOps(graph)).toEqual(['Mul', 'Sub', 'Gemm', 'ReduceSum'])
    expect(backwardOps(forProcessor(graph))).toEqual(['Mul', 'Sub', 'Transpose', 'Gemm', ...sumOfRows])
  })

  it('a product keeps its alpha', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.input('w', 'float32', [2, 4])
    const graph = gradientGraph(g, g.sum(g.exp(g.gemm(x, w, undefined, { transB: 1, alpha: 1.5 }))), [w])
    const product = forProcessor(graph).nodes.findLast(node => node.op === 'Gemm')!
    expect(product).toMatchObject({ attributes: { alpha: 1.5 }, outputs: [{ name: 'w_grad' }] })
    expect(product.attributes).not.toHaveProperty('transA')
  })

  it('of two transpositions around a product one is left', () => {
    const g = new GraphBuilder('g')
    const q = g.input('q', 'float32', [2, 5, 4])
    const k = g.input('k', 'float32', [2, 5, 4])
    const scores = g.softmax(g.matMul(q, g.transposeLast(k)))
    const graph = gradientGraph(g, g.sum(g.mul(scores, scores)), [q, k])
    const products = (ops: string[]): string[] => ops.filter(op => op === 'Transpose' || op === 'MatMul')
    expect(products(backwardOps(graph))).toEqual(['Transpose', 'MatMul', 'Transpose', 'MatMul', 'Transpose'])
    expect(products(backwardOps(forProcessor(graph)))).toEqual(['MatMul', 'Transpose', 'MatMul'])
  })

  it('a transposed product of a transposed factor becomes one of the other, unless that is the larger one', () => {
    const productOf = (own: number, other: number): string[] => {
      const g = new GraphBuilder('g')
      const x = g.input('x', 'float32', ['n', own])
      const dy = g.input('dy', 'float32', ['n', other])
      return opsOf(forProcessor(g.build({ w: g.transposeLast(g.gemm(x, dy, undefined, { transA: 1, alpha: 2 })) })))
    }
    expect(productOf(6, 4)).toEqual(['Transpose', 'Gemm'])
    expect(productOf(4, 4)).toEqual(['Transpose', 'Gemm'])
    expect(productOf(4, 6)).toEqual(['Transpose', 'Gemm', 'Transpose'])
  })

  it.each([
    { axes: [0, 1], keepdims: 0, shape: [5] },
    { axes: [1, 0], keepdims: 1, shape: [1, 1, 5] },
    { axes: [-3, -2], keepdims: 0, shape: [5] },
  ])('a sum over axes $axes of three with keepdims $keepdims is a product with ones', ({ axes, keepdims, shape }) => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 'm', 5])
    const summed = g.node('ReduceSum', [x, g.integers(axes)], { keepdims })[0]!
    const graph = g.build({ sum: summed })
    const rewritten = forProcessor(graph)
    expect(opsOf(rewritten)).toContain('MatMul')
    expect(opsOf(rewritten)).not.toContain('ReduceSum')
    const data = Float32Array.from({ length: 30 }, (_, i) => i * i)
    const feeds = { x: new Tensor('float32', data, [2, 3, 5]) }
    expect(evaluate(rewritten, feeds).sum!.dims).toEqual(shape)
    expect(evaluate(rewritten, feeds)).toEqual(evaluate(graph, feeds))
  })

  it('rows are added up in a small table by a product, in a large one by a scatter', () => {
    const rowsOf = (rows: number): string[] => {
      const g = new GraphBuilder('g')
      const table = g.input('table', 'float32', [rows, 6])
      const read = g.gather(table, g.input('index', 'int32', ['n']))
      return opsOf(forProcessor(gradientGraph(g, g.sum(g.mul(read, read)), [table])))
    }
    expect(rowsOf(127)).not.toContain('ScatterElements')
    expect(rowsOf(128)).toContain('ScatterElements')
  })

  it('other scatters, sums and transpositions stay', () => {
    const g = new GraphBuilder('g')
    const data = g.input('data', 'float32', [5, 2])
    const index = g.input('index', 'int32', ['n', 2])
    const updates = g.input('updates', 'float32', ['n', 2])
    const put = g.node('ScatterElements', [data, index, updates], { axis: 0, reduction: 'add' })[0]!
    const graph = g.build({ put, sum: g.reduceSum(updates, [1]), turned: g.transpose(data, [1, 0]) })
    expect(forProcessor(graph).nodes).toEqual(graph.nodes)
  })
})

// a product for few rows, a scatter for many
it.each([3, 2000])('adds up the gradients of the rows of a table, %i of them, with several threads', async rows => {
  const reads = 30_000
  const width = 16
  const g = new GraphBuilder('rows')
  const table = g.input('table', 'float32', [rows, width])
  const graph = gradientGraph(g, g.sum(g.gather(table, g.input('index', 'int32', ['n']))), [table])
  const places = Int32Array.from({ length: reads }, (_, i) => (i * 7919) % rows)
  const expected = new Float32Array(rows * width)
  for (const row of places) for (let i = 0; i < width; i++) expected[row * width + i]! += 1
  const feeds = {
    table: new RuntimeTensor('float32', new Float32Array(rows * width), [rows, width]),
    index: new RuntimeTensor('int32', places, [reads]),
  }
  for (const written of [graph, forProcessor(graph)]) {
    const session = await InferenceSession.create(encode(written).model, { intraOpNumThreads: 4 })
    for (let trial = 0; trial < 10; trial++) expect((await session.run(feeds)).table_grad!.data).toEqual(expected)
    await session.release()
  }
})
