import type { Graph, Node } from './types'

/**
 * The same graph with the nodes that no other reads at the end, in reverse: they then run as early as their old places
 * say.
 *
 * ONNX Runtime runs such nodes from the last one back, each after all that it still needs. Gradients of weights in the
 * order of the backward pass would thus be computed at the very end, the first one last, and the two large tensors that
 * each reads would stay in memory until then.
 */
export function leavesLast(graph: Graph): Graph {
  const read = new Set(graph.nodes.flatMap(node => node.inputs.map(input => input?.name)))
  const isRead = (node: Node): boolean => node.outputs.some(output => output !== undefined && read.has(output.name))
  return { ...graph, nodes: [...graph.nodes.filter(isRead), ...graph.nodes.filter(node => !isRead(node)).reverse()] }
}
