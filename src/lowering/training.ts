import { addRows, sliceGradient } from '../autodiff/movement'
import { normalizationGradient } from '../autodiff/normalization'
import { asRows, expand, zeros } from '../autodiff/shapes'
import { unbroadcast } from '../autodiff/unbroadcast'
import type { GraphBuilder } from '../onnx/builder'
import { positive } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { type DataType, Tensor } from '../tensor'
import { axesFrom } from './axes'
import { backThrough, typedLike } from './backThrough'
import { broadcastGradientArgs, readingOpenAxes } from './broadcastGradient'
import { numberedRows } from './cutting'
import { softmaxBack } from './dropout'
import { fastGeluBack } from './fastGelu'
import type { Lowering, LoweringTable, Site } from './Lowering'
import { refusals, refused } from './refused'

/** Writes a gradient of the shape of what it is the gradient of. */
const back = (how: string, write: (g: GraphBuilder, dy: Value, x: Value, site: Site) => Value, of = 1): Lowering => ({
  how,
  carries: [],
  lower: site => {
    const x = site.input(of)
    return typedLike(write(site.graph, site.input(0), x, site), x)
  },
})

/**
 * The operators of ONNX Runtime Training that are in no ordinary build. Most are what a rule of the table of gradients
 * writes, and are written by it.
 */
