// parting, merging and counting along axes, also where a length is known only when the graph runs
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { known, lengthOf } from './writing'

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

/** [.., a, b, ..] → [.., a · b, ..] for the axes from `axis` on, `count` of them. */
export function merged(g: GraphBuilder, x: Value, axis: number, count = 2): Value {
  if (count === 1) return x
  if (count === 0) return g.unsqueeze(x, [axis])
  const lengths: readonly Dimension[] = x.shape.slice(axis, axis + count)
  const after: readonly Dimension[] = x.shape.slice(axis + count)
  const before: readonly number[] = x.shape.slice(0, axis).map(() => 0) // 0 keeps a length
  if (known(after)) return g.reshape(x, [...before, known(lengths) ? lengths.reduce((a, b) => a * b, 1) : -1, ...after])
  // only the last axis can take what is left: those behind change places with it
  const at = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
  const rank = x.shape.length
  const last = g.transpose(x, [...at(0, axis), ...at(axis + count, rank), ...at(axis, axis + count)])
  const flat = g.reshape(last, [...before, ...after.map(() => 0), -1])
  return g.transpose(flat, [...at(0, axis), flat.shape.length - 1, ...at(axis, axis + after.length)])
}

/** 0, 1, 2 … along an axis of x, as int64, and 1 along all others. */
export function positions(g: GraphBuilder, x: Value, axis: number): Value {
  const [counted] = g.node('Range', [g.constant(0, 'int64'), lengthOf(g, x, axis), g.constant(1, 'int64')], {})
  const behind = x.shape.slice(axis + 1).map((_, i) => i + 1)
  return behind.length === 0 ? counted! : g.unsqueeze(counted!, behind)
}
