// what rules of several families need to write
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { Tensor } from '../tensor'
import type { Site } from './Lowering'

export { native } from './native'

/** As a start or an end, "all that is left": the largest int32, which every provider reads correctly. */
const last = 2 ** 31 - 1

/** A place in a file as one that int64 has: exporters write the largest one for "to the end". */
export function bounded(place: number): number {
  return Math.max(-last, Math.min(last, place))
}

/** Whether all lengths of a shape are numbers. */
export function known(shape: readonly Dimension[]): shape is readonly number[] {
  return shape.every(length => typeof length === 'number')
}

/** The axes of a node: its attribute `axes` in older opsets, its second input in newer ones; undefined without either. */
export function axesOf(site: Site, at = 1): readonly number[] | undefined {
  const { attributes, inputs, numbers } = site
  return attributes.numbers('axes') ?? (inputs[at] === undefined ? undefined : numbers(at, 'axes'))
}

/** The length of an axis as an int64 scalar, read when the graph runs. */
export function lengthOf(graph: GraphBuilder, x: Value, axis: number): Value {
  const length = x.shape[axis]!
  if (typeof length === 'number') return graph.constant(length, 'int64')
  return graph.squeeze(graph.node('Shape', [x], { start: axis, end: axis + 1 })[0]!, [0])
}

/** 0, 1, 2 … as a constant. */
export function integerVector(graph: GraphBuilder, length: number): Value {
  return graph.constant(
    Tensor.from(
      'int64',
      Array.from({ length }, (_, i) => i),
    ),
  )
}

/** The value, with a shape that the caller knows. */
export function shaped(value: Value, shape: readonly Dimension[]): Value {
  return { ...value, shape }
}
