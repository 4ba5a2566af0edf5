import type { Tensor } from '../tensor'
import { opsets } from './operators'
import { describe } from './shapes'
import type { Graph, Node } from './types'

/**
 * The graph as text that can be pasted into an issue: what goes in, the weights, small constants with their numbers,
 * one line per node, what comes out.
 */
export function print(graph: Graph): string {
  const initializers = [...graph.initializers.values()]
  const elements = initializers.reduce((sum, { tensor }) => sum + tensor.size, 0)
  const bytes = initializers.reduce((sum, { tensor }) => sum + tensor.data.byteLength, 0)
  const versions = Object.entries(opsets)
    .map(([domain, version]) => `${domain || 'opset'} ${version}`)
    .join(', ')
  return [
    `graph "${graph.name}" (${versions}): ${graph.nodes.length} nodes, ` +
      `${initializers.length} initializers (${elements} elements, ${bytes} bytes)`,
    ...graph.inputs.map(input => `input %${input.name}: ${describe(input)}`),
    ...initializers.map(({ value, tensor }) => `initializer %${value.name}: ${describe(value)}${content(tensor)}`),
    ...graph.nodes.map(node => printNode(node)),
    ...graph.outputs.map(output => `output %${output.name}: ${describe(output)}`),
    '',
  ].join('\n')
}

/**
 * One node: `%h: float32[tokens, 384] = Gemm(x, W, b) {transB: 1}`.
 * @param types whether the inputs' types are written too, as errors need them
 */
export function printNode(node: Node, types = false): string {
  const outputs = node.outputs.map(output => (output === undefined ? '_' : `%${output.name}: ${describe(output)}`))
  const inputs = node.inputs.map(input =>
    input === undefined ? '_' : types ? `${input.name}: ${describe(input)}` : input.name,
  )
  const given = Object.entries(node.attributes).filter(([, value]) => value !== undefined)
  const attributes = given.map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  const suffix = attributes.length === 0 ? '' : ` {${attributes.join(', ')}}`
  return `${outputs.join(', ')} = ${node.op}(${inputs.join(', ')})${suffix}`
}

const printedElements = 8

function content(tensor: Tensor): string {
  // bfloat16 and float16 are bits that mean nothing to a reader
  if (tensor.size > printedElements || tensor.dtype.endsWith('float16')) return ''
  return ` = ${tensor.size === 0 ? '[]' : JSON.stringify(tensor.tolist())}`
}
