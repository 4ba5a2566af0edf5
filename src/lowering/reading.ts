// what nodes of a file read, the graphs inside of them included
import { graphsOf, type RawNode } from '../onnx/RawModel'

/** The nodes that what is wanted depends on, graphs inside of nodes included, in the order of the file. */
export function needed(nodes: readonly RawNode[], wanted: readonly string[]): readonly RawNode[] {
  const names = new Set(wanted)
  const kept: RawNode[] = []
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(output => names.has(output))) continue
    for (const name of readBy(node)) names.add(name)
    kept.push(node)
  }
  return kept.reverse()
}

/** The names that a node reads, also those that graphs in its attributes read from around it. */
export function readBy(node: RawNode): readonly string[] {
  const inner = graphsOf(node).flatMap(graph => [
    ...graph.nodes.flatMap(readBy),
    ...graph.outputs.map(({ name }) => name),
  ])
  return [...node.inputs.filter(name => name !== ''), ...inner]
}
