import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import type { Graph, Node, Value } from '../../src/onnx/types'
import { inPrecision, mixedPrecision } from '../../src/programs/mixedPrecision'
import { roundedPrecision } from '../../src/programs/roundedPrecision'
import { trainingProgram } from '../../src/programs/training'
import type { ReducedType } from '../../src/tensor'
import { cases } from '../autodiff/cases'
import { definitionOf } from '../helpers/oracleModels'
import { evaluate } from '../helpers/referenceEngine'
import { tinyConfig } from '../helpers/tinyModel'
import { writeGradients } from '../helpers/writeGradients'

const types: readonly ReducedType[] = ['float16', 'bfloat16']

/** A graph's operators other than casts, by the type of their first output: how often each occurs. */
function operatorsIn(graph: Graph, type: string): Record<string, number> {
  const found = graph.nodes.filter(({ op, outputs }) => op !== 'Cast' && outputs[0]!.dtype === type)
  const names = found.map(({ op }) => op).toSorted()
  return Object.fromEntries([...new Set(names)].map(op => [op, names.filter(name => name === op).length]))
}

function trainingGraph(precision?: ReducedType): Graph {
  const config = { ...tinyConfig, num_hidden_layers: 2, vocab_size: 5000 }
  const model = definitionOf({ ...config, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 })
  const layout = model.layout({ rows: 1, fewShapes: false })
  return trainingProgram(model, layout, layout.usualVariant, {}, { precision }).graph
}

describe('a graph in mixed precision', () => {
  describe.each(types)('computes what the graph itself does, but for the roundings of %s:', type => {
    for (const [op, list] of Object.entries(cases)) {
      for (const { title, build, inputs, notOnRuntime: _, ...options } of list) {
        it(`${op}, ${title}`, () => {
          const { graph, feeds } = writeGradients(build, inputs, 'whole', options)
          for (const reduced of [mixedPrecision(graph, type), inPrecision(graph, type, true)]) {
            check(reduced)
            expect(reduced.outputs).toEqual(graph.outputs)
            expect(reduced.inputs).toEqual(graph.inputs)
            const found = evaluate(reduced, feeds) // which rounds nothing, whatever the types
            for (const [name, expected] of Object.entries(evaluate(graph, feeds))) expect(found[name]).toEqual(expected)
          }
        })
      }
    }
  })

  it("has a BERT's products in float16, and sums, norms, losses and what the update reads in float32", () => {
    const graph = trainingGraph('float16')
    expect(operatorsIn(graph, 'float16')).toEqual({
      Add: 1, // of what two products send back
      Gelu: 2,
      Gather: expect.any(Number) as number,
      Gemm: 42, // 14 linear layers: forward, gradients of what goes in, and of the weights
      MatMul: 12, // 2 of attention in 2 layers, and 2 gradients of each
      Mul: 2, // of tanh's gradient
      Reshape: expect.any(Number) as number,
      Sub: 1, // 1 - tanh²
      Tanh: 1,
      Transpose: expect.any(Number) as number,
    })
    const single = operatorsIn(graph, 'float32')
    for (const op of ['Softmax', 'LayerNormalization', 'ReduceSum', 'ReduceMean', 'ReduceMax', 'Exp', 'Log', 'Erf'])
      expect(single[op], op).toBeGreaterThan(0)
    expect(single).not.toHaveProperty('Gemm')
    // the sums over rows and columns of the gradients of 5 normalizations
    expect(graph.nodes.filter(({ op, outputs }) => op === 'MatMul' && outputs[0]!.dtype === 'float32')).toHaveLength(10)
    for (const { name, dtype } of [...graph.inputs, ...graph.outputs].filter(value => value.dtype.startsWith('f')))
      expect(dtype, name).toBe('float32')
  })

  it('casts each parameter once, for the products of both passes', () => {
    const graph = trainingGraph('float16')
    const read = (name: string): readonly Node[] =>
      graph.nodes.filter(({ inputs }) => inputs.some(input => input?.name === name))
    const products = graph.inputs.filter(({ name }) => /(query|key|value|dense|classifier)\.weight$/.test(name))
    expect(products).toHaveLength(14)
    for (const { name } of products)
      expect(
        read(name).map(({ op }) => op),
        name,
      ).toEqual(['Cast'])
    for (const { name } of graph.inputs.filter(input => input.name.endsWith('LayerNorm.weight')))
      expect(
        read(name).filter(({ op }) => op === 'Cast'),
        name,
      ).toEqual([])
  })

  it('has the loss scaled where the backward pass starts, in float16 alone', () => {
    const scaleOf = (graph: Graph): Value | undefined => graph.inputs.find(({ name }) => name === 'loss_scale')
    expect(scaleOf(trainingGraph('float16'))).toMatchObject({ dtype: 'float32', shape: [] })
    expect(scaleOf(trainingGraph('bfloat16'))).toBeUndefined()
    expect(scaleOf(trainingGraph())).toBeUndefined()
  })
})

