import { malformed } from './malformed'
import { functionName, graphsOf, type RawModel, type RawNode } from './RawModel'

/** Functions that call one another deeper than this are refused: no exporter makes them. */
const deepest = 32

/** The most nodes that a graph may come to where its functions are written out. */
const mostNodes = 1_000_000

/** What a list of nodes comes to where the functions that it calls are written out. */
interface Extent {
  readonly nodes: number
  readonly depth: number
}

/**
 * Checks that the functions of a model can be written out where they are called: none calls itself, and what a few lines
 * of a file come to has an end.
 * @throws TrainerError ('file') naming the function
 */
export function checkFunctions({ graph, functions }: RawModel): void {
  const extents = new Map<string, Extent>()
  const open = new Set<string>()
  const extentOf = (nodes: readonly RawNode[], place: string): Extent => {
    const parts = nodes.flatMap(node => [called(node), ...graphsOf(node).map(inner => extentOf(inner.nodes, place))])
    const found = {
      nodes: parts.reduce((sum, part) => sum + part.nodes, nodes.length),
      depth: parts.reduce((most, part) => Math.max(most, part.depth), 0),
    }
    if (found.nodes > mostNodes)
      throw malformed(`with its functions written out, ${place} has more than ${mostNodes} nodes`)
    return found
  }
  const called = (node: RawNode): Extent => {
    const name = functionName(node)
    const known = extents.get(name)
    const body = functions.get(name)
    if (known !== undefined || body === undefined) return known ?? { nodes: 0, depth: 0 }
    if (open.has(name)) throw malformed(`the function ${name} calls itself`)
    if (open.size === deepest) throw malformed(`more than ${deepest} functions call one another`)
    open.add(name)
    const { nodes, depth } = extentOf(body.nodes, `the function ${name}`)
    open.delete(name)
    const extent = { nodes, depth: depth + 1 }
    if (extent.depth > deepest) throw malformed(`more than ${deepest} functions call one another`)
    extents.set(name, extent)
    return extent
  }
  extentOf(graph.nodes, 'the graph')
}
