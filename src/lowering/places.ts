import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'

/** 0, 1, 2 … along an axis of x (int32), counted when the graph runs where the length is not known before. */
export function placesAlong(g: GraphBuilder, x: Value, axis: number): Value {
  const length = x.shape[axis]!
  if (typeof length === 'number')
    return g.constant(
      Tensor.from(
        'int32',
        Array.from({ length }, (_, i) => i),
      ),
    )
  const end = g.cast(g.squeeze(g.node('Shape', [x], { start: axis, end: axis + 1 })[0]!, [0]), 'int32')
  const [places] = g.node('Range', [g.constant(0, 'int32'), end, g.constant(1, 'int32')], {})
  return g.assume(places!, [length])
}
