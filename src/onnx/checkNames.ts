import { malformed } from './malformed'
import { graphsOf, nodeName, operatorName, type RawGraph, type RawModel, type RawNode } from './RawModel'

/**
 * Checks that the names of a model hold together: nothing is made twice, and whatever is read is made somewhere.
 * @throws TrainerError ('file') naming what reads it
 */
export function checkNames({ graph, functions, opsets }: RawModel): void {
  checkGraph(graph, () => false, 'the graph')
  for (const [name, { inputs, outputs, nodes }] of functions)
    checkScope({ inputs, outputs, nodes }, () => false, `the function ${name}`)
  const first = graph.nodes.find(({ domain }) => !opsets.has(domain))
  if (first !== undefined)
    throw malformed(
      `${nodeName(first)} is the operator ${operatorName(first)}, but no operators of its domain are imported`,
    )
}

interface Scope {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly RawNode[]
}

/** @param isOuter whether a name is one of what stands around. */
function checkGraph(graph: RawGraph, isOuter: (name: string) => boolean, place: string): void {
  const inputs = graph.inputs.map(({ name }) => name)
  const outputs = graph.outputs.map(({ name }) => name)
  const isGiven = (name: string): boolean => graph.initializers.has(name) || isOuter(name)
  checkScope({ inputs, outputs, nodes: graph.nodes }, isGiven, place)
}

function checkScope({ inputs, outputs, nodes }: Scope, isGiven: (name: string) => boolean, place: string): void {
  const made = new Set<string>()
  for (const [name, maker] of [
    ...inputs.map(name => [name, place] as const),
    ...nodes.flatMap(node => node.outputs.filter(name => name !== '').map(name => [name, nodeName(node)] as const)),
  ]) {
    if (name === '') throw malformed(`${maker} has an input without a name`)
    if (made.has(name)) throw malformed(`two values are named "${name}", the second in ${maker}`)
    made.add(name)
  }
  const isKnown = (name: string): boolean => made.has(name) || isGiven(name)
  for (const node of nodes) {
    for (const name of node.inputs)
      if (name !== '' && !isKnown(name))
        throw malformed(`${nodeName(node)} reads "${name}", which nothing before it makes`)
    for (const inner of graphsOf(node)) checkGraph(inner, isKnown, `the graph in ${nodeName(node)}`)
  }
  for (const name of outputs) if (!isKnown(name)) throw malformed(`nothing makes the output "${name}" of ${place}`)
}
