import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Value } from '../../src/onnx/types'
import { type Nested, Tensor } from '../../src/tensor'
import { gradientGraph } from '../helpers/gradientGraph'
import { evaluate } from '../helpers/referenceEngine'

interface Block {
  readonly inputs: Readonly<Record<string, Nested>>
  readonly weights: Nested
  readonly loss: number
  readonly gradients: Readonly<Record<string, Nested>>
}

/** PyTorch's values, made by scripts/fixtures/gradients.py. */
const { cases } = JSON.parse(readFileSync(new URL('../fixtures/autodiff/composed.json', import.meta.url), 'utf8')) as {
  cases: Record<string, Block>
}

type Write = (g: GraphBuilder, x: Readonly<Record<string, Value>>) => Value
const integers = (g: GraphBuilder, values: Nested): Value => g.constant(Tensor.from('int32', values))

/** The same blocks, written as the models and losses write them. */
const blocks: Readonly<Record<string, Write>> = {
  layer_norm: (g, { x, scale, bias }) => g.layerNormalization(x!, scale!, bias!, 1e-5)[0],
  attention: (g, { x, q, k, v, o, bias }) => {
    const rows = g.reshape(x!, [10, 6])
    const heads = (weight: Value, alpha = 1): Value =>
      g.transpose(g.reshape(g.gemm(rows, weight, undefined, { transB: 1, alpha }), [2, 5, 2, 3]), [0, 2, 1, 3])
    const scores = g.add(g.matMul(heads(q!, 1 / Math.sqrt(3)), g.transposeLast(heads(k!))), bias!)
    const mixed = g.transpose(g.matMul(g.softmax(scores), heads(v!)), [0, 2, 1, 3])
    return g.reshape(g.gemm(g.reshape(mixed, [10, 6]), o!, undefined, { transB: 1 }), [2, 5, 6])
  },
  feed_forward: (g, { x, up, up_bias, down, down_bias }) =>
    g.add(x!, g.gemm(g.gelu(g.gemm(x!, up!, up_bias!, { transB: 1 })), down!, down_bias!, { transB: 1 })),
  cross_entropy: (g, { logits }) => {
    const shifted = g.sub(logits!, g.reduceMax(logits!, [1], true))
    const logProbabilities = g.sub(shifted, g.log(g.reduceSum(g.exp(shifted), [1], true)))
    const oneHot = g.cast(g.equal(integers(g, [[2], [0], [-100], [1]]), integers(g, [[0, 1, 2]])), logits!.dtype)
    return g.neg(g.reduceSum(g.mul(oneHot, logProbabilities), [1]))
  },
  embeddings: (g, { words, positions, scale, bias }) => {
    const sum = g.add(
      g.gather(
        words!,
        integers(g, [
          [4, 1, 4],
          [0, 2, 4],
        ]),
      ),
      g.slice(positions!, [0], [3], [0]),
    )
    return g.layerNormalization(sum, scale!, bias!, 1e-12)[0]
  },
  tanh_gelu: (g, { x }) => {
    const cubic = g.mul(g.add(x!, g.mul(g.mul(x!, g.mul(x!, x!)), 0.044715)), Math.sqrt(2 / Math.PI))
    return g.mul(g.mul(x!, 0.5), g.add(g.tanh(cubic), 1))
  },
  extremes: (g, { x, y }) =>
    g.concat(
      [
        g.max(x!, y!),
        g.min(x!, y!),
        g.abs(x!),
        g.expand(g.reduceMax(x!, [1], true), x!),
        g.where(g.greater(x!, 0), g.pow(x!, 2), g.div(x!, g.add(g.pow(y!, 2), 1))),
      ],
      1,
    ),
}

describe('gradients through whole blocks match PyTorch', () => {
  it.each(Object.keys(cases))('%s', name => {
    const { inputs, weights, loss: expected, gradients } = cases[name]!
    const g = new GraphBuilder(name)
    const feeds = Object.fromEntries(
      Object.entries({ ...inputs, weights }).map(([key, values]) => [key, Tensor.from('float64', values)]),
    )
    const values = Object.fromEntries(
      Object.entries(feeds).map(([key, { dims }]) => [key, g.input(key, 'float64', dims)]),
    )
    const loss = g.sum(g.mul(blocks[name]!(g, values), values.weights!))
    const wrt = Object.keys(gradients).map(key => values[key]!)
    const found = evaluate(gradientGraph(g, loss, wrt), feeds)
    expect(found.loss!.data[0]).toBeCloseTo(expected, 10)
    for (const [key, gradient] of Object.entries(gradients)) {
      const ours = found[`${key}_grad`]!
      const theirs = Tensor.from('float64', gradient)
      expect(ours.dims).toEqual(theirs.dims)
      theirs.data.forEach((value, i) => expect(Number(ours.data[i]), `${key}[${i}]`).toBeCloseTo(value, 10))
    }
  })
})