export const training: LoweringTable = {
  // ── of activations ──

  'com.microsoft.TanhGrad': back('dy (1 - y²)', (g, dy, y) => backThrough(g, 'Tanh', { y: [y], dy: [dy] })[0]!),
  'com.microsoft.SigmoidGrad': back('dy y (1 - y)', (g, dy, y) => backThrough(g, 'Sigmoid', { y: [y], dy: [dy] })[0]!),
  'com.microsoft.ReluGrad': back('dy where y > 0', (g, dy, y) => backThrough(g, 'Relu', { y: [y], dy: [dy] })[0]!),
  'com.microsoft.LeakyReluGrad': back('dy where y > 0, else α dy', (g, dy, y, { attributes }) =>
    g.where(g.greater(y, 0), dy, g.mul(dy, attributes.float('alpha', 0.01))),
  ),
  'com.microsoft.GeluGrad': back('dy (Φ(x) + x φ(x))', (g, dy, x) => geluBack(g, dy, x)),
  'com.microsoft.FastGeluGrad': back('½ dy (1 + t + x (1 - t²) du), t = tanh u', fastGeluBack),
  'com.microsoft.QuickGeluGrad': back('dy s (1 + αx (1 - s)), s = σ(αx)', (g, dy, x, { attributes }) => {
    const scaled = g.mul(x, attributes.float('alpha', 1.702))
    const s = g.sigmoid(scaled)
    return g.mul(g.mul(dy, s), g.add(g.mul(scaled, g.sub(1, s)), 1))
  }),
  'com.microsoft.BiasGeluGrad_dX': back('GeluGrad at x + bias', (g, dy, x, { input }) =>
    geluBack(g, dy, g.add(x, input(2))),
  ),
  'com.microsoft.BiasFastGeluGrad_dX': back('FastGeluGrad at x + bias', (g, dy, x, { input }) =>
    fastGeluBack(g, dy, g.add(x, input(2))),
  ),

  // ── along axes ──

  'com.microsoft.SoftmaxGrad': back('y (dy - Σ y dy), over all axes from the axis on', (_, dy, y, site) =>
    softmaxBack(site, dy, y, axisOf(site, 1, y)),
  ),
  'com.microsoft.SoftmaxGrad_13': back('y (dy - Σ y dy)', (g, dy, y, site) => {
    const axis = axisOf(site, -1, y)
    return backThrough(g, 'Softmax', { y: [y], dy: [dy], attributes: { axis } })[0]!
  }),
  'com.microsoft.LogSoftmaxGrad': back('dy - eʸ Σ dy, over all axes from the axis on', (g, dy, y, site) => {
    return g.sub(dy, g.mul(g.exp(y), g.reduceSum(dy, axesFrom(y, axisOf(site, 1, y)), true)))
  }),
  'com.microsoft.LogSoftmaxGrad_13': back('dy - eʸ Σ dy', (g, dy, y, site) => {
    const axis = axisOf(site, -1, y)
    return backThrough(g, 'LogSoftmax', { y: [y], dy: [dy], attributes: { axis } })[0]!
  }),
  'com.microsoft.LayerNormalizationGrad': {
    how: 'r (g - mean g - x̂ mean(g x̂)), g = dy s; Σ dy x̂; Σ dy',
    carries: [],
    lower: layerNormalizationBack,
  },
  'com.microsoft.InvertibleLayerNormalizationGrad': {
    how: 'LayerNormalizationGrad, x̂ = (y - b) / s',
    carries: [],
    lower: site => {
      const { graph: g, input } = site
      const [dy, y, scale, bias, inverse] = [input(0), input(1), input(2), input(3), input(4)]
      const normal = g.div(g.sub(y, bias), scale)
      const axis = axisOf(site, -1, y)
      return normalizedBack(g, { dy, x: y, normal, scale, inverse, axis, centred: true })
    },
  },
  'com.microsoft.SimplifiedLayerNormalizationGrad': {
    how: 'r (g - x̂ mean(g x̂)), g = dy s, x̂ = x r; Σ dy x̂',
    carries: [],
    lower: site => {
      const { graph: g, input } = site
      const [dy, x, scale, inverse] = [input(0), input(1), input(2), input(3)]
      const normal = g.mul(x, g.cast(inverse, x.dtype))
      const axis = axisOf(site, -1, x)
      return normalizedBack(g, { dy, x, normal, scale, inverse, axis, centred: false })
    },
  },

  // ── of what is moved ──

  'com.microsoft.GatherGrad': { how: 'ScatterElements that adds rows to zeros', carries: [], lower: gatherBack },
  'com.microsoft.GatherElementsGrad': {
    how: 'ScatterElements that adds to zeros',
    carries: [],
    lower: site => {
      const { graph: g, input } = site
      const axis = site.attributes.int('axis', 0)
      const base = zerosOf(site, 1, input(0).dtype)
      return g.node('ScatterElements', [base, input(2), input(0)], { axis, reduction: 'add' })[0]!
    },
  },
  'com.microsoft.GatherNDGrad': {
    how: 'GatherGrad of rows that are numbered through',
    carries: [],
    lower: gatherNDBack,
  },
  'com.microsoft.SliceGrad': {
    how: 'Pad, Concat with zeros, or a scatter where steps leave gaps',
    carries: [],
    lower: site => {
      const { graph, inputs, input } = site
      const x = zerosOf(site, 1, input(0).dtype)
      return sliceGradient(graph, [x, ...inputs.slice(2, 6)], input(0))
    },
  },
  'com.microsoft.ConcatTraining': { how: 'Concat', lower: concatTraining },
  'com.microsoft.SplitTraining': {
    how: 'Split',
    carries: [0],
    lower: ({ graph, input, attributes, outputs }) =>
      graph.node('Split', [input(0), graph.cast(input(1), 'int64')], { axis: attributes.int('axis', 0) }, outputs),
  },

  // ── of what is broadcast ──

  'com.microsoft.BroadcastGradientArgs': {
    how: 'worked out while the graph is written; what is open, by the sum that reads it',
    carries: [],
    lower: broadcastGradientArgs,
  },
  'com.microsoft.ReduceSumTraining': readingOpenAxes({
    how: 'ReduceSum',
    carries: [0],
    lower: ({ graph, inputs, input, attributes }) => {
      attributes.ignore('fast_reduction')
      const [keepdims, noop] = [attributes.int('keepdims', 1), attributes.int('noop_with_empty_axes', 0)]
      return graph.node('ReduceSum', [input(0), inputs[1]], { keepdims, noop_with_empty_axes: noop })[0]!
    },
  }),
  'com.microsoft.DivGrad': {
    how: 'dy / b and -dy y / b, summed where a and b were stretched',
    carries: [],
    lower: divBack,
  },

  // ── sums and scales ──

  'com.microsoft.Scale': {
    how: 'x · s, or x / s',
    carries: [0],
    lower: ({ graph: g, input, attributes }) => {
      const by = g.reshape(g.cast(input(1), input(0).dtype), [])
      return attributes.int('scale_down', 0) === 0 ? g.mul(input(0), by) : g.div(input(0), by)
    },
  },
  'com.microsoft.ScaledSum': {
    how: 'Σ sᵢ xᵢ',
    lower: ({ graph: g, inputs, attributes }) =>
      inputs
        .flatMap((x, i) => (x === undefined ? [] : [g.mul(x, attributes.float(`scale_${i}`, 0))]))
        .reduce((a, b) => g.add(a, b)),
  },
  'com.microsoft.BatchScale': {
    how: 's₀ x, s₁ x and s₂ x',
    lower: ({ graph: g, input, attributes, outputs }) =>
      Array.from({ length: outputs }, (_, i) => g.mul(input(0), attributes.float(`scale${i}`, 0))),
  },
  'com.microsoft.ReduceAllL2': {
    how: '√ Σ Σ xᵢ²',
    lower: ({ graph: g, inputs }) => {
      const squares = inputs.map(x =>
        g.sum(
          g.reduceSumSquare(
            x!,
            x!.shape.map((_, axis) => axis),
          ),
        ),
      )
      return g.sqrt(squares.reduce((a, b) => g.add(a, b)))
    },
  },
  'com.microsoft.InPlaceAccumulatorV2': {
    how: 'x where it overwrites, else buffer + x',
    carries: [],
    lower: ({ graph: g, inputs, input }) => {
      const [buffer, x, overwrites] = [input(0), input(1), inputs[2]]
      const sum = g.add(buffer, x)
      const next = overwrites === undefined ? sum : g.where(g.reshape(overwrites, []), x, sum)
      return [g.constant(Tensor.from('bool', [1])), typedLike(next, buffer)]
    },
  },
  'com.microsoft.InPlaceAccumulator': {
    how: 'buffer + x where it is updated, else buffer',
    carries: [],
    lower: ({ graph: g, inputs, input }) => {
      const sum = g.add(input(0), input(1))
      return inputs[2] === undefined ? sum : g.where(g.reshape(inputs[2], []), sum, input(0))
    },
  },
  'com.microsoft.ZeroGradient': {
    how: 'zeros',
    carries: [],
    lower: ({ graph: g, input }) => zeros(g, input(0).dtype, input(0).shape, [input(0)]),
  },
  'com.microsoft.PassThrough': {
    how: 'what goes in',
    lower: ({ inputs, outputs }) => inputs.slice(0, outputs),
  },

  // ── known, and refused ──

  ...refusals(
    ['AdamOptimizer', 'AdamWOptimizer', 'LambOptimizer', 'SGDOptimizer', 'SGDOptimizerV2', 'InplaceClipGradNorm'],
    'it updates parameters, which the optimizer of a Trainer does',
    'Give the graph that it stands in as optimizer_model.onnx, beside the training_model.onnx that it belongs to.',
  ),
  ...refusals(
    ['IsFinite', 'IsAllFinite', 'All', 'MixedPrecisionScale', 'Group', 'YieldOp', 'View', 'SummaryScalar'],
    "it is part of how PyTorch's ORTModule or ORTTrainer drives a graph",
    'Make the artifacts with generateArtifacts.',
  ),
  ...refusals(
    [
      'NcclAllReduce',
      'NcclAllGather',
      'NcclReduceScatter',
      'AdasumAllReduce',
      'Send',
      'Recv',
      'RecordEvent',
      'WaitEvent',
      'MegatronF',
      'MegatronG',
    ],
    'it exchanges tensors with other processes',
    'Make the artifacts for one process: the Trainer adds up gradients itself.',
  ),
  ...refusals(
    ['PadAndUnflatten', 'FlattenAndUnpad', 'ShrunkenGather'],
    'it takes padding out of batches, which only the CUDA build of ORTModule does',
    'Make the artifacts with generateArtifacts.',
  ),
  ...refusals(
    ['LSTMTraining', 'LSTMGrad', 'GRUTraining', 'GRUGrad'],
    'a recurrent net is a loop, which no provider can run in a training graph of ordinary operators',
    'Train another architecture.',
  ),
  ...refusals(
    ['PythonOp', 'PythonOpGrad', 'TritonOp'],
    'its code is not in the file',
    'Export the model without custom functions.',
  ),
  ...refusals(
    ['FakeQuant', 'FakeQuantGrad'],
    'quantized weights are not trained',
    'Train the model first, and quantize it then.',
  ),
  ...refusals(
    ['ResizeGrad'],
    'only the CUDA build has it',
    'Make the artifacts from forward.onnx with generateArtifacts.',
  ),
  'org.pytorch.aten.ATen': refused('its code is part of PyTorch', 'Export the model with ONNX operators only.'),
}

