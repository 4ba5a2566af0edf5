// what a device does with gradients between the training program and the update
import { expand } from '../autodiff/shapes'
import { GraphBuilder } from '../onnx/builder'
import type { Graph } from '../onnx/types'
import { Tensor } from '../tensor'

type Shape = readonly number[]

/** `sum`, `term` → `result`, their sum. */
export function addition(shape: Shape): Graph {
  const graph = new GraphBuilder('sum')
  return graph.build({ result: graph.add(graph.input('sum', 'float32', shape), graph.input('term', 'float32', shape)) })
}

/** `sum` [rows, width], `index` [n] (int32), `values` [n, width] → `result`: the values added at their rows. */
export function rowAddition(shape: Shape): Graph {
  const graph = new GraphBuilder('sum of rows')
  const sum = graph.input('sum', 'float32', shape)
  const index = graph.input('index', 'int32', ['n'])
  const values = graph.input('values', 'float32', ['n', shape[1]!])
  const places = expand(graph, graph.unsqueeze(index, [1]), values.shape, [values])
  const result = graph.node('ScatterElements', [sum, places, values], { axis: 0, reduction: 'add' })[0]!
  return graph.build({ result })
}

/** `x0`, `x1`, … → `sum`: of all squares. */
export function squares(shapes: readonly Shape[]): Graph {
  const graph = new GraphBuilder('sum of squares')
  const parts = shapes.map((shape, i) => {
    const x = graph.input(`x${i}`, 'float32', shape)
    return shape.length === 0
      ? graph.mul(x, x)
      : graph.reduceSumSquare(
          x,
          shape.map((_, axis) => axis),
        )
  })
  return graph.build({ sum: parts.reduce((sum, part) => graph.add(sum, part)) })
}

/** → `result`: zeros. */
export function zeros(shape: Shape): Graph {
  const graph = new GraphBuilder('zeros')
  const zero = graph.constant(Tensor.from('float32', 0))
  return graph.build({ result: graph.node('Expand', [zero, graph.integers(shape)], {})[0]! })
}
