import { GraphBuilder } from '../onnx/builder'
import type { Dimension, Graph, Value } from '../onnx/types'
import type { OptimizedParameter, Optimizer } from '../optim/Optimizer'

/**
 * The update of one parameter as a graph: `parameter`, `gradient` (a sum), slots and scalars (`gradient_scale`, `rate`,
 * `weight_decay` and the optimizer's own) → `parameter_out` and `<slot>_out`.
 * @param flat whether the update is elementwise: its arrays then have the shape [n], else the parameter's own.
 */
export function updateGraph(optimizer: Optimizer, parameter: OptimizedParameter, flat: boolean): Graph {
  const graph = new GraphBuilder(`${optimizer.name} update`)
  const array = (name: string, shape: readonly Dimension[]): Value => graph.input(name, 'float32', flat ? ['n'] : shape)
  const scalar = (name: string): Value => graph.input(name, 'float32', [])
  const value = array('parameter', parameter.shape)
  const sum = array('gradient', parameter.shape)
  const slots = mapValues(optimizer.init(parameter), ({ shape }, name) => array(name, shape))
  const scale = scalar('gradient_scale')
  const names = ['rate', 'weight_decay', ...Object.keys(optimizer.scalars?.(1, 1) ?? {})]
  const scalars = Object.fromEntries(names.map(name => [name, scalar(name)]))
  const updated = optimizer.update(graph, { gradient: graph.mul(sum, scale), parameter: value, slots, scalars })
  const slotOutputs = Object.entries(updated.slots).map(([name, slot]) => [`${name}_out`, slot] as const)
  return graph.build({ parameter_out: updated.parameter, ...Object.fromEntries(slotOutputs) })
}

/** The scalars of an update by name, weight decay aside. */
export function updateScalars(optimizer: Optimizer, step: number, rate: number, scale: number): Record<string, number> {
  return { rate, gradient_scale: scale, ...optimizer.scalars?.(step, rate) }
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}
