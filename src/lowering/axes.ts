// parting, merging and counting along axes, also where a length is known only when the graph runs
import type { GraphBuilder } from '../onnx/builder'
import { reshaped } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { known } from './writing'

/** A length, and where it can be read off when the graph runs if it is a name. */
export interface Length {
  readonly length: Dimension
  readonly of: Value
  readonly axis: number
}

/** The lengths of a value. */
export function lengthsOf(value: Value): readonly Length[] {
  return value.shape.map((length, axis) => ({ length, of: value, axis }))
}

/** A reshape to lengths of other values, and numbers. */
export function reshapedTo(g: GraphBuilder, x: Value, target: readonly (Length | number)[]): Value {
  const shape = target.map(item => (typeof item === 'number' ? item : item.length))
  if (shape.length === x.shape.length && shape.every((length, i) => length === x.shape[i])) return x
  return g.assume(g.reshape(x, vectorOf(g, target)), shape)
}

function vectorOf(g: GraphBuilder, target: readonly (Length | number)[]): Value {
  const numbers = target.map(item => (typeof item === 'number' ? item : item.length))
  if (numbers.filter(length => typeof length === 'string').length <= 1)
    return g.integers(numbers.map(length => (typeof length === 'string' ? -1 : length)))
  return g.concat(
    target.map(item => partOf(g, item)),
    0,
  )
}

/** A length as a vector of one number. */
export function partOf(g: GraphBuilder, item: Length | number): Value {
  if (typeof item === 'number') return g.integers([item])
  if (typeof item.length === 'number') return g.integers([item.length])
  return g.node('Shape', [item.of], { start: item.axis, end: item.axis + 1 })[0]!
}

/** The length of an axis as an int64 scalar, read when the graph runs where it is a name. */
export function lengthOf(g: GraphBuilder, x: Value, axis: number): Value {
  const length = x.shape[axis]!
  return typeof length === 'number' ? g.constant(length, 'int64') : g.squeeze(partOf(g, { length, of: x, axis }), [0])
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
    const places = Array.from({ length }, (_, i) => i)
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
