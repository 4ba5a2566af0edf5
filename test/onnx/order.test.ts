import { expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { leavesLast } from '../../src/onnx/order'

it('puts the nodes that no other reads at the end, the last one first', () => {
  const g = new GraphBuilder('order')
  const x = g.input('x', 'float32', [2])
  const a = g.exp(x)
  const first = g.neg(x)
  const second = g.sqrt(a)
  const third = g.tanh(g.sin(a))
  const graph = g.build({ first, second, third, a })
  expect(graph.nodes.map(({ op }) => op)).toEqual(['Exp', 'Neg', 'Sqrt', 'Sin', 'Tanh'])
  const ordered = leavesLast(graph)
  check(ordered)
  expect(ordered.nodes.map(({ op }) => op)).toEqual(['Exp', 'Sin', 'Tanh', 'Sqrt', 'Neg'])
  expect({ ...ordered, nodes: graph.nodes }).toEqual(graph)
})

it('goes by what a node reads, where a pass has added it behind everything', () => {
  const g = new GraphBuilder('order')
  const x = g.input('x', 'float32', [2])
  const early = g.exp(x)
  const late = g.exp(g.sin(early))
  const lateEnd = g.tanh(late)
  const added = g.neg(early)
  const nodes = leavesLast(g.build({ lateEnd, added })).nodes
  // run from the last one back
  expect(nodes.map(({ op }) => op)).toEqual(['Exp', 'Sin', 'Exp', 'Tanh', 'Neg'])
})
