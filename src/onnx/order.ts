import type { Graph, Node } from './types'

/**
 * The same graph with the nodes that no other reads at the end, in reverse of the order in which what they read is made:
 * they then run as early as they can.
 *
 * ONNX Runtime runs such nodes from the last one back, each after all that it still needs. Gradients of weights in the
 * order of the backward pass would thus be computed at the very end, the first one last, and the two large tensors that
 * each reads would stay in memory until then. Their own places say less: what a pass has added stands behind everything.
 */
export function leavesLast(graph: Graph): Graph {
  const read = new Set(graph.nodes.flatMap(node => node.inputs.map(input => input?.name)))
  const isRead = (node: Node): boolean => node.outputs.some(output => output !== undefined && read.has(output.name))
  const made = new Map(graph.nodes.flatMap((node, place) => node.outputs.map(output => [output?.name, place] as const)))
  const ready = (node: Node): number => Math.max(-1, ...node.inputs.map(input => made.get(input?.name) ?? -1))
  const leaves = graph.nodes.filter(node => !isRead(node)).map(node => ({ node, place: ready(node) }))
  leaves.reverse().sort((a, b) => b.place - a.place)
  return { ...graph, nodes: [...graph.nodes.filter(isRead), ...leaves.map(({ node }) => node)] }
}
