import { GraphBuilder } from '../onnx/builder'
import type { Graph, Value } from '../onnx/types'

type Shape = readonly number[]

/**
 * What an update is made by, as `optim/updateSums` computes it, where the sums are: `x0`, `x1`, … (of gradients), `loss`,
 * `count`, `loss_scale` and `max_norm` → `gradient_scale`, what the gradients are multiplied by; `finite`, which is 1, or 0
 * where the update must not be made; and `sums` [3]: loss, count and squared norm.
 */
export function judging(shapes: readonly Shape[]): Graph {
  const graph = new GraphBuilder('judging')
  const squaredNorm = sumOfSquares(graph, shapes)
  const scalar = (name: string): Value => graph.input(name, 'float32', [])
  const loss = scalar('loss')
  const count = scalar('count')
  const maxNorm = scalar('max_norm')
  const divisor = graph.where(graph.equal(count, 0), 1, count)
  const scale = graph.div(1, graph.mul(divisor, scalar('loss_scale')))
  const norm = graph.mul(graph.sqrt(squaredNorm), scale)
  const coefficient = graph.min(graph.div(maxNorm, graph.add(norm, 1e-6)), 1)
  return graph.build({
    gradient_scale: graph.mul(scale, graph.where(graph.greater(maxNorm, 0), coefficient, 1)),
    finite: graph.cast(isFinite(graph, [loss, count, squaredNorm]), 'float32'),
    sums: graph.concat(
      [loss, count, squaredNorm].map(value => graph.reshape(value, [1])),
      0,
    ),
  })
}

/** Without IsNaN and IsInf, which WebGPU does not have: no comparison holds of a NaN, and this sum of quarters cannot overflow. */
function isFinite(graph: GraphBuilder, values: readonly Value[]): Value {
  const quarters = values.map(value => graph.mul(graph.abs(value), 0.25))
  return graph.less(
    quarters.reduce((sum, quarter) => graph.add(sum, quarter)),
    3e38,
  )
}

function sumOfSquares(graph: GraphBuilder, shapes: readonly Shape[]): Value {
  const squares = shapes.map((shape, i) => {
    const x = graph.input(`x${i}`, 'float32', shape)
    return graph.reduceSumSquare(
      x,
      shape.map((_, axis) => axis),
    )
  })
  return squares.reduce((sum, square) => graph.add(sum, square), graph.constant(0))
}
