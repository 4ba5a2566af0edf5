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
