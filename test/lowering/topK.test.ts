import { expect, it } from 'vitest'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { Tensor } from '../../src/tensor'
import { onRuntime } from '../helpers/onRuntime'
import { modelOf, targetIn } from './foreign'

// ONNX has no TopK without its second output: ONNX Runtime does not load one
it('TopK has both of its outputs where only the values are read', async () => {
  const graph = new GraphBuilder('case', true)
  const x = graph.input('x', 'float32', ['n', 4])
  const nodes = [{ op: 'TopK', inputs: ['x', 'k'], outputs: ['y', 'places'], attributes: {} }]
  const model = modelOf(nodes, new Map([['k', Tensor.from('int64', [2])]]), 18)
  const made = lower(targetIn(graph), { model, file: 'case.onnx', given: new Map([['x', x]]), wanted: ['y'] })
  const { y } = await onRuntime(graph.build(Object.fromEntries(made)), { x: Tensor.from('float32', [[3, 1, 4, 2]]) })
  expect(y).toEqual(Tensor.from('float32', [[4, 3]]))
})
