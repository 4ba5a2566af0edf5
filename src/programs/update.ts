import { GraphBuilder } from '../onnx/builder'
import type { Dimension, Graph, Value } from '../onnx/types'
import type { OptimizedParameter, Optimizer, ParameterSettings } from '../optim/Optimizer'

/**
 * The update of one parameter as a graph: `parameter`, `gradient` (a sum), slots and scalars (`gradient_scale`, `rate`,
 * `weight_decay` and the optimizer's own) → `parameter_out` and `<slot>_out`.
 * @param flat whether the update is elementwise: its arrays then have the shape [n], else the parameter's own.
 */
export function updateGraph(optimizer: Optimizer, parameter: OptimizedParameter, flat: boolean): Graph {
  const graph = new GraphBuilder(`${optimizer.name} update`)
  const arrays = declare(graph, optimizer, parameter, name => name, flat)
  const scale = graph.input('gradient_scale', 'float32', [])
  const scalars = declareScalars(graph, ['rate', 'weight_decay', ...scalarNames(optimizer)])
  return graph.build(write(graph, optimizer, arrays, scale, scalars))
}

/**
 * The updates of several parameters as one graph. Arrays are named by their place among the parameters: `parameter.I`,
 * `gradient.I` and `<slot>.I` → `parameter_out.I` and `<slot>_out.I`. The scalar `gradient_scale` is that of all, `rate`
 * and the optimizer's own are those of {@link groupScalars}; a parameter's weight decay is a constant of the graph.
 * @param guarded whether everything stays as it is where another scalar, `finite`, is 0.
 */
export function updatesGraph(
  optimizer: Optimizer,
  parameters: readonly OptimizedParameter[],
  { weightDecay, rateFactor = () => 1 }: ParameterSettings,
  guarded = false,
): Graph {
  const graph = new GraphBuilder(`${optimizer.name} updates`)
  const isMade = guarded ? graph.greater(graph.input('finite', 'float32', []), 0.5) : undefined
  const scale = graph.input('gradient_scale', 'float32', [])
  const names = ['rate', ...scalarNames(optimizer)]
  const scalars = new Map<number, Readonly<Record<string, Value>>>() // by the factors of rates
  const scalarsOf = (factor: number): Readonly<Record<string, Value>> => {
    const inputs = names.map(name => [name, graph.input(groupScalar(name, factor), 'float32', [])] as const)
    return Object.fromEntries(inputs)
  }
  const outputs = parameters.map((parameter, i) => {
    const arrays = declare(graph, optimizer, parameter, name => `${name}.${i}`)
    const factor = rateFactor(parameter.name)
    if (!scalars.has(factor)) scalars.set(factor, scalarsOf(factor))
    const given = { ...scalars.get(factor), weight_decay: graph.constant(weightDecay(parameter.name)) }
    const written = write(graph, optimizer, arrays, scale, given)
    const outputs = isMade === undefined ? written : elseAsBefore(graph, isMade, written, arrays)
    return mapNames(outputs, name => `${name}.${i}`)
  })
  return graph.build(Object.assign({}, ...outputs) as Record<string, Value>)
}

/** The scalars of an update by name, weight decay and what gradients are multiplied by aside. */
export function updateScalars(optimizer: Optimizer, step: number, rate: number): Record<string, number> {
  return { rate, ...optimizer.scalars?.(step, rate) }
}

/** The same for groups of parameters whose rates are multiplied by these factors: what {@link updatesGraph} asks for. */
export function groupScalars(
  optimizer: Optimizer,
  step: number,
  rate: number,
  factors: Iterable<number>,
): Record<string, number> {
  const scalars = [...new Set(factors)].flatMap(factor =>
    Object.entries(updateScalars(optimizer, step, rate * factor)).map(
      ([name, value]) => [groupScalar(name, factor), value] as const,
    ),
  )
  return Object.fromEntries(scalars)
}

function groupScalar(name: string, factor: number): string {
  return factor === 1 ? name : `${name} × ${factor}`
}

interface Arrays {
  readonly parameter: Value
  readonly gradient: Value
  readonly slots: Readonly<Record<string, Value>>
}

function declare(
  graph: GraphBuilder,
  optimizer: Optimizer,
  parameter: OptimizedParameter,
  named: (name: string) => string,
  flat = false,
): Arrays {
  const array = (name: string, shape: readonly Dimension[]): Value =>
    graph.input(named(name), 'float32', flat ? ['n'] : shape)
  return {
    parameter: array('parameter', parameter.shape),
    gradient: array('gradient', parameter.shape),
    slots: mapValues(optimizer.init(parameter), ({ shape }, name) => array(name, shape)),
  }
}

function declareScalars(graph: GraphBuilder, names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.map(name => [name, graph.input(name, 'float32', [])]))
}

function scalarNames(optimizer: Optimizer): string[] {
  return Object.keys(optimizer.scalars?.(1, 1) ?? {})
}

/** What becomes of a parameter and its slots. */
function write(
  graph: GraphBuilder,
  optimizer: Optimizer,
  { parameter, gradient, slots }: Arrays,
  scale: Value,
  scalars: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const updated = optimizer.update(graph, { gradient: graph.mul(gradient, scale), parameter, slots, scalars })
  return { parameter_out: updated.parameter, ...mapNames(updated.slots, name => `${name}_out`) }
}

/** What becomes of a parameter and its slots where the update is made; else they are what they were. */
function elseAsBefore(
  graph: GraphBuilder,
  isMade: Value,
  written: Readonly<Record<string, Value>>,
  { parameter, slots }: Arrays,
): Record<string, Value> {
  const before: Record<string, Value> = { parameter_out: parameter, ...mapNames(slots, name => `${name}_out`) }
  return mapValues(written, (value, name) => graph.where(isMade, value, before[name]!))
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}

function mapNames<T>(record: Readonly<Record<string, T>>, map: (name: string) => string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [map(name), value]))
}
