import { TrainerError } from '../errors'
import { asGiven, declareGiven } from '../feeds/asGiven'
import type { Head, Values } from '../heads/Head'
import type { GraphBuilder } from '../onnx/builder'
import type { Graph, Node, Value } from '../onnx/types'
import type { Model, Parameter } from './Model'
import { namesMeant, type ParameterPatterns } from './freeze'

/** How a graph becomes a model. */
export interface OnnxModelOptions {
  /** What messages call it. */
  readonly name: string
  /** Makes the head for the width of the output that it reads: [rows, width]. */
  head(width: number): Head
  /** Which parameters are trained, all unless given: the initializers of type float32 with at least one axis. */
  readonly trainable?: ParameterPatterns | undefined
}

/**
 * A graph that was made elsewhere as a model: its initializers are its parameters, its output `logits`, or else
 * its first one, is what the head reads.
 * @throws TrainerError ('graph') for a graph without such an output [rows, width], ('argument') for a pattern of what is
 * trained that no initializer has.
 */
export function onnxModel(graph: Graph, options: OnnxModelOptions): Model<Values> {
  const output = graph.outputs.find(({ name }) => name === 'logits') ?? graph.outputs[0]
  const width = output?.shape[1]
  if (output === undefined || output.dtype !== 'float32' || output.shape.length !== 2 || typeof width !== 'number') {
    const found = output === undefined ? 'it has none' : `it is ${output.dtype}[${output.shape.join(', ')}]`
    throw new TrainerError(
      'graph',
      `The output of ${options.name} that is called "logits", or else its first, has to be float32 [rows, width], but ${found}.`,
      {
        fix: 'Export the graph so that it ends with the numbers that the loss is computed from, and before the loss.',
      },
    )
  }
  const parameters = parametersOf(graph, options)
  const names = new Set(parameters.map(({ name }) => name))
  return {
    name: options.name,
    parameters,
    inputNames: graph.inputs.map(({ name }) => name),
    head: options.head(width),
    openLengths: true,
    layout: () => asGiven(graph.inputs),
    declareInference: builder => declareGiven(builder, graph.inputs),
    forward(model, inputs) {
      const values = new Map<string, Value>(Object.entries(inputs))
      for (const [name, { tensor }] of graph.initializers) {
        const stated = { shape: tensor.dims, initialization: { kind: 'zeros' } } as const
        values.set(name, names.has(name) ? model.parameter(name, stated) : model.graph.constant(tensor))
      }
      for (const node of graph.nodes) replay(model.graph, node, values)
      const named = graph.outputs.map(({ name }) => [name, values.get(name)!] as const)
      return { ...Object.fromEntries(named), logits: values.get(output.name)! }
    },
  }
}

function parametersOf(graph: Graph, { name, trainable }: OnnxModelOptions): readonly Parameter[] {
  const floats = [...graph.initializers.values()].filter(({ tensor }) => tensor.dtype === 'float32')
  const names = floats.map(({ value }) => value.name)
  const trained = trainable === undefined ? undefined : namesMeant(trainable, names, name)
  return floats
    .filter(({ value, tensor }) => tensor.dims.length > 0 || trained?.has(value.name) === true)
    .map(({ value, tensor }) => ({
      name: value.name,
      shape: tensor.dims,
      initialization: { kind: 'zeros' },
      trainable: trained?.has(value.name) ?? true,
    }))
}

/** Writes a node of another graph again, and takes note of its outputs under their names there. */
function replay(graph: GraphBuilder, node: Node, values: Map<string, Value>): void {
  const inputs = node.inputs.map(input => (input === undefined ? undefined : values.get(input.name)))
  const outputs = graph.node(node.op, inputs, node.attributes, node.outputs.length)
  node.outputs.forEach((output, i) => {
    if (output !== undefined) values.set(output.name, outputs[i]!)
  })
}
