import { TrainerError } from '../errors'
import { describe } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { attributesOf, spatialAxes } from '../onnx/windows'
import { backThrough, typedLike } from './backThrough'
import { movedBy, normalized } from './batchNormalization'
import { alongChannels } from './convolution'
import type { LoweringTable, Site } from './Lowering'
import { windowsAt } from './windows'

/** The training-only operators of convolutions, pooling and batch normalization. */
export const trainingConvolution: LoweringTable = {
  'com.microsoft.ConvGrad': {
    how: 'dx = ConvTranspose of dy, dw = Conv of x by dy over rows, db = Σ dy',
    carries: [],
    lower(site) {
      const { graph: g, input, attributes } = site
      const [dy, x, w] = [input(0), input(1), input(2)]
      const group = attributes.int('group', 1)
      const given = { ...attributesOf(windowsAt(site, x, w)), ...(group !== 1 && { group }) }
      const [dx, dw, db] = backThrough(g, 'Conv', { x: [x, w, undefined], dy: [dy], attributes: given })
      return [dx && typedLike(dx, x), dw, db]
    },
  },
  MaxPoolGrad: {
    how: 'dy added up at the first of the largest elements of each window',
    carries: [],
    lower: maxPoolBack,
  },
  AveragePoolGrad: { how: 'dy shared among the elements of each window', carries: [], lower: averagePoolBack },
  'com.microsoft.BatchNormInternal': {
    how: 'BatchNormalization by the batch, with its mean and 1 / √(variance + ε)',
    carries: [0, 1, 2],
    statistics: [3, 4],
    lower(site) {
      const { graph: g, attributes } = site
      if (attributes.int('training_mode', 1) !== 1) throw new TrainerError('graph', 'its training_mode is 0.')
      const { mean, variance, next } = movedBy(site, attributes.float('momentum', 0.9))
      const inverse = g.reciprocal(g.sqrt(g.add(variance, attributes.float('epsilon', 1e-5))))
      return [normalized(site, mean, inverse), ...next, mean, inverse]
    },
  },
  'com.microsoft.BatchNormalizationGrad': {
    how: 's r (dy - mean dy - x̂ mean(dy x̂)); Σ dy x̂; Σ dy',
    carries: [],
    lower: batchNormalizationBack,
  },
}

/** Attributes of pooling that its gradient has no use for. */
const windowAttributes = 'auto_pad ceil_mode count_include_pad dilations kernel_shape pads storage_order strides'.split(
  ' ',
)

function maxPoolBack({ graph: g, input, attributes }: Site): Value {
  const [dy, places] = [input(0), input(1)]
  const pool = g.makerOf(places, 'MaxPool')
  if (pool === undefined)
    throw new TrainerError('graph', 'the places that it reads are not those of a MaxPool in the graph.')
  attributes.ignore(...windowAttributes)
  const x = pool.inputs[0]!
  const [dx] = backThrough(g, 'MaxPool', { x: [x], y: pool.outputs, dy: [dy], attributes: pool.attributes })
  return typedLike(dx!, x)
}

/** It does not say what was pooled: that is what an AveragePool with such windows and such an output has read. */
function averagePoolBack({ graph: g, input, attributes }: Site): Value {
  const dy = input(0)
  const kernel = attributes.numbers('kernel_shape')
  attributes.ignore(...windowAttributes)
  const pools = g.nodes.filter(
    node => node.op === 'AveragePool' && sameLengths(node.outputs[0]!, dy) && kernelOf(node).join() === kernel?.join(),
  )
  const [pool] = pools
  const x = pool?.inputs[0]
  if (x === undefined || pools.some(other => !sameLengths(other.inputs[0]!, x)))
    throw new TrainerError('graph', `which AveragePool has the gradient ${describe(dy)} is not known.`)
  const [dx] = backThrough(g, 'AveragePool', { x: [x], dy: [dy], attributes: pool!.attributes as never })
  return typedLike(dx!, x)
}

function kernelOf({ attributes }: { readonly attributes: object }): readonly number[] {
  return 'kernel_shape' in attributes ? (attributes.kernel_shape as readonly number[]) : []
}

/** Rows may have other names. */
function sameLengths(a: Value, b: Value): boolean {
  return a.shape.length === b.shape.length && a.shape.every((length, axis) => axis === 0 || length === b.shape[axis])
}

function batchNormalizationBack(site: Site): readonly Value[] {
  const { graph: g, input, attributes } = site
  const [dy, x, scale, mean, inverse] = [input(0), input(1), input(2), input(3), input(4)]
  attributes.ignore('epsilon')
  const rank = x.shape.length
  const axes = [0, ...spatialAxes(rank)]
  const column = (value: Value): Value => alongChannels(site, value, rank)
  const standard = g.mul(g.sub(x, column(mean)), column(inverse))
  const along = g.mul(dy, standard)
  const inner = g.sub(dy, g.reduceMean(dy, axes, true))
  const dx = g.mul(g.sub(inner, g.mul(standard, g.reduceMean(along, axes, true))), column(g.mul(scale, inverse)))
  return [typedLike(dx, x), g.reduceSum(along, axes), g.reduceSum(dy, axes)]
}
