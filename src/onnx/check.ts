import { TrainerError } from '../errors'
import type { Tensor } from '../tensor'
import { infer } from './infer'
import { type AttributeKind, operators } from './operators'
import { printNode } from './print'
import { describe, equalities, type Equalities } from './shapes'
import type { Dimension, Graph, Initializer, Node, Value, ValueType } from './types'

/**
 * Checks a graph against the rules of the language: every name is made once and before it is read, operators get the
 * inputs, outputs and attributes that they have, every declared type is the one that inference finds, and the outputs
 * exist.
 *
 * A length that inference cannot know may be declared as whatever it is known to be, if it is the same everywhere. What
 * Reshape and Expand make of names may be declared under other names.
 *
 * @throws TrainerError that prints the offending node with the names and types of its inputs.
 */
export function check(graph: Graph): void {
  const made = new Map<string, Value>()
  const lengths = equalities()
  const make = (value: Value, by: string): void => {
    if (value.name === '') throw broken(graph, `${by} has no name.`)
    if (made.has(value.name))
      throw broken(graph, `${by} is the second value named "${value.name}": names must be unique.`)
    made.set(value.name, value)
  }
  for (const input of graph.inputs) make(input, `The input "${input.name}"`)
  for (const [key, initializer] of graph.initializers) {
    checkInitializer(graph, key, initializer)
    make(initializer.value, `The initializer "${key}"`)
  }
  for (const node of graph.nodes) {
    for (const input of node.inputs)
      if (input !== undefined) checkUse(graph, input, made, lengths, printNode(node, true))
    checkAttributes(graph, node)
    checkTypes(graph, node, lengths)
    for (const output of node.outputs) if (output !== undefined) make(output, `An output of ${printNode(node, true)}`)
  }
  for (const output of graph.outputs)
    checkUse(graph, output, made, lengths, `the output %${output.name}: ${describe(output)}`)
  const names = graph.outputs.map(output => output.name)
  if (new Set(names).size < names.length) throw broken(graph, `Two outputs have the same name: ${names.join(', ')}.`)
}

function checkInitializer(graph: Graph, key: string, { value, tensor }: Initializer): void {
  if (key !== value.name) throw broken(graph, `The initializer "${value.name}" is stored under the name "${key}".`)
  const type = describe({ dtype: tensor.dtype, shape: tensor.dims })
  if (type !== describe(value))
    throw broken(graph, `The initializer "${key}" is declared as ${describe(value)}, but its tensor is ${type}.`)
}

function checkUse(
  graph: Graph,
  value: Value,
  made: ReadonlyMap<string, Value>,
  lengths: Equalities,
  where: string,
): void {
  const known = made.get(value.name)
  if (known === undefined) {
    const later = graph.nodes.some(node => node.outputs.some(output => output?.name === value.name))
    const problem = later ? 'made only by a later node: nodes must be in an order in which they can run' : 'never made'
    throw broken(graph, `"${value.name}" is read by ${where}, but it is ${problem}.`)
  }
  // a name that promises nothing may turn out to be a number
  if (!sameType(known, value, lengths, graph.openLengths === true)) {
    throw broken(graph, `"${value.name}" is made as ${describe(known)}, but read as ${describe(value)} by ${where}.`)
  }
}

function sameType(a: ValueType, b: ValueType, lengths: Equalities, claimed: boolean): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((d, i) => lengths.equal(d, b.shape[i]!, claimed))
  )
}

function checkAttributes(graph: Graph, node: Node): void {
  if (!Object.hasOwn(operators, node.op))
    throw broken(graph, `There is no operator ${node.op}: ${printNode(node, true)}.`)
  const kinds = operators[node.op].attributes
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value === undefined) continue
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) throw broken(graph, `${node.op} has no attribute "${name}": ${printNode(node, true)}.`)
    if (!isOfKind(value, kind))
      throw broken(graph, `The attribute ${name} must be of kind ${kind}: ${printNode(node, true)}.`)
  }
}

function isOfKind(value: unknown, kind: AttributeKind): boolean {
  switch (kind) {
    case 'int':
      return Number.isSafeInteger(value)
    case 'ints':
      return Array.isArray(value) && value.every(Number.isSafeInteger)
    case 'float':
      return typeof value === 'number'
    case 'string':
    case 'dtype':
      return typeof value === 'string'
  }
}

function checkTypes(graph: Graph, node: Node, lengths: Equalities): void {
  const types = inferred(graph, node, lengths.unknown)
  const claimed = node.op === 'Reshape' || node.op === 'Expand' // see GraphBuilder.expand and reshapeLike
  node.outputs.forEach((stated, i) => {
    if (stated === undefined || sameType(stated, types[i]!, lengths, claimed)) return
    const found = describe(types[i]!).replaceAll(/unknown_0\d+/g, '?')
    throw broken(
      graph,
      `"${stated.name}" is declared as ${describe(stated)}, but is ${found}: ${printNode(node, true)}.`,
    )
  })
}

function inferred(graph: Graph, node: Node, unknown: () => Dimension): readonly ValueType[] {
  const site = {
    inputs: node.inputs as readonly Value[],
    attributes: node.attributes,
    outputs: node.outputs.length,
    constant: (value: Value | undefined): Tensor | undefined =>
      value === undefined ? undefined : graph.initializers.get(value.name)?.tensor,
    unknown,
    openLengths: graph.openLengths,
  }
  try {
    return infer(node.op, site)
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error
    throw broken(graph, `${error.message} The node is ${printNode(node, true)}.`, error)
  }
}

function broken(graph: Graph, message: string, cause?: unknown): TrainerError {
  return new TrainerError(
    'graph',
    `The graph "${graph.name}" is ill-formed: ${message}`,
    cause === undefined ? {} : { cause },
  )
}
