import { TrainerError } from '../errors'
import { count, expand } from '../autodiff/shapes'
import { logSoftmax } from '../losses/logSoftmax'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { typedLike } from './backThrough'
import type { LoweringTable, Site } from './Lowering'

/** Losses over classes, and the training-only gradients of those. */
export const losses: LoweringTable = {
  SoftmaxCrossEntropyLoss: {
    how: '-Σ w[label] log softmax(x)[label], divided by Σ w[label]',
    carries: [0],
    lower: site => softmaxCrossEntropy(site, site.attributes.int('ignore_index')),
  },
  NegativeLogLikelihoodLoss: {
    how: '-Σ w[label] x[label], divided by Σ w[label]',
    carries: [0],
    lower: site => loss(site, site.input(0), labelled(site, 1, site.attributes.int('ignore_index'))),
  },
  'com.microsoft.SoftmaxCrossEntropyLossInternal': {
    how: 'SoftmaxCrossEntropyLoss',
    carries: [0],
    lower: site => softmaxCrossEntropy(site, site.inputs[3]),
  },
  'com.microsoft.NegativeLogLikelihoodLossInternal': {
    how: 'NegativeLogLikelihoodLoss',
    carries: [0],
    lower: site => loss(site, site.input(0), labelled(site, 1, site.inputs[3])),
  },
  'com.microsoft.SoftmaxCrossEntropyLossGrad': {
    how: '(exp(y) - 1 at the label) w[label] dy, divided by Σ w[label]',
    carries: [],
    lower: site => lossGradient(site, labelled(site, 2, site.attributes.int('ignore_index'))),
  },
  'com.microsoft.SoftmaxCrossEntropyLossInternalGrad': {
    how: 'SoftmaxCrossEntropyLossGrad',
    carries: [],
    lower: site => lossGradient(site, labelled(site, 2, site.inputs[4])),
  },
  SparseSoftmaxCrossEntropy: {
    how: 'SoftmaxCrossEntropyLoss over the last axis',
    carries: [0],
    lower: site => {
      const y = logSoftmax(site.graph, site.input(0), site.input(0).shape.length - 1)
      return [loss(site, y, weighedPlaces(site, 1, y.shape.length - 1)), y]
    },
  },
  SparseSoftmaxCrossEntropyGrad: {
    how: 'SoftmaxCrossEntropyLossGrad over the last axis',
    carries: [],
    lower: site => lossGradient(site, weighedPlaces(site, 2, site.input(1).shape.length - 1)),
  },
  'com.microsoft.SoftmaxCrossEntropy': {
    how: '-Σ labels log softmax(x), divided by the rows',
    carries: [0],
    lower: denseCrossEntropy,
  },
  'com.microsoft.SoftmaxCrossEntropyGrad': {
    how: '(exp(y) Σ labels - labels) dy, divided by the rows',
    carries: [],
    lower: denseGradient,
  },
}

/** The label of each place, [rows, …], and how much it weighs. */
interface Labelled {
  /** Of which axis of the logits a label names a place: 1 unless the operator is an old one. */
  readonly axis: number
  /** int32; 0 where a place does not count. */
  readonly ids: Value
  /** Which places count; all of them unless given. */
  readonly counted: Value | undefined
  /** What each place weighs, 0 where it does not count; 1 unless given. */
  readonly weight: Value | undefined
  /** Whether classes weigh differently. */
  readonly weighted: boolean
}

/**
 * Reads labels, and after them the weights of the classes.
 * @param at the input that the labels are
 * @param ignored the label that does not count: a number of the node, or an input; -1 where neither is there, as the
 *   kernels of ONNX Runtime Training have it
 */
function labelled(site: Site, at: number, ignored: number | Value = -1): Labelled {
  const { graph: g, inputs, constant } = site
  const labels = g.cast(site.input(at), 'int32')
  const classWeights = inputs[at + 1]
  const weighted = classWeights !== undefined
  const known = typeof ignored === 'object' ? constant(ignored) : undefined
  const marker = known !== undefined ? Number(known.data[0]) : ignored
  const axis = 1
  const ignore = typeof marker === 'number' ? marker : g.cast(g.reshape(marker, []), 'int32')
  const counted = g.not(g.equal(labels, ignore))
  const ids = g.where(counted, labels, 0)
  const weight = weighted ? g.where(counted, g.gather(classWeights, ids), 0) : g.cast(counted, site.input(0).dtype)
  return { axis, ids, counted, weight, weighted }
}

