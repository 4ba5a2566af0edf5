import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { attention } from './attention'
import { fastGelu } from './fastGelu'
import { fusedProducts } from './fusedProducts'
import type { LoweringTable, Site } from './Lowering'
import { rootMeanSquared } from './normalization'
import { refusals, unfused } from './refused'

const quantized = ['quantized weights are not trained', 'Train the model as it was before it was quantized.'] as const

/** The operators that graph optimizers leave in place of several. */
export const fused: LoweringTable = {
  // ── activations ──

  'com.microsoft.BiasGelu': {
    how: 'Gelu of x + bias',
    lower: ({ graph: g, input }) => g.gelu(g.add(input(0), input(1))),
  },
  'com.microsoft.FastGelu': {
    how: '½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))',
    lower: ({ graph: g, input, inputs }) =>
      fastGelu(g, inputs[1] === undefined ? input(0) : g.add(input(0), inputs[1])),
  },
  'com.microsoft.QuickGelu': {
    how: 'x σ(αx)',
    lower: ({ graph: g, input, attributes }) =>
      g.mul(input(0), g.sigmoid(g.mul(input(0), attributes.float('alpha', 1.702)))),
  },
  'com.microsoft.BiasSplitGelu': {
    how: 'one half of x + bias times Gelu of the other',
    lower: ({ graph: g, input }) => {
      const x = g.add(input(0), input(1))
      const half = Number(x.shape.at(-1)) / 2
      const [a, b] = g.split(x, x.shape.length - 1, [half, half])
      return g.mul(a!, g.gelu(b!))
    },
  },
  'com.microsoft.BiasAdd': {
    how: 'x + bias + skip',
    lower: ({ graph: g, input }) => g.add(g.add(input(0), input(1)), input(2)),
  },

  // ── normalizations ──

  'com.microsoft.SkipLayerNormalization': {
    how: 'LayerNormalization of x + skip + bias',
    lower: site => {
      const { graph: g, input, inputs, attributes } = site
      const sum = skipped(g, input(0), input(1), inputs[4])
      const [y, mean, inverse] = normalized(g, sum, input(2), inputs[3], attributes.float('epsilon', 1e-12))
      return [y, mean, inverse, sum]
    },
  },
  'com.microsoft.EmbedLayerNormalization': {
    how: 'LayerNormalization of the sum of three Gathers',
    lower: embedLayerNormalization,
  },
  'com.microsoft.SkipSimplifiedLayerNormalization': {
    how: 'SimplifiedLayerNormalization of x + skip + bias',
    lower: site => {
      const { graph: g, input, inputs, attributes } = site
      const sum = skipped(g, input(0), input(1), inputs[3])
      const last = [sum.shape.length - 1]
      const [y, inverse] = rootMeanSquared(g, sum, last, input(2), attributes.float('epsilon', 1e-12))
      return [y, undefined, inverse, sum]
    },
  },

  ...fusedProducts,
  ...attention,

  // ── known, and refused ──

  ...refusals(
    ['NhwcConv', 'NhwcMaxPool', 'NhwcFusedConv'],
    'its images have their channels last, as only optimized graphs do',
    unfused,
  ),
  ...refusals(
    [
      'QLinearConv',
      'QLinearAdd',
      'QLinearMul',
      'QLinearSigmoid',
      'QLinearLeakyRelu',
      'QLinearSoftmax',
      'QLinearConcat',
      'QLinearWhere',
      'QLinearReduceMean',
      'QLinearGlobalAveragePool',
      'QLinearAveragePool',
      'QGemm',
      'QEmbedLayerNormalization',
      'MatMulIntegerToFloat',
      'DynamicQuantizeMatMul',
      'DynamicQuantizeLSTM',
      'MatMulNBits',
      'MatMulBnb4',
      'MatMulFpQ4',
      'GatherBlockQuantized',
      'QuantizeLinear',
      'DequantizeLinear',
      'QMoE',
      'GemmFloat8',
      'MulInteger',
    ],
    ...quantized,
  ),
  // the same in ONNX itself
  ...refusals(
    [
      'QuantizeLinear',
      'DequantizeLinear',
      'DynamicQuantizeLinear',
      'QLinearMatMul',
      'QLinearConv',
      'MatMulInteger',
      'ConvInteger',
    ],
    ...quantized,
    '',
  ),
}

function skipped(g: GraphBuilder, x: Value, skip: Value, bias: Value | undefined): Value {
  return bias === undefined ? g.add(x, skip) : g.add(g.add(x, skip), bias)
}

/** LayerNormalization over the last axis, with each row's mean and 1/deviation, which its gradient reads. */
function normalized(
  g: GraphBuilder,
  x: Value,
  scale: Value,
  bias: Value | undefined,
  epsilon: number,
): readonly Value[] {
  return g.node('LayerNormalization', bias === undefined ? [x, scale] : [x, scale, bias], { axis: -1, epsilon }, 3)
}

/** The sum of the rows for words, positions and segments, normalized; how many tokens of each row are not masked. */
function embedLayerNormalization(site: Site): readonly (Value | undefined)[] {
  const { graph: g, input, inputs, attributes } = site
  const [ids, segments, words, positions, segmentTable] = [input(0), inputs[1], input(2), input(3), inputs[4]]
  const [mask, places] = [inputs[7], inputs[8]]
  attributes.ignore('mask_index_type')
  const placed = g.add(
    g.gather(words, ids),
    places === undefined ? firstRows(g, positions, ids) : g.gather(positions, places),
  )
  const sum =
    segments === undefined || segmentTable === undefined ? placed : g.add(placed, g.gather(segmentTable, segments))
  const [y] = normalized(g, sum, input(5), input(6), attributes.float('epsilon', 1e-12))
  const counted = (): Value =>
    mask === undefined
      ? g.cast(g.reduceSum(g.cast(g.mul(ids, 0), 'float32'), [1]), 'int32')
      : g.cast(g.reduceSum(g.cast(mask, 'float32'), [1]), 'int32')
  return [y, site.isRead(1) ? counted() : undefined, sum]
}

/** As many of the first rows of a table as there are tokens in [batch, tokens]. */
function firstRows(g: GraphBuilder, table: Value, ids: Value): Value {
  const length = ids.shape[1]!
  if (typeof length === 'number') return g.slice(table, [0], [length], [0])
  const end = g.node('Shape', [ids], { start: 1, end: 2 })[0]!
  const [rows] = g.node('Slice', [table, g.integers([0]), end, g.integers([0])], {})
  return g.assume(rows!, [length, ...table.shape.slice(1)])
}
