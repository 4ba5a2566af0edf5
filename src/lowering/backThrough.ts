import { gradients, type Rule, type Values } from '../autodiff/gradients'
import { settled } from '../autodiff/scaled'
import type { GraphBuilder } from '../onnx/builder'
import type { Attributes, OpName } from '../onnx/operators'
import type { Value } from '../onnx/types'

/** What a rule of the table of gradients reads of a node that is not there; each rule reads only some of it. */
export interface BackThrough<Op extends OpName> {
  readonly x?: readonly (Value | undefined)[]
  readonly y?: readonly (Value | undefined)[]
  readonly dy: readonly Value[]
  readonly attributes?: Attributes[Op]
}

/** The gradients of an operator's inputs, as the table of gradients has them: a training-only operator is such a rule. */
export function backThrough<Op extends OpName>(
  graph: GraphBuilder,
  op: Op,
  { x = [], y = [], dy, attributes }: BackThrough<Op>,
): readonly (Value | undefined)[] {
  const found = (gradients[op] as Rule<Op>)({
    x: x as unknown as Values,
    y: y as unknown as Values,
    dy: dy as unknown as Values,
    by: 1,
    asked: Array.from({ length: Math.max(1, x.length) }, () => true),
    attributes: attributes ?? ({} as Attributes[Op]),
    hint: undefined,
    graph,
  })
  return found.map(gradient => gradient && ('of' in gradient ? settled(graph, gradient) : gradient))
}

/** A value with the lengths of another one of its shape, where its own are not known. */
export function typedLike(value: Value, like: Value): Value {
  return { ...value, shape: value.shape.map((length, i) => (typeof length === 'number' ? length : like.shape[i]!)) }
}