describe('what is in 16 bits', () => {
  /** The operators in float16 of a graph of one output. */
  function reducedOf(write: (g: GraphBuilder, x: Value, w: Value) => Value, type: ReducedType = 'float16'): unknown {
    const g = new GraphBuilder('g')
    const y = write(g, g.input('x', 'float32', ['n', 4]), g.input('w', 'float32', [4, 4]))
    return Object.keys(operatorsIn(mixedPrecision(g.build({ y }), type), type))
  }

  it('is what follows a product, but with an operand of float32', () => {
    expect(reducedOf((g, x, w) => g.tanh(g.matMul(x, w)))).toEqual(['MatMul', 'Tanh'])
    expect(reducedOf((g, x, w) => g.add(g.matMul(x, w), x))).toEqual(['MatMul'])
    expect(reducedOf((g, x, w) => g.exp(g.matMul(x, w)))).toEqual(['MatMul'])
    expect(reducedOf((g, x) => g.tanh(x))).toEqual([])
  })

  it('reads constants that it holds without rounding, and truths', () => {
    expect(reducedOf((g, x, w) => g.mul(g.matMul(x, w), 0.5))).toEqual(['MatMul', 'Mul'])
    expect(reducedOf((g, x, w) => g.mul(g.matMul(x, w), 0.1))).toEqual(['MatMul'])
    expect(reducedOf((g, x, w) => g.mul(g.matMul(x, w), 65536))).toEqual(['MatMul'])
    expect(reducedOf((g, x, w) => g.mul(g.matMul(x, w), 65536), 'bfloat16')).toEqual(['MatMul', 'Mul'])
    expect(reducedOf((g, x, w) => g.mul(g.matMul(x, w), 1.0078125), 'bfloat16')).toEqual(['MatMul', 'Mul'])
    expect(reducedOf((g, x, w) => g.mul(g.matMul(x, w), 1.00390625), 'bfloat16')).toEqual(['MatMul'])
    const masked = (g: GraphBuilder, x: Value, w: Value): Value =>
      g.mul(g.matMul(x, w), g.cast(g.greater(x, 0), 'float32'))
    expect(reducedOf(masked)).toEqual(['MatMul', 'Mul'])
  })

  it('is what is only moved on its way to products', () => {
    const softmax = (g: GraphBuilder, x: Value, w: Value): Value => g.transposeLast(g.softmax(g.matMul(x, w)))
    expect(reducedOf((g, x, w) => g.matMul(softmax(g, x, w), x))).toEqual(['MatMul', 'Transpose'])
    expect(reducedOf((g, x, w) => softmax(g, x, w))).toEqual(['MatMul'])
    expect(
      reducedOf((g, x, w) => {
        const moved = softmax(g, x, w)
        return g.mul(g.sum(g.matMul(moved, x)), g.sum(moved))
      }),
    ).toEqual(['MatMul'])
  })

  it('are no convolutions in bfloat16, of which CUDA has no kernel', () => {
    const convolution = (g: GraphBuilder, x: Value): Value =>
      g.node('Conv', [g.unsqueeze(x, [1]), g.input('kernel', 'float32', [2, 1, 3])], {})[0]!
    expect(reducedOf(convolution)).toEqual(['Conv', 'Unsqueeze'])
    expect(reducedOf(convolution, 'bfloat16')).toEqual([])
  })
})

it('a graph for the processor has no operator but casts in 16 bits, and rounds each result of arithmetic', () => {
  const g = new GraphBuilder('g')
  const x = g.input('x', 'float32', ['n', 4])
  const w = g.input('w', 'float32', [4, 4])
  const mixed = mixedPrecision(g.build({ y: g.gelu(g.transposeLast(g.matMul(x, w))) }), 'float16')
  const graph = roundedPrecision(mixed, 'float16')
  check(graph)
  expect(graph.nodes.map(({ op }) => op)).toEqual([
    ...['Cast', 'Cast', 'Cast', 'Cast', 'MatMul', 'Cast', 'Cast', 'Transpose', 'Gelu', 'Cast', 'Cast'],
  ])
  expect(operatorsIn(graph, 'float16')).toEqual({})
})
