import { GraphBuilder } from './builder'
import type { Graph, Node, Value } from './types'

/**
 * Replaces a node of one output: writes something else on `graph`, which has all nodes before it already, and returns
 * its value; undefined leaves the node as it is.
 */
export type Rewrite = (graph: GraphBuilder, node: Node) => Value | undefined

/**
 * The graph with nodes replaced, each by the first rewrite that replaces it. The graph's outputs keep their names and
 * shapes.
 */
export function rewrite(graph: Graph, rewrites: readonly Rewrite[]): Graph {
  const builder = GraphBuilder.over(graph)
  const replaced = new Map<string, Value>()
  const current = <T extends Value | undefined>(value: T): T =>
    value === undefined ? value : ((replaced.get(value.name) as T | undefined) ?? value)
  for (const original of graph.nodes) {
    const node: Node = { ...original, inputs: original.inputs.map(current) }
    const output = original.outputs[0]!
    const value = builder.scope(node.name, () => firstOf(rewrites, builder, node))
    if (value === undefined) builder.append(node)
    else replaced.set(output.name, { ...value, shape: output.shape })
  }
  return builder.build(Object.fromEntries(graph.outputs.map(output => [output.name, current(output)])))
}

function firstOf(rewrites: readonly Rewrite[], graph: GraphBuilder, node: Node): Value | undefined {
  for (const one of rewrites) {
    const value = one(graph, node)
    if (value !== undefined) return value
  }
  return undefined
}