/** Reads labels, and after them what each place weighs, as the old operators have it. */
function weighedPlaces({ graph: g, inputs, input }: Site, at: number, axis: number): Labelled {
  const weight = inputs[at + 1]
  return { axis, ids: g.cast(input(at), 'int32'), counted: undefined, weight, weighted: weight !== undefined }
}

function softmaxCrossEntropy(site: Site, ignored: number | Value | undefined): readonly Value[] {
  const logProbabilities = logSoftmax(site.graph, site.input(0), 1)
  return [loss(site, logProbabilities, labelled(site, 1, ignored)), logProbabilities]
}

/** The negative log-likelihood of the labels, reduced as the node says. */
function loss(site: Site, logProbabilities: Value, labels: Labelled): Value {
  checkType(site)
  const { graph: g } = site
  const { axis, ids, counted, weight, weighted } = labels
  const picked = g.squeeze(g.gatherElements(logProbabilities, g.unsqueeze(ids, [axis]), axis), [axis])
  // what does not count may be infinite, and 0 times that is no number
  const real = counted === undefined ? picked : g.where(counted, picked, 0)
  const each = weight !== undefined && weighted ? g.mul(real, weight) : real
  const reduction = reductionOf(site)
  if (reduction === 'none') return g.neg(each)
  const total = g.neg(g.sum(each))
  return reduction === 'sum' ? total : divided(g, total, labels, each)
}

/** Divided by what all places weigh; where no place counts, the loss is 0, as in the runtime. */
function divided(g: GraphBuilder, x: Value, { weight }: Labelled, places: Value): Value {
  if (weight !== undefined) {
    const total = g.sum(weight)
    return g.div(x, g.where(g.equal(total, 0), 1, total))
  }
  const n = count(
    g,
    places,
    places.shape.map((_, axis) => axis),
  )
  return typeof n === 'number' ? g.mul(x, 1 / n) : g.div(x, n)
}

/** dx = (p - 1 at the label) · weight · dy, with p = eʸ. */
function lossGradient(site: Site, labels: Labelled): Value {
  checkType(site)
  const { graph: g } = site
  const [dy, y] = [site.input(0), site.input(1)]
  const { axis } = labels
  const reduction = reductionOf(site)
  const one = reduction === 'none' ? dy : g.reshape(dy, [])
  const share = reduction === 'mean' ? divided(g, one, labels, g.cast(labels.ids, y.dtype)) : one
  const factor = labels.weight === undefined ? share : g.mul(labels.weight, share)
  const column = g.unsqueeze(labels.ids, [axis])
  const less = expand(g, g.constant(-1, y.dtype), column.shape, [column])
  const [difference] = g.node('ScatterElements', [g.exp(y), column, less], { axis, reduction: 'add' })
  const dx = g.mul(difference!, factor.shape.length === 0 ? factor : g.unsqueeze(factor, [axis]))
  const gradient = typedLike(dx, y)
  const bias = site.inputs[5]
  return bias === undefined ? gradient : g.add(gradient, bias)
}

function denseCrossEntropy(site: Site): readonly Value[] {
  const { graph: g } = site
  const [x, targets] = [site.input(0), site.input(1)]
  const y = logSoftmax(g, x, x.shape.length - 1)
  const total = g.neg(g.sum(g.mul(targets, y)))
  return [reductionOf(site) === 'sum' ? total : g.div(total, rowsOf(g, y)), y]
}

function denseGradient(site: Site): Value {
  const { graph: g } = site
  const [dy, y, targets] = [site.input(0), site.input(1), site.input(2)]
  const one = g.reshape(dy, [])
  const share = reductionOf(site) === 'sum' ? one : g.div(one, rowsOf(g, y))
  return typedLike(g.mul(g.sub(g.exp(y), targets), share), y)
}

/** How many rows there are along all axes but the last. */
function rowsOf(g: GraphBuilder, y: Value): Value {
  const n = count(
    g,
    y,
    y.shape.slice(1).map((_, axis) => axis),
  )
  return typeof n === 'number' ? g.constant(n, y.dtype) : n
}

function reductionOf({ attributes }: Site): 'none' | 'mean' | 'sum' {
  const reduction = attributes.text('reduction', 'mean')
  if (reduction === 'none' || reduction === 'mean' || reduction === 'sum') return reduction
  throw new TrainerError('file', `its reduction "${reduction}" is not one of none, mean, sum.`)
}

/** The element type 1, as files number them: float32. */
const float32 = 1

function checkType({ attributes }: Site): void {
  const type = attributes.int('output_type', float32)
  if (type !== float32) throw new TrainerError('graph', `its output_type is ${type}, but only 1 (float32) is written.`)
}
