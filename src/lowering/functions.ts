// operators that a file defines itself are written out where they are called
import { TrainerError } from '../errors'
import type { RawAttribute, RawFunction, RawGraph, RawNode } from '../onnx/RawModel'

/** A function's body with the attributes of the node that calls it in place of what refers to them. */
export function bodyOf({ nodes, defaults }: RawFunction, caller: RawNode): readonly RawNode[] {
  const valueOf = (name: string): RawAttribute | undefined => caller.attributes.get(name) ?? defaults.get(name)
  return nodes.map(node => bound(node, valueOf))
}

function bound(node: RawNode, valueOf: (name: string) => RawAttribute | undefined): RawNode {
  const attributes = [...node.attributes].flatMap(([name, value]): readonly (readonly [string, RawAttribute])[] => {
    if (typeof value !== 'object') return [[name, value]]
    // what the caller leaves out is left out within
    if ('reference' in value) return [valueOf(value.reference)].flatMap(one => (one === undefined ? [] : [[name, one]]))
    return [[name, 'nodes' in value ? boundGraph(value, valueOf) : value]]
  })
  return { ...node, attributes: new Map(attributes) }
}

function boundGraph(graph: RawGraph, valueOf: (name: string) => RawAttribute | undefined): RawGraph {
  return { ...graph, nodes: graph.nodes.map(node => bound(node, valueOf)) }
}

/** The names of a function's inputs or outputs, each with what the caller has there; '' where it has nothing. */
export function paired(own: readonly string[], given: readonly string[], what: string): readonly [string, string][] {
  if (given.length > own.length)
    throw new TrainerError('file', `it has ${given.length} ${what}, but the function that it calls ${own.length}.`)
  return own.map((name, i) => [name, given[i] ?? ''])
}
