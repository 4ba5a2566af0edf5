import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'

/**
 * A gradient times a number. Every rule is linear in the gradient that comes in, so a number can wait, and be
 * multiplied where the tensor is smallest, or become a matrix product's alpha, or a subtraction.
 */
export interface Scaled {
  readonly of: Value
  readonly by: number
}

/** What a rule returns for one input. */
export type Gradient = Value | Scaled

export function scaled(gradient: Gradient, by: number): Scaled {
  return 'of' in gradient ? { of: gradient.of, by: gradient.by * by } : { of: gradient, by }
}

/** The gradient itself, with the number multiplied in. */
export function settled(graph: GraphBuilder, { of, by }: Scaled): Value {
  return by === 1 ? of : times(graph, of, by)
}

/** The sum; a common number keeps waiting. */
export function plus(graph: GraphBuilder, a: Scaled, b: Scaled): Scaled {
  if (a.by === b.by) return { of: graph.add(a.of, b.of), by: a.by }
  if (a.by === -b.by)
    return a.by > 0 ? { of: graph.sub(a.of, b.of), by: a.by } : { of: graph.sub(b.of, a.of), by: b.by }
  // one number keeps waiting; the other tensor is multiplied, if need be: the smaller one, as far as the ranks tell
  const [kept, changed] = a.by === 0 || (b.by !== 0 && a.of.shape.length < b.of.shape.length) ? [b, a] : [a, b]
  return { of: graph.add(kept.of, times(graph, changed.of, changed.by / kept.by)), by: kept.by }
}

/** a · b, without a node where one of the two is the scalar 1 or both are scalar constants. */
export function times(graph: GraphBuilder, a: Value, b: Value | number): Value {
  const x = scalarOf(graph, a)
  const y = typeof b === 'number' ? b : scalarOf(graph, b)
  if (y === 1) return a
  if (x === 1) return typeof b === 'number' ? graph.constant(b, a.dtype) : b
  if (x !== undefined && y !== undefined) return graph.constant(x * y, a.dtype)
  return y === -1 ? graph.neg(a) : graph.mul(a, b)
}

/** The number that a value is, if it is a floating-point constant without axes. */
export function scalarOf(graph: GraphBuilder, value: Value): number | undefined {
  const tensor = graph.constantOf(value)
  return tensor?.dims.length === 0 && (tensor.dtype === 'float32' || tensor.dtype === 'float64')
    ? Number(tensor.data[0])
    : undefined
}
