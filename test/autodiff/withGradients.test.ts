import { describe, expect, it } from 'vitest'
import { withGradients } from '../../src/autodiff/withGradients'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'

describe('withGradients', () => {
  const model = (): Graph => {
    const g = new GraphBuilder('model')
    const x = g.input('x', 'float32', ['n', 3])
    const w = g.initializer(
      'w',
      Tensor.from('float32', [
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    )
    const scale = g.constant(Tensor.from('float32', [1, 2]))
    const bias = g.constant(Tensor.from('float32', [0, 0]))
    const [normal] = g.layerNormalization(g.matMul(x, w), scale, bias, 1e-5)
    return g.build({ y: normal, loss: g.sum(g.tanh(normal)) })
  }

  it('returns the outputs and the gradients beside them', () => {
    const graph = withGradients(model(), { loss: 'loss', wrt: ['w', 'x'] })
    expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['y', ['n', 2]],
      ['loss', []],
      ['w_grad', [3, 2]],
      ['x_grad', ['n', 3]],
    ])
    const feeds = {
      x: Tensor.from('float64', [
        [0.1, 0.2, -0.3],
        [1, -1, 0.5],
      ]),
    }
    const { loss, y, x_grad } = evaluate(graph, feeds)
    expect(y!.tolist()).toEqual(evaluate(model(), feeds).y!.tolist())
    const moved = Tensor.from('float64', [
      [0.1 + 1e-6, 0.2, -0.3],
      [1, -1, 0.5],
    ])
    const slope = (Number(evaluate(graph, { x: moved }).loss!.data[0]) - Number(loss!.data[0])) / 1e-6
    expect(Number(x_grad!.data[0]) / slope).toBeCloseTo(1, 5)
  })

  it('names a value that does not exist', () => {
    expect(() => withGradients(model(), { loss: 'los', wrt: ['w'] })).toThrow(
      expect.objectContaining({
        name: 'TrainerError',
        message: 'The graph "model" has no value named "los". Did you mean "loss"?',
      }),
    )
  })
})
