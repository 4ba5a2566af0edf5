import type { OpName } from '../onnx/operators'
import { readersOf } from '../onnx/readers'
import type { Graph, Node, Value } from '../onnx/types'

/**
 * Of pairs of an output and an input, the outputs that may be written where that input lies while the graph runs: nothing
 * reads the input once the output is written.
 *
 * That is so where every node that reads the input is one that the output is computed from, in whatever order an engine
 * runs them, or the very node that writes the output, which has to read each element before it writes it.
 */
export function writableInPlace(
  graph: Graph,
  pairs: readonly (readonly [output: string, input: string])[],
): Set<string> {
  const makers = new Map<string, Node>()
  const readers = readersOf(graph)
  for (const node of graph.nodes)
    for (const output of node.outputs) if (output !== undefined) makers.set(output.name, node)
  const inputs = new Map(graph.inputs.map(value => [value.name, value]))
  const isSafe = ([output, input]: readonly [string, string]): boolean => {
    const maker = makers.get(output)
    const value = inputs.get(input)
    if (maker === undefined || value === undefined) return false
    const before = ancestors(maker, makers)
    return (readers.get(input) ?? []).every(node =>
      node === maker ? readsBefore(node, output, value) : before.has(node),
    )
  }
  return new Set(pairs.filter(isSafe).map(([output]) => output))
}

/** Operators that compute each element from those at the same place. */
const elementwise: ReadonlySet<OpName> = new Set<OpName>([
  'Abs',
  'Add',
  'Div',
  'Max',
  'Min',
  'Mul',
  'Neg',
  'Reciprocal',
  'Sqrt',
  'Sub',
  'Where',
])

/** Whether a node reads each element of a value before it writes over it. */
function readsBefore({ op, inputs, outputs }: Node, output: string, value: Value): boolean {
  const target = outputs.find(one => one?.name === output)!
  if (target.shape.join() !== value.shape.join()) return false
  // rows are added to what is there, which ONNX Runtime copies first where it lies elsewhere
  if (op === 'ScatterElements') return inputs.findIndex(one => one?.name === value.name) === 0
  return elementwise.has(op)
}

function ancestors(node: Node, makers: ReadonlyMap<string, Node>): Set<Node> {
  const found = new Set<Node>()
  const waiting = [node]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const input of next.inputs) {
      const maker = input && makers.get(input.name)
      if (maker === undefined || found.has(maker)) continue
      found.add(maker)
      waiting.push(maker)
    }
  }
  return found
}