function geluBack(g: GraphBuilder, dy: Value, x: Value): Value {
  return backThrough(g, 'Gelu', { x: [x], dy: [dy] })[0]!
}

function axisOf({ attributes }: Site, otherwise: number, x: Value): number {
  return positive(attributes.int('axis', otherwise), x.shape.length)
}

function layerNormalizationBack(site: Site): readonly (Value | undefined)[] {
  const { graph: g, input, isRead } = site
  site.attributes.ignore('epsilon', 'stash_type')
  const [dy, x, scale, mean, inverse] = [input(0), input(1), input(2), input(3), input(4)]
  const axis = axisOf(site, -1, x)
  const { dx, dScale } = normalizationGradient({
    graph: g,
    x,
    scale,
    axis,
    epsilon: 0,
    y: [undefined, mean, inverse],
    dy: [dy],
    asked: isRead(0),
  })
  return [dx && typedLike(dx, x), dScale, summed(g, dy, axis)]
}

/** A normalization whose result before the scale is known. */
interface Normalized {
  readonly dy: Value
  /** Of what dx is the gradient. */
  readonly x: Value
  /** x̂ */
  readonly normal: Value
  readonly scale: Value
  /** r, a number for each row */
  readonly inverse: Value
  readonly axis: number
  /** Whether a mean was subtracted. */
  readonly centred: boolean
}

