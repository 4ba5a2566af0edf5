import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import type { GraphBuilder } from '../onnx/builder'
import { isFloat } from '../onnx/infer'
import type { OpName } from '../onnx/operators'
import { describe } from '../onnx/shapes'
import type { Node, Value } from '../onnx/types'
import { withoutFrozenRow } from './movement'
import { absorbing, elementwise, gradients, type Rule, type Values } from './gradients'
import { recomputation } from './recompute'
import { between, route, type Routes } from './routes'
import { type Gradient, plus, type Scaled, settled } from './scaled'
import { asRows, expand } from './shapes'
import { unbroadcast } from './unbroadcast'

/** The gradients of a loss, by the names of the values that they were asked for. */
export interface Gradients {
  /**
   * Of the value's own shape. A value that the loss does not depend on is missing here, as PyTorch leaves its `grad`
   * None.
   */
  readonly dense: ReadonlyMap<string, Value>
  /** Of tables: the sum over `values` [n, …] put at the rows `index` [n], which may repeat, in one pair per Gather. */
  readonly rows: ReadonlyMap<string, readonly RowGradient[]>
}

/** The gradient of rows of a table: `values` [n, …] belong to the rows `index` [n]. */
export interface RowGradient {
  readonly index: Value
  readonly values: Value
}

/** Options of {@link differentiate}. */
export interface DifferentiateOptions {
  /**
   * Names of parameters whose gradient may come as rows. It does where the loss reads them by Gathers along axis 0
   * alone; otherwise it is dense.
   */
  readonly rows?: ReadonlySet<string>
  /**
   * Values that are kept for the backward pass, while those between two of them are computed again: less memory for
   * more time.
   */
  readonly checkpoints?: readonly Value[]
}

/**
 * Adds the gradients of a loss to a graph: reverse-mode differentiation, by the table of {@link gradients}, from the
 * loss back to `wrt` and nowhere else.
 *
 * @param loss a scalar of a floating-point type
 * @param wrt inputs, initializers or values in between, of floating-point types
 * @throws TrainerError naming the operator, the node and the path from the parameter to the loss, if an operator on it
 * has no gradient
 */
export function differentiate(
  graph: GraphBuilder,
  loss: Value,
  wrt: readonly Value[],
  options: DifferentiateOptions = {},
): Gradients {
  checkOptions(options, ['rows', 'checkpoints'], 'differentiate()')
  check(loss, wrt)
  const routes = between(graph.nodes, loss, wrt)
  const tables = wrt
    .map(({ name }) => name)
    .filter(name => options.rows?.has(name) && routes.nodes.every(node => readsRows(node, name)))
  const flows = new Map<string, Scaled>([[loss.name, { of: graph.constant(1, loss.dtype), by: 1 }]])
  const rows = new Map<string, RowGradient[]>()
  const twinOf = recomputation(graph, options.checkpoints ?? [])
  return graph.scope('backward', () => {
    for (const node of [...routes.nodes].reverse()) {
      const twin = twinOf(node, value => flows.get(value.name)?.of)
      graph.scope(node.name, () => {
        const table = node.op === 'Gather' && tables.includes(node.inputs[0]!.name) ? node.inputs[0]! : undefined
        if (table === undefined) stepBack(graph, node, twin, flows, routes)
        else
          rows.set(
            table.name,
            [...(rows.get(table.name) ?? []), rowsOf(graph, node, flows)].filter(pair => pair !== undefined),
          )
      })
    }
    const dense = new Map<string, Value>()
    for (const value of wrt) {
      const flow = flows.get(value.name)
      if (flow !== undefined) dense.set(value.name, expand(graph, settled(graph, flow), value.shape, [value]))
    }
    return { dense, rows: new Map([...rows].filter(([, pairs]) => pairs.length > 0)) }
  })
}

function check(loss: Value, wrt: readonly Value[]): void {
  if (loss.shape.length !== 0 || !isFloat(loss.dtype)) {
    throw new TrainerError('graph', `A loss must be a floating-point scalar, but ${loss.name} is ${describe(loss)}.`, {
      fix: 'Sum it first.',
    })
  }
  const bad = wrt.find(value => !isFloat(value.dtype))
  if (bad !== undefined)
    throw new TrainerError('graph', `Only floating-point values have a gradient, but ${bad.name} is ${describe(bad)}.`)
}

