import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import type { Initialization, ModelGraph } from './Model'

/** The layers that models are made of, in a graph that is being written. */
export interface Layers {
  /** y = scale · (x Wᵀ + b), x [rows, in], W [out, in]. */
  linear(name: string, x: Value, outputs: number, scale?: number, options?: LinearOptions): Value
  /** y = x Wᵀ, x [rows, in], W [out, in]: `linear` without a bias. */
  product(name: string, x: Value, outputs: number): Value
  /** Layer normalization over the last axis (Ba, Kiros & Hinton 2016), with a bias unless `bias` is false. */
  layerNorm(name: string, x: Value, bias?: boolean): Value
  /** Rows of a table [rows, width]; that of the padding id starts at zero and is not trained. */
  embedding(name: string, ids: Value, rows: number, width: number, paddingRow?: number, start?: Initialization): Value
}

/** What a product may have otherwise. */
export interface LinearOptions {
  /** Whether there is a b. Default true. */
  readonly bias?: boolean
  /** How W starts; normal with the model's deviation unless given. */
  readonly start?: Initialization
}

/** What layers of one model have in common: config fields `initializer_range` and `layer_norm_eps`. */
export interface LayerSettings {
  readonly deviation: number
  readonly epsilon: number
}

/** Layers that write into a model's graph. */
export function createLayers(model: ModelGraph, { deviation, epsilon }: LayerSettings): Layers {
  const { graph } = model
  const linear: Layers['linear'] = (name, x, outputs, scale = 1, options = {}) => {
    const { bias = true, start = { kind: 'normal', deviation } as const } = options
    const weight = model.parameter(`${name}.weight`, { shape: [outputs, knownWidth(name, x)], initialization: start })
    const added = bias
      ? model.parameter(`${name}.bias`, { shape: [outputs], initialization: { kind: 'zeros' } })
      : undefined
    const scaled = scale === 1 ? {} : { alpha: scale, ...(bias && { beta: scale }) }
    return model.adapted(name, x, graph.gemm(x, weight, added, { transB: 1, ...scaled }), scale)
  }
  return {
    linear,
    product: (name, x, outputs) => linear(name, x, outputs, 1, { bias: false }),
    layerNorm(name, x, bias = true) {
      const shape = [knownWidth(name, x)]
      const scale = model.parameter(`${name}.weight`, { shape, initialization: { kind: 'ones' } })
      const added = bias
        ? model.parameter(`${name}.bias`, { shape, initialization: { kind: 'zeros' } })
        : graph.constant(Tensor.zeros('float32', shape))
      return graph.layerNormalization(x, scale, added, epsilon)[0]
    },
    embedding(name, ids, rows, width, paddingRow, start = { kind: 'normal', deviation }) {
      const table = model.parameter(`${name}.weight`, {
        shape: [rows, width],
        initialization: start,
        paddingRow,
        isTable: true,
      })
      return graph.gather(table, ids, 0, paddingRow === undefined ? undefined : { frozenRow: paddingRow })
    },
  }
}

function knownWidth(name: string, x: Value): number {
  const width = x.shape.at(-1)
  if (typeof width === 'number') return width
  throw new TrainerError('internal', `internal: the width of the input of ${name} is not known.`)
}

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
  gelu_python_tanh: tanhGelu,
  gelu_accurate: tanhGelu,
  sigmoid: (graph, x) => graph.sigmoid(x),
  relu2: (graph, x) => graph.mul(graph.relu(x), graph.relu(x)),
  linear: (_graph, x) => x,
}

/** The functions that `hidden_act` can name. */
export const activationNames: readonly string[] = Object.keys(activations)

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
