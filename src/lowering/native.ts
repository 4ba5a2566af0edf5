import { TrainerError } from '../errors'
import { fitted } from '../onnx/decodeNode'
import { type Attributes, operators, type OpName } from '../onnx/operators'
import type { Value } from '../onnx/types'
import type { Site } from './Lowering'

/** Attributes of other opsets, and the values at which they have no effect. */
const neutral: Readonly<Record<string, number | string>> = { stash_type: 1, saturate: 1 }

/** Writes a node as it is: its operator is one of ours, and means the same there. */
export function native({ node, graph, inputs, attributes, outputs }: Site): readonly Value[] {
  const op = node.op as OpName
  const given: Record<string, unknown> = {}
  for (const [name, value] of node.attributes) {
    const kind = Object.hasOwn(operators[op].attributes, name) ? operators[op].attributes[name] : undefined
    if (kind !== undefined) given[name] = fitted(node, name, kind, value)
    else if (neutral[name] !== value) continue
    attributes.ignore(name)
  }
  const stated = trimmed(inputs)
  if (stated.length > operators[op].inputs[1])
    throw new TrainerError(
      'file',
      `it has ${stated.length} inputs, but the operator at most ${operators[op].inputs[1]}.`,
    )
  return graph.node(op, stated, given as unknown as Attributes[OpName], outputs)
}

/** Inputs without those at the end that are not given. */
export function trimmed(inputs: readonly (Value | undefined)[]): readonly (Value | undefined)[] {
  return inputs.slice(0, inputs.findLastIndex(input => input !== undefined) + 1)
}