/** Whether a node only gathers rows of a table, if it reads or makes the table at all. */
function readsRows(node: Node, name: string): boolean {
  const places = node.inputs.flatMap((input, i) => (input?.name === name ? [i] : []))
  if (places.length === 0) return !node.outputs.some(output => output?.name === name)
  return (
    node.op === 'Gather' &&
    ((node as Node<'Gather'>).attributes.axis ?? 0) === 0 &&
    node.hint?.inverse === undefined &&
    places.join() === '0'
  )
}

/**
 * One node: from its outputs' gradients to its inputs', summed down where an input was stretched, added to what came
 * from elsewhere.
 * @param twin the same node, with its values computed again, or the node itself
 */
function stepBack(graph: GraphBuilder, node: Node, twin: Node, flows: Map<string, Scaled>, routes: Routes): void {
  const given = node.outputs.map(output => (output === undefined ? undefined : flows.get(output.name)))
  const only = given.filter(flow => flow !== undefined)
  if (only.length === 0) return
  const by = only.length === 1 ? only[0]!.by : 1
  const free = elementwise.has(node.op)
  const sources = [...twin.inputs, ...twin.outputs].filter(value => value !== undefined)
  const dy = given.map((flow, i) => {
    if (flow === undefined) return undefined
    const gradient = only.length === 1 ? flow.of : settled(graph, flow)
    return free ? gradient : expand(graph, gradient, node.outputs[i]!.shape, sources)
  })
  const absorbs = absorbing.has(node.op)
  const returned = applyRule(graph, twin, dy, absorbs ? by : 1, node, routes)
  node.inputs.forEach((input, i) => {
    const gradient = returned[i]
    if (input === undefined || gradient === undefined || !routes.makers.has(input.name)) return
    const own = 'of' in gradient ? gradient : { of: gradient, by: 1 }
    const summed = unbroadcast(graph, own.of, twin.inputs[i]!, free ? node.outputs[0]!.shape : own.of.shape, sources)
    const flow = { of: summed, by: absorbs ? own.by : own.by * by }
    const before = flows.get(input.name)
    flows.set(input.name, before === undefined ? flow : plus(graph, before, flow))
  })
}

/** @throws TrainerError with the path on which the node lies, if there is no rule or the rule refuses. */
function applyRule(
  graph: GraphBuilder,
  { inputs, outputs, attributes, hint }: Node,
  dy: readonly (Value | undefined)[],
  by: number,
  node: Node,
  routes: Routes,
): readonly (Gradient | undefined)[] {
  const rule = gradients[node.op] as Rule<OpName> | 'flat' | 'opaque'
  try {
    if (typeof rule === 'string') throw new TrainerError('graph', 'the operator has no gradient.')
    const asked = node.inputs.map(input => input !== undefined && routes.makers.has(input.name))
    return rule({ x: inputs as Values, y: outputs as Values, dy: dy as Values, by, asked, attributes, hint, graph })
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error
    const where = `node "${node.name}", on the path ${route(node, routes)}`
    throw new TrainerError('graph', `No gradient can pass through ${node.op} (${where}): ${error.message}`, {
      cause: error,
      fix: 'Do not train that parameter, or write this step with operators that have a gradient.',
    })
  }
}

/** The rows of a table that a Gather read, and the gradient of each. */
function rowsOf(
  graph: GraphBuilder,
  { inputs, outputs, hint }: Node,
  flows: ReadonlyMap<string, Scaled>,
): RowGradient | undefined {
  const [table, index] = inputs as readonly [Value, Value]
  const [y] = outputs as readonly [Value]
  const flow = flows.get(y.name)
  if (flow === undefined) return undefined
  const d = withoutFrozenRow(graph, expand(graph, settled(graph, flow), y.shape, [y]), index, hint)
  const scalar = index.shape.length === 0
  return {
    index: index.shape.length === 1 ? index : graph.reshape(index, [-1]),
    values: asRows(graph, scalar ? graph.unsqueeze(d, [0]) : d, table.shape.slice(1)),
  }
}
