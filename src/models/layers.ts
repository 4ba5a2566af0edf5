import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'

/**
 * How a parameter starts when no checkpoint has it: Hugging Face's `_init_weights`. The zero row of a table is never
 * trained either.
 */
export type Initialization =
  | { readonly kind: 'normal'; readonly deviation: number; readonly zeroRow?: number | undefined }
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }

/** A parameter of a model, under Hugging Face's name. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly initialization: Initialization
}

/** Where in a model values are dropped. */
export interface DropoutSite {
  /** The name of the input that the mask comes in by. */
  readonly name: string
  readonly probability: number
  readonly shape: readonly Dimension[]
}

/** What a model is written into: a graph that knows parameters by name, and where to drop. */
export interface ModelGraph {
  readonly graph: GraphBuilder
  /** The parameter as a value of the graph; the same name gives the same value. */
  parameter(name: string, shape: readonly number[], initialization: Initialization): Value
  /**
   * x with a share of its elements dropped and the others enlarged; x itself outside of training or at probability 0.
   */
  dropout(site: string, x: Value, probability: number): Value
  /**
   * Values from which what follows them can be computed again: what enters each layer. A model adds its own while it is
   * written.
   */
  readonly checkpoints: Value[]
}

/** y = scale · (x Wᵀ + b), x [rows, in], W [out, in]. */
export function linear(
  model: ModelGraph,
  name: string,
  x: Value,
  outputs: number,
  deviation: number,
  scale = 1,
): Value {
  const inputs = x.shape[1]
  if (typeof inputs !== 'number')
    throw new TrainerError('internal', `internal: the width of the input of ${name} is not known.`)
  const weight = model.parameter(`${name}.weight`, [outputs, inputs], { kind: 'normal', deviation })
  const bias = model.parameter(`${name}.bias`, [outputs], { kind: 'zeros' })
  return model.graph.gemm(x, weight, bias, scale === 1 ? { transB: 1 } : { transB: 1, alpha: scale, beta: scale })
}

/** Layer normalization over the last axis (Ba, Kiros & Hinton 2016). */
export function layerNorm(model: ModelGraph, name: string, x: Value, epsilon: number): Value {
  const width = x.shape.at(-1) as number
  const scale = model.parameter(`${name}.weight`, [width], { kind: 'ones' })
  const bias = model.parameter(`${name}.bias`, [width], { kind: 'zeros' })
  return model.graph.layerNormalization(x, scale, bias, epsilon)[0]
}

/**
 * Rows of a table; the row of the padding id starts at zero and gets no gradient, as PyTorch's `padding_idx` makes it.
 */
export function embedding(
  model: ModelGraph,
  name: string,
  ids: Value,
  rows: number,
  width: number,
  deviation: number,
  padding?: number,
): Value {
  const table = model.parameter(`${name}.weight`, [rows, width], { kind: 'normal', deviation, zeroRow: padding })
  return model.graph.gather(table, ids)
}

/** The functions that `hidden_act` can name. */
const activations: Readonly<Record<string, (graph: GraphBuilder, x: Value) => Value>> = {
  gelu: (graph, x) => graph.gelu(x),
  gelu_python: (graph, x) => graph.gelu(x),
  relu: (graph, x) => graph.relu(x),
  tanh: (graph, x) => graph.tanh(x),
  silu: (graph, x) => graph.mul(x, graph.sigmoid(x)),
  swish: (graph, x) => graph.mul(x, graph.sigmoid(x)),
  quick_gelu: (graph, x) => graph.mul(x, graph.sigmoid(graph.mul(x, 1.702))),
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
}

/** The activation of that name. @throws TrainerError listing the known ones. */
export function activation(graph: GraphBuilder, name: string, x: Value): Value {
  const write = Object.hasOwn(activations, name) ? activations[name] : undefined
  if (write === undefined)
    throw new TrainerError(
      'model',
      `The activation "${name}" is not known; these are: ${Object.keys(activations).join(', ')}.`,
    )
  return write(graph, x)
}

/** ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks & Gimpel 2016). */
function tanhGelu(graph: GraphBuilder, x: Value): Value {
  const cubic = graph.mul(graph.add(x, graph.mul(graph.mul(x, graph.mul(x, x)), 0.044715)), Math.sqrt(2 / Math.PI))
  return graph.mul(graph.mul(x, 0.5), graph.add(graph.tanh(cubic), 1))
}
