import type { TokenValues } from '../feeds/TokenLayout'
import type { Value } from '../onnx/types'
import { bertSettings, hiddenDropout } from './bertEncoder'
import { type ModelConfig, numberField, sizeField, textField } from './config'
import { activation, createLayers } from './layers'
import type { ModelGraph } from './Model'

/**
 * DeBERTa's `ConvLayer`: LayerNorm(output + the function of a convolution of the embeddings over columns), [tokens, width]; the
 * output itself where `conv_kernel_size` is 0. Masked tokens are zeros before and after.
 */
export function convolution(
  model: ModelGraph,
  config: ModelConfig,
  { neighbours, real }: TokenValues,
  embedded: Value,
  output: Value,
): Value {
  if (neighbours === undefined) return output
  const { graph } = model
  const { layerNorm } = createLayers(model, bertSettings(config))
  const kernel = numberField(config, 'conv_kernel_size')
  const seen = (x: Value): Value => (real === undefined ? x : graph.mul(x, real))
  return graph.scope('convolution', () => {
    const columns = Array.from({ length: kernel }, (_, i) => neighbours(embedded, i - (kernel - 1) / 2))
    const mixed = seen(mix(model, config, columns))
    const dropped = model.dropout('convolution', mixed, hiddenDropout(config), 'tokens')
    const activated = activation(graph, textField(config, 'conv_act'), dropped)
    return seen(layerNorm('deberta.encoder.conv.LayerNorm', graph.add(output, activated)))
  })
}

/** Conv1d's product and bias: weight [width, width / groups, kernel], of each column's values [tokens, width]. */
function mix(model: ModelGraph, config: ModelConfig, columns: readonly Value[]): Value {
  const { graph } = model
  const width = sizeField(config, 'hidden_size')
  const groups = sizeField(config, 'conv_groups')
  const inner = width / groups
  const kernel = columns.length
  const weight = model.parameter('deberta.encoder.conv.conv.weight', {
    shape: [width, inner, kernel],
    initialization: { kind: 'normal', deviation: bertSettings(config).deviation },
  })
  const bias = model.parameter('deberta.encoder.conv.conv.bias', {
    shape: [width],
    initialization: { kind: 'zeros' },
  })
  const flat = (x: Value): Value => graph.reshape(graph.transpose(x, [0, 2, 1]), [-1, kernel * inner])
  const products = Array.from({ length: groups }, (_, group) => {
    const part = (x: Value): Value => (groups === 1 ? x : graph.slice(x, [group * inner], [(group + 1) * inner], [1]))
    const own = groups === 1 ? weight : graph.slice(weight, [group * inner], [(group + 1) * inner], [0])
    return graph.gemm(graph.concat(columns.map(part), 1), flat(own), undefined, { transB: 1 })
  })
  return graph.add(graph.concat(products, 1), bias)
}
