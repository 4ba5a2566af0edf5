// a graph in 16 bits → the same numbers by float32 operators, for a processor that has no others
import { GraphBuilder } from '../onnx/builder'
import type { OpName } from '../onnx/operators'
import type { Graph, Node, Value } from '../onnx/types'
import type { ReducedType } from '../tensor'

/** Operators whose results are operands, or their negatives: there is nothing to round. */
const exact: ReadonlySet<OpName> = new Set<OpName>([
  ...(['Identity', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Expand', 'Concat', 'Split', 'Slice'] as const),
  ...(['Gather', 'GatherElements', 'Where', 'Neg', 'Abs', 'Relu', 'Min', 'Max'] as const),
])

/**
 * A graph in mixed precision with all of its values float32, and those that were in 16 bits rounded to them by a cast
 * there and back. ONNX Runtime's CPU provider computes in float32 too where it is given float16, but rounds only what
 * happens to be moved in between: nothing overflows there that does on a GPU. It has no arithmetic on bfloat16 at all.
 */
export function roundedPrecision(graph: Graph, type: ReducedType): Graph {
  const builder = GraphBuilder.over(graph)
  const replaced = new Map<string, Value>()
  const current = (value: Value): Value => replaced.get(value.name) ?? builder.cast(value, widened(value, type).dtype)
  const round = (value: Value): Value =>
    builder.scope('rounded', () => builder.cast(builder.cast(value, type), 'float32'))
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(input => input && current(input))
    const outputs = node.outputs.map(output => output && widened(output, type))
    const isCast = node.op === 'Cast' && inputs[0]!.dtype === 'float32' && outputs[0]!.dtype === 'float32'
    if (!isCast) builder.append({ ...node, ...target(node, type), inputs, outputs })
    node.outputs.forEach((output, i) => {
      const value = isCast ? inputs[0]! : outputs[i]!
      if (output?.dtype === type && !exact.has(node.op)) replaced.set(output.name, round(value))
      else if (output !== undefined) replaced.set(output.name, value)
    })
  }
  return builder.build(
    Object.fromEntries(graph.outputs.map(output => [output.name, builder.cast(current(output), output.dtype)])),
  )
}

function widened(value: Value, type: ReducedType): Value {
  return value.dtype === type ? { ...value, dtype: 'float32' } : value
}

/** What a cast from a type without a fraction is to. */
function target(node: Node, type: ReducedType): { readonly attributes?: { readonly to: 'float32' } } {
  return node.op === 'Cast' && node.outputs[0]!.dtype === type ? { attributes: { to: 'float32' } } : {}
}
