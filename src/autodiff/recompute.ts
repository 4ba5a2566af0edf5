import type { GraphBuilder } from '../onnx/builder'
import { isFloat } from '../onnx/infer'
import type { Node, Value } from '../onnx/types'
import { Tensor } from '../tensor'

/**
 * A node as a rule should see it: with its values computed again, where they were not kept. Called once the gradients
 * of its outputs are known.
 */
export type Twin = (node: Node, gradientOf: (value: Value) => Value | undefined) => Node

/** The nodes between two checkpoints. */
interface Segment {
  readonly nodes: readonly Node[]
  readonly end: Value
  /** Their copies, by the names of the nodes, once the walk has come here. */
  copies: ReadonlyMap<string, Node> | undefined
}

/**
 * Gradient checkpointing (Chen et al. 2016): what lies between one checkpoint and the next is not kept for the backward
 * pass but computed again there, from the first of the two, when the gradient of the second is known. So only one
 * segment at a time is in memory beside the checkpoints.
 *
 * What comes after the last checkpoint is kept: its backward pass follows at once, so that computing it again would
 * save nothing.
 */
export function recomputation(graph: GraphBuilder, checkpoints: readonly Value[]): Twin {
  const home = new Map<string, Segment>()
  for (const segment of cut(graph, checkpoints)) for (const node of segment.nodes) home.set(node.name, segment)
  return (node, gradientOf) => {
    const segment = home.get(node.name)
    if (segment === undefined) return node
    const gradient = gradientOf(segment.end)
    if (segment.copies === undefined && gradient !== undefined)
      segment.copies = graph.scope('again', () => repeated(graph, segment.nodes, gradient))
    return segment.copies?.get(node.name) ?? node
  }
}

function cut(graph: GraphBuilder, checkpoints: readonly Value[]): readonly Segment[] {
  const { nodes } = graph
  const places = new Map(nodes.map((node, i) => [node, i]))
  const ends = checkpoints.map(end => ({ end, at: places.get(graph.makerOf(end)!)! })).toSorted((a, b) => a.at - b.at)
  return ends
    .slice(1)
    .map(({ end, at }, i) => ({ nodes: nodes.slice(ends[i]!.at + 1, at + 1), end, copies: undefined }))
}

/**
 * Copies of the nodes that depend on what earlier nodes computed, to run after `gradient`. Those that nothing reads are
 * dropped when the graph is built.
 */
function repeated(graph: GraphBuilder, nodes: readonly Node[], gradient: Value): ReadonlyMap<string, Node> {
  const computed = new Set(graph.nodes.flatMap(node => node.outputs.map(output => output?.name)))
  for (const node of nodes) for (const output of node.outputs) computed.delete(output?.name)
  const again = new Map<string, Value>()
  const copies = new Map<string, Node>()
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (input !== undefined && computed.has(input.name) && isFloat(input.dtype) && !again.has(input.name))
        again.set(input.name, after(graph, gradient, input))
    }
    if (!node.inputs.some(input => input !== undefined && again.has(input.name))) continue
    const copy = graph.scope(node.name, () =>
      graph.repeat(
        node,
        node.inputs.map(input => input && (again.get(input.name) ?? input)),
      ),
    )
    copies.set(node.name, copy)
    node.outputs.forEach((output, i) => output !== undefined && again.set(output.name, copy.outputs[i]!))
  }
  return copies
}

/**
 * x, but not before `gradient`: x - 0 is x bit for bit, and no runtime knows beforehand that this is a 0 (nothing is
 * greater than itself, not even NaN). Without it the copies would be merged with their originals, or run as early as
 * those.
 */
function after(graph: GraphBuilder, gradient: Value, x: Value): Value {
  const one = graph.gather(graph.reshape(gradient, [-1]), graph.constant(Tensor.from('int64', 0)))
  return graph.sub(x, graph.cast(graph.greater(one, one), x.dtype))
}
