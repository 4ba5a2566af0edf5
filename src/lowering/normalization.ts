import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import { positive } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { spatialAxes } from '../onnx/windows'
import { axesFrom } from './axes'
import { batchNormalization } from './batchNormalization'
import { alongChannels } from './convolution'
import type { LoweringTable, Site } from './Lowering'
import { root } from './pooling'

/** What brings values to a common mean and size. */
export const normalization: LoweringTable = {
  BatchNormalization: {
    how: '(x - mean) · (scale / √(variance + ε)) + bias; with training_mode by the mean and variance of the batch',
    carries: [0, 1, 2],
    statistics: [3, 4],
    lower: batchNormalization,
  },
  LayerNormalization: {
    how: 'as it is; where scale is smaller than what is normalized, (x - mean) / √(variance + ε) · scale + bias',
    lower: layerNormalization,
  },
  InstanceNormalization: {
    how: '(x - mean) / √(variance + ε) · scale + bias, over each channel of each row',
    lower: instanceNormalization,
  },
  GroupNormalization: {
    how: '(x - mean) / √(variance + ε) · scale + bias; scale for each group before opset 21, for each channel from it on',
    lower: groupNormalization,
  },
  'com.microsoft.GroupNorm': {
    how: 'the same, channels last unless channels_last is 0, and x · sigmoid(x) of it with activation 1',
    lower: groupNorm,
  },
  MeanVarianceNormalization: { how: '(x - mean) / (√variance + 1e-9)', lower: meanVarianceNormalization },
  RMSNormalization: { how: 'x / √(mean x² + ε) · scale', lower: rootMeanSquare },
  SimplifiedLayerNormalization: { how: 'x / √(mean x² + ε) · scale', lower: rootMeanSquare },
  'com.microsoft.SimplifiedLayerNormalization': { how: 'x / √(mean x² + ε) · scale', lower: rootMeanSquare },
  LpNormalization: { how: 'x / (Σ |x|ᵖ)^(1 / p), 0 where all of x is', lower: lpNormalization },
  LRN: {
    how: 'x / (bias + alpha · mean x²)^beta, the mean by AveragePool over neighbouring channels',
    lower: localResponse,
  },
}

/** A mean and a variance over some axes, which they keep as 1, and x - mean. */
interface Moments {
  readonly mean: Value
  readonly variance: Value
  readonly centred: Value
}

function moments(g: GraphBuilder, x: Value, axes: readonly number[]): Moments {
  const mean = g.reduceMean(x, axes, true)
  const centred = g.sub(x, mean)
  return { mean, centred, variance: g.reduceMean(g.mul(centred, centred), axes, true) }
}

/** The same, and 1 / √(variance + ε). */
function standardized(
  g: GraphBuilder,
  x: Value,
  axes: readonly number[],
  epsilon: number,
): Moments & { readonly inverse: Value } {
  const found = moments(g, x, axes)
  return { ...found, inverse: g.reciprocal(g.sqrt(g.add(found.variance, epsilon))) }
}

function layerNormalization({ graph: g, inputs, input, attributes, outputs }: Site): readonly Value[] {
  const [x, scale, bias] = [input(0), input(1), inputs[2]]
  const axis = positive(attributes.int('axis', -1), x.shape.length)
  const epsilon = attributes.float('epsilon', 1e-5)
  attributes.ignore('stash_type')
  const rest = x.shape.slice(axis)
  const covers = (parameter: Value): boolean =>
    parameter.shape.length === rest.length &&
    parameter.shape.every((length, i) => length === rest[i] || isLonger(length, rest[i]!))
  if (covers(scale) && (bias === undefined || covers(bias))) {
    const typed = { ...x, shape: [...x.shape.slice(0, axis), ...scale.shape] }
    return g.node(
      'LayerNormalization',
      bias === undefined ? [typed, scale] : [typed, scale, bias],
      { axis, epsilon },
      outputs,
    )
  }
  const { centred, mean, inverse } = standardized(g, x, axesFrom(x, axis), epsilon)
  const whole = g.mul(g.mul(centred, inverse), scale)
  return [bias === undefined ? whole : g.add(whole, bias), mean, inverse]
}

/** Whether a known length says what one without a number is: 1 would be stretched to it. */
function isLonger(length: Dimension, other: Dimension): boolean {
  return typeof other === 'string' && typeof length === 'number' && length !== 1
}

function instanceNormalization(site: Site): Value {
  const { graph: g, input, attributes } = site
  const x = input(0)
  const rank = x.shape.length
  const { centred, inverse } = standardized(g, x, spatialAxes(rank), attributes.float('epsilon', 1e-5))
  const factor = g.mul(inverse, alongChannels(site, input(1), rank))
  return g.add(g.mul(centred, factor), alongChannels(site, input(2), rank))
}

