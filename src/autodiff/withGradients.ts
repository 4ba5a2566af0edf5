import { nearest, TrainerError } from '../errors'
import { GraphBuilder } from '../onnx/builder'
import type { Graph, Value } from '../onnx/types'
import { differentiate } from './backward'

/**
 * A graph that returns gradients beside its outputs: `<name>_grad` for every name in `wrt` that the loss depends on.
 *
 * @param loss the name of a scalar of the graph
 * @param wrt names of inputs, initializers or values in between
 */
export function withGradients(
  graph: Graph,
  { loss, wrt }: { readonly loss: string; readonly wrt: readonly string[] },
): Graph {
  const builder = GraphBuilder.from(graph)
  const made = [
    ...graph.inputs,
    ...[...graph.initializers.values()].map(({ value }) => value),
    ...graph.nodes.flatMap(node => node.outputs),
  ]
  const values = new Map(made.flatMap(value => (value === undefined ? [] : [[value.name, value] as const])))
  const find = (name: string): Value => {
    const value = values.get(name)
    if (value !== undefined) return value
    const close = nearest(name, values.keys())
    const fix = close === undefined ? {} : { fix: `Did you mean "${close}"?` }
    throw new TrainerError('argument', `The graph "${graph.name}" has no value named "${name}".`, fix)
  }
  const { dense } = differentiate(builder, find(loss), wrt.map(find))
  return builder.build({
    ...Object.fromEntries(graph.outputs.map(output => [output.name, output])),
    ...Object.fromEntries([...dense].map(([name, value]) => [`${name}_grad`, value])),
  })
}