function normalizedBack(g: GraphBuilder, site: Normalized): readonly Value[] {
  const { dy, x, normal, scale, inverse, axis, centred } = site
  const axes = axesFrom(x, axis)
  const weighted = g.mul(dy, scale)
  const along = g.mul(normal, g.reduceMean(g.mul(weighted, normal), axes, true))
  const rest = centred ? g.sub(weighted, g.reduceMean(weighted, axes, true)) : weighted
  const dx = typedLike(g.mul(g.sub(rest, along), g.cast(inverse, x.dtype)), x)
  const dScale = summed(g, g.mul(dy, normal), axis)
  return centred ? [dx, dScale, summed(g, dy, axis)] : [dx, dScale]
}

/** Σ over the axes before one. */
function summed(g: GraphBuilder, x: Value, axis: number): Value {
  return g.reduceSum(
    x,
    x.shape.slice(0, axis).map((_, i) => i),
  )
}

/**
 * Zeros of the shape that input `at` says.
 * @param names those of its lengths that are known to be those of other values
 */
function zerosOf(
  { graph: g, input, lengths }: Site,
  at: number,
  dtype: DataType,
  names: readonly (Dimension | undefined)[] = [],
): Value {
  const [value] = g.node('Expand', [g.constant(0, dtype), g.cast(input(at), 'int64')], {})
  const known = lengths(input(at))
  if (value!.shape.every(length => typeof length === 'number')) return value!
  return g.assume(
    value!,
    value!.shape.map((length, i): Dimension => {
      const own = known?.[i]
      return typeof own === 'number' ? own : (names[i] ?? own ?? length)
    }),
  )
}

