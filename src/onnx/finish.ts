import { TrainerError } from '../errors'
import { operators } from './operators'
import type { Graph, Initializer, Node, Value } from './types'

/**
 * A finished graph: outputs get the names under which they leave it, and what no output depends on is dropped.
 * @throws TrainerError when an output's name belongs to another value
 */
export function finish(
  name: string,
  inputs: readonly Value[],
  initializers: ReadonlyMap<string, Initializer>,
  nodes: readonly Node[],
  outputs: Readonly<Record<string, Value>>,
): Graph {
  const { kept, needed } = reach(nodes, Object.values(outputs))
  const used = new Map([...initializers].filter(([key]) => needed.has(key)))
  const made = new Set(kept.flatMap(node => node.outputs.map(output => output?.name)))
  const taken = new Set([...inputs.map(input => input.name), ...used.keys(), ...made])
  const renamed = new Map<string, Value>()
  const copies: Node[] = []
  const leaving: Value[] = []
  for (const [outputName, value] of Object.entries(outputs)) {
    if (value.name !== outputName && taken.has(outputName)) {
      throw new TrainerError(
        'graph',
        `An output of the graph "${name}" cannot be named "${outputName}": another value has that name.`,
      )
    }
    const output: Value = { ...value, name: outputName }
    const copy: Node = {
      op: 'Identity',
      name: `output/${outputName}`,
      inputs: [value],
      outputs: [output],
      attributes: {},
    }
    leaving.push(output)
    if (made.has(value.name) && !renamed.has(value.name)) renamed.set(value.name, output)
    else if (value.name !== outputName) copies.push(copy)
  }
  const rename = (value: Value | undefined): Value | undefined =>
    value === undefined ? undefined : (renamed.get(value.name) ?? value)
  const body = [...kept, ...copies].map(
    node => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }) as Node,
  )
  return { name, inputs, outputs: leaving, initializers: used, nodes: body }
}

/**
 * The nodes that what leaves depends on, without the outputs that nothing reads, and the names of all values on the
 * paths.
 */
function reach(
  nodes: readonly Node[],
  leaving: readonly Value[],
): { kept: readonly Node[]; needed: ReadonlySet<string> } {
  const needed = new Set(leaving.map(value => value.name))
  const kept: Node[] = []
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(output => output !== undefined && needed.has(output.name))) continue
    for (const input of node.inputs) if (input !== undefined) needed.add(input.name)
    // the first ones are not optional, and an operator with any number of outputs has no optional ones
    const {
      outputs: [fewest, most],
    } = operators[node.op]
    const outputs = node.outputs.map((output, i) =>
      output !== undefined && (i < fewest || most === Infinity || needed.has(output.name)) ? output : undefined,
    )
    // not even as a name left empty: a kernel may count it as asked for
    const last = outputs.findLastIndex(output => output !== undefined)
    kept.push({ ...node, outputs: outputs.slice(0, last + 1), hint: undefined } as Node)
  }
  return { kept: kept.reverse(), needed }
}