function groupNormalization(site: Site): Value {
  const { graph: g, input, attributes, opset } = site
  const [x, scale, bias] = [input(0), input(1), input(2)]
  const groups = attributes.int('num_groups')
  if (groups === undefined) throw new TrainerError('file', 'its attribute num_groups is missing.')
  const epsilon = attributes.float('epsilon', 1e-5)
  attributes.ignore('stash_type')
  const parts = inGroups(g, x, groups, epsilon)
  if (opset >= 21) return scaled(site, g.reshapeLike(parts, x), scale, bias)
  // one number for each group: before the groups are taken apart
  const column = (value: Value): Value => g.reshape(value, [groups, 1])
  return g.reshapeLike(g.add(g.mul(parts, column(scale)), column(bias)), x)
}

/** Every group of channels standardized: [rows, groups, …]. */
function inGroups(g: GraphBuilder, x: Value, groups: number, epsilon: number): Value {
  const channels = x.shape[1]
  if (typeof channels === 'number' && channels % groups !== 0)
    throw new TrainerError('file', `${channels} channels cannot be divided among ${groups} groups.`)
  const { centred, inverse } = standardized(g, g.reshape(x, [0, groups, -1]), [2], epsilon)
  return g.mul(centred, inverse)
}

function scaled(site: Site, x: Value, scale: Value, bias: Value): Value {
  const { graph: g } = site
  const rank = x.shape.length
  return g.add(g.mul(x, alongChannels(site, scale, rank)), alongChannels(site, bias, rank))
}

function groupNorm(site: Site): Value {
  const { graph: g, input, attributes } = site
  const isLast = attributes.int('channels_last', 1) === 1
  const activation = attributes.int('activation', 0)
  const rank = input(0).shape.length
  const x = isLast ? g.transpose(input(0), [0, rank - 1, ...spatialAxes(rank).map(axis => axis - 1)]) : input(0)
  const groups = attributes.int('groups')
  if (groups === undefined) throw new TrainerError('file', 'its attribute groups is missing.')
  const parts = inGroups(g, x, groups, attributes.float('epsilon', 1e-5))
  const y = scaled(site, g.reshapeLike(parts, x), input(1), input(2))
  const back = isLast ? g.transpose(y, [0, ...spatialAxes(rank), 1]) : y
  return activation === 1 ? g.mul(back, g.sigmoid(back)) : back
}

function meanVarianceNormalization({ graph: g, input, attributes }: Site): Value {
  const x = input(0)
  const axes = (attributes.numbers('axes') ?? [0, 2, 3]).map(axis => positive(axis, x.shape.length))
  const { centred, variance } = moments(g, x, axes)
  return g.div(centred, g.add(g.sqrt(variance), 1e-9))
}

function rootMeanSquare({ graph: g, input, attributes }: Site): readonly Value[] {
  const [x, scale] = [input(0), input(1)]
  const axis = positive(attributes.int('axis', -1), x.shape.length)
  attributes.ignore('stash_type')
  return rootMeanSquared(g, x, axesFrom(x, axis), scale, attributes.float('epsilon', 1e-5))
}

/** x r · scale with r = 1 / √(mean x² + ε) over some axes, and r. */
export function rootMeanSquared(
  g: GraphBuilder,
  x: Value,
  axes: readonly number[],
  scale: Value,
  epsilon: number,
): readonly [Value, Value] {
  const inverse = g.reciprocal(g.sqrt(g.add(g.reduceMean(g.mul(x, x), axes, true), epsilon)))
  return [g.mul(g.mul(x, inverse), scale), inverse]
}

function lpNormalization({ graph: g, input, attributes }: Site): Value {
  const x = input(0)
  const axis = positive(attributes.int('axis', -1), x.shape.length)
  const p = attributes.int('p', 2)
  if (p !== 1 && p !== 2) throw new TrainerError('file', `its attribute p is ${p}, but should be 1 or 2.`)
  const sums = g.reduceSum(p === 1 ? g.abs(x) : g.mul(x, x), [axis], true)
  return g.div(x, g.where(g.equal(sums, 0), 1, root(g, sums, p)))
}

function localResponse({ graph: g, input, attributes }: Site): Value {
  const x = input(0)
  const size = attributes.int('size')
  if (size === undefined) throw new TrainerError('file', 'its attribute size is missing.')
  const before = Math.floor((size - 1) / 2)
  // channels become an axis that a window moves over
  const rows = g.reshape(g.unsqueeze(g.mul(x, x), [1]), [0, 1, typeof x.shape[1] === 'number' ? x.shape[1] : 0, -1])
  const given = { kernel_shape: [size, 1], pads: [before, 0, size - 1 - before, 0], count_include_pad: 1 }
  const mean = g.reshapeLike(g.node('AveragePool', [rows], given)[0]!, x)
  const base = g.add(g.mul(mean, attributes.float('alpha', 1e-4)), attributes.float('bias', 1))
  return g.div(x, g.pow(base, attributes.float('beta', 0.75)))
}