function gatherBack(site: Site): Value {
  const { graph: g, input } = site
  const axis = positive(site.attributes.int('axis', 0), Number(input(0).shape[0]))
  const [index, dy] = firstRows(g, axis, g.cast(input(1), 'int32'), input(2))
  const names = [...dy.shape.slice(0, axis), undefined, ...dy.shape.slice(axis + index.shape.length)]
  return addRows(g, zerosOf(site, 0, dy.dtype, names), axis, index, dy)
}

function gatherNDBack(site: Site): Value {
  const { graph: g, input, attributes } = site
  const [index, dy] = [input(1), input(2)]
  const x = zerosOf(site, 0, dy.dtype)
  const [rows, place] = numberedRows(g, x, index, attributes.int('batch_dims', 0))
  const rest = dy.shape.slice(index.shape.length - 1)
  const base = typedLike(rows, { ...rows, shape: [rows.shape[0]!, ...rest] })
  const tuples = index.shape.length === 1 ? g.unsqueeze(dy, [0]) : asRows(g, dy, rest)
  return g.reshapeLike(addRows(g, base, 0, g.reshape(place, [-1]), tuples), x)
}

/**
 * As many rows of a gradient as there are indices. Where a Gather of one row of positions was added to all rows of a
 * batch, the official builder leaves the sum over the batch out, and the kernel adds the first row alone.
 */
function firstRows(g: GraphBuilder, axis: number, index: Value, dy: Value): readonly [Value, Value] {
  const rest = dy.shape.slice(index.shape.length)
  const isAlike = dy.shape.slice(0, index.shape.length).join() === index.shape.join()
  if (axis !== 0 || index.shape.length === 0 || isAlike || !rest.every(length => typeof length === 'number'))
    return [index, dy]
  const flat = g.reshape(index, [-1])
  const count = g.node('Shape', [flat], {})[0]!
  const rows = g.node('Slice', [g.reshape(dy, [-1, ...rest]), g.integers([0]), count, g.integers([0])], {})[0]!
  return [flat, { ...rows, shape: [flat.shape[0]!, ...rest] }]
}

/** The parts put together, and how long each is. */
function concatTraining({ graph: g, inputs, attributes, isRead }: Site): readonly (Value | undefined)[] {
  const parts = inputs.flatMap(part => (part === undefined ? [] : [part]))
  const axis = positive(attributes.int('axis', 0), parts[0]!.shape.length)
  const own = parts.map(part => part.shape[axis]!)
  const each = (): Value =>
    own.every(length => typeof length === 'number')
      ? g.integers(own)
      : g.concat(
          parts.map(part => g.node('Shape', [part], { start: axis, end: axis + 1 })[0]!),
          0,
        )
  const whole = parts.length === 1 ? g.identity(parts[0]!) : g.concat(parts, axis)
  return [whole, isRead(1) ? each() : undefined]
}

/** Of a / b: da = dy / b, db = -dy a / b². */
function divBack({ graph: g, input }: Site): readonly Value[] {
  const [dy, a, b] = [input(0), input(1), input(2)]
  const wide = backThrough(g, 'Div', { x: [a, b], y: [g.div(a, b)], dy: [dy] })
  return [a, b].map((operand, i) => {
    const sources = [operand, dy, a, b]
    const narrow = unbroadcast(g, wide[i]!, operand, dy.shape, sources)
    return typedLike(expand(g, narrow, operand.shape, sources), operand)
  })
}
