import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph, Value } from '../../src/onnx/types'
import { adafactor } from '../../src/optim/adafactor'
import { adagrad } from '../../src/optim/adagrad'
import { adamw } from '../../src/optim/adamw'
import { lion } from '../../src/optim/lion'
import { rmsprop } from '../../src/optim/rmsprop'
import { sgd } from '../../src/optim/sgd'
import { writableInPlace } from '../../src/programs/inPlace'
import { additions } from '../../src/programs/sums'
import { updatesGraph } from '../../src/programs/update'

/** Whether y, which a graph of x [2, 2] and d [2, 2] makes, may be written over x. */
function isWritable(write: (g: GraphBuilder, x: Value, d: Value) => Record<string, Value>): boolean {
  const g = new GraphBuilder('one')
  const graph = g.build(write(g, g.input('x', 'float32', [2, 2]), g.input('d', 'float32', [2, 2])))
  return writableInPlace(graph, [['y', 'x']]).has('y')
}

describe('an output may be written over an input', () => {
  it.each<[string, (g: GraphBuilder, x: Value, d: Value) => Record<string, Value>]>([
    ['that the node which makes it reads element by element', (g, x, d) => ({ y: g.sub(x, d) })],
    ['that what it is made from reads', (g, x, d) => ({ y: g.mul(g.matMul(x, d), d) })],
    ['that both read', (g, x, d) => ({ y: g.sub(g.mul(x, d), g.mul(g.matMul(x, x), x)) })],
    ['which nothing reads', (g, _, d) => ({ y: g.neg(d) })],
  ])('%s', (_, write) => expect(isWritable(write)).toBe(true))
})

describe('an output may not be written over an input', () => {
  it.each<[string, (g: GraphBuilder, x: Value, d: Value) => Record<string, Value>]>([
    ['of which the node that makes it reads other elements', (g, x, d) => ({ y: g.matMul(x, d) })],
    [
      'which is read after it',
      (g, x, d) => {
        const y = g.add(x, d)
        return { y, z: g.mul(y, x) }
      },
    ],
    ['which another output may read after it', (g, x, d) => ({ y: g.add(x, d), z: g.neg(x) })],
    ['that it is', (_, x) => ({ y: x })],
    ['that is broadcast', (g, x, d) => ({ y: g.add(x, g.unsqueeze(d, [0])) })],
  ])('%s', (_, write) => expect(isWritable(write)).toBe(false))
})

/** Outputs of a graph with the inputs that they replace. */
function pairsOf(graph: Graph): [string, string][] {
  return graph.outputs.map(({ name }) => [name, name.replace('_out', '').replace('result', 'sum')])
}

describe('what a device writes in place', () => {
  const parameters = [
    { name: 'table', shape: [20, 4] },
    { name: 'bias', shape: [4] },
  ]
  it.each([adamw(), sgd(), sgd({ momentum: 0.9 }), adagrad(), rmsprop({ momentum: 0.5, centered: true }), adafactor()])(
    'is everything that an update of $name changes',
    optimizer => {
      const pairs = pairsOf(updatesGraph(optimizer, parameters, { weightDecay: () => 0.1 }))
      expect(pairs).toHaveLength(parameters.reduce((sum, one) => sum + 1 + Object.keys(optimizer.init(one)).length, 0))
      expect([...writableInPlace(updatesGraph(optimizer, parameters, { weightDecay: () => 0.1 }), pairs)]).toEqual(
        pairs.map(([output]) => output),
      )
    },
  )

  it('is no slot of lion, whose old value the direction is made of', () => {
    const graph = updatesGraph(lion(), parameters, { weightDecay: () => 0.1 })
    expect([...writableInPlace(graph, pairsOf(graph))]).toEqual(['parameter_out.0', 'parameter_out.1'])
  })

  it('is every sum of gradients', () => {
    const graph = additions(
      [
        { shape: [20, 4], parts: 2 },
        { shape: [20, 4], parts: 1 },
        { shape: [4], parts: 0 },
      ],
      false,
    )
    const pairs = pairsOf(graph)
    expect([...writableInPlace(graph, pairs)]).toEqual(['result.0', 'result.1', 'result.2'])
  })
})
