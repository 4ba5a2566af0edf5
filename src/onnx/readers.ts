import type { Graph, Node } from './types'

/** The nodes that read each value, by its name, in the graph's order; a node that reads it twice is there once. */
export function readersOf(graph: Graph): ReadonlyMap<string, readonly Node[]> {
  const readers = new Map<string, Node[]>()
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs.map(input => input?.name))) {
      if (name === undefined) continue
      const found = readers.get(name)
      if (found === undefined) readers.set(name, [node])
      else found.push(node)
    }
  }
  return readers
}
