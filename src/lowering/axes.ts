// merging and counting along axes, also where a length is known only when the graph runs
import type { GraphBuilder } from '../onnx/builder'
import { reshaped } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { affordable, known } from './writing'

/** The length of an axis as an int64 scalar, read when the graph runs where it is a name. */
export function lengthOf(g: GraphBuilder, x: Value, axis: number): Value {
  const length = x.shape[axis]!
  if (typeof length === 'number') return g.constant(length, 'int64')
  return g.squeeze(g.node('Shape', [x], { start: axis, end: axis + 1 })[0]!, [0])
}

/** [.., a, b, ..] → [.., a · b, ..] for the axes from `axis` on, `count` of them. */
export function merged(g: GraphBuilder, x: Value, axis: number, count = 2): Value {
  if (count === 1) return x
  if (count === 0) return g.unsqueeze(x, [axis])
  const lengths: readonly Dimension[] = x.shape.slice(axis, axis + count)
  const before: readonly Dimension[] = x.shape.slice(0, axis)
  const after: readonly Dimension[] = x.shape.slice(axis + count)
  const whole = known(lengths) ? lengths.reduce((a, b) => a * b, 1) : -1
  const front = [...before.map(() => 0), whole] // 0 keeps a length
  if (known(after)) return g.reshape(x, [...front, ...after])
  const behind = g.node('Shape', [x], { start: axis + count })[0]!
  const made = g.reshape(x, g.concat([g.integers(front), behind], 0))
  return g.assume(
    made,
    reshaped(x.shape, [...before, whole, ...after], false, () => made.shape[axis]!),
  )
}

/** The axes of x from one on. */
export function axesFrom(x: Value, axis: number): readonly number[] {
  return x.shape.slice(axis).map((_, i) => axis + i)
}

/** 0, 1, 2 … along an axis of x, with so many axes of length 1 behind; counted when the graph runs where it must be. */
export function placesAlong(
  g: GraphBuilder,
  x: Value,
  axis: number,
  behind = 0,
  dtype: 'int64' | 'int32' = 'int64',
): Value {
  const length = x.shape[axis]!
  const ones = Array.from({ length: behind }, () => 1)
  if (typeof length === 'number') {
    const places = Array.from({ length: affordable(length, `places along axis ${axis}`) }, (_, i) => i)
    return g.constant(Tensor.from(dtype, places).reshape([length, ...ones]))
  }
  const end = g.cast(lengthOf(g, x, axis), dtype)
  const [counted] = g.node('Range', [g.constant(0, dtype), end, g.constant(1, dtype)], {})
  const places = g.assume(counted!, [length])
  return behind === 0
    ? places
    : g.unsqueeze(
        places,
        ones.map((_, i) => i + 1),
      )
}
