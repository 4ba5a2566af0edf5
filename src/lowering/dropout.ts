import { expand } from '../autodiff/shapes'
import { TrainerError } from '../errors'
import { positive } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { axesFrom } from './axes'
import { backThrough, typedLike } from './backThrough'
import type { LoweringTable, Site } from './Lowering'
import { asOneAxis } from './reductions'

/**
 * Dropout, alone and with what was fused into it, and the training-only gradients. Masks are drawn on the host and come
 * in as inputs; where a bit mask is named, it is a mask of truths as well: only the gradient reads it.
 */
export const dropout: LoweringTable = {
  Dropout: { how: 'x · mask', carries: [0], lower: site => dropped(site, site.input(0), 1) },
  'com.microsoft.BitmaskDropout': {
    how: 'x · mask',
    carries: [0],
    lower: site => dropped(site, site.input(0), 1),
  },
  'com.microsoft.BiasDropout': { how: '(x + bias) · mask + residual', carries: [0, 1, 2], lower: biasDropout },
  'com.microsoft.BitmaskBiasDropout': { how: '(x + bias) · mask + residual', carries: [0, 1, 2], lower: biasDropout },
  'com.microsoft.BiasSoftmax': {
    how: 'Softmax of x + bias',
    carries: [0, 1],
    lower: biasSoftmax,
  },
  'com.microsoft.BiasSoftmaxDropout': {
    how: 'Softmax of x + bias, times a mask',
    carries: [0, 1],
    lower: site => {
      const y = biasSoftmax(site)
      const [result, mask] = dropped(site, y, 2)
      return [result, mask, y]
    },
  },
  'com.microsoft.DropoutGrad': { how: 'dy / (1 - ratio) where mask', carries: [], lower: site => droppedBack(site, 2) },
  'com.microsoft.BitmaskDropoutGrad': {
    how: 'dy / (1 - ratio) where mask',
    carries: [],
    lower: site => droppedBack(site, 2),
  },
  'com.microsoft.SoftmaxDropoutGrad': {
    how: 'DropoutGrad, then SoftmaxGrad',
    carries: [],
    lower: site => {
      const axis = positive(site.attributes.int('axis', 1), site.input(0).shape.length)
      return softmaxBack(site, droppedBack(site, 3), site.input(2), axis)
    },
  },
}

/** dx = y (dy - Σ y dy), the sum over all axes from `axis` on. */
export function softmaxBack({ graph: g }: Pick<Site, 'graph'>, dy: Value, y: Value, axis: number): Value {
  const rank = y.shape.length
  if (axis === rank - 1) return typedLike(backThrough(g, 'Softmax', { y: [y], dy: [dy] })[0]!, y)
  return typedLike(g.mul(y, g.sub(dy, g.reduceSum(g.mul(y, dy), axesFrom(y, axis), true))), y)
}

/** What is left of x, and its mask as truths, of which a bias and a residual may be part. */
function biasDropout(site: Site): readonly (Value | undefined)[] {
  const { graph: g, inputs, input } = site
  const [y, mask] = dropped(site, g.add(input(0), input(1)), 3)
  return [inputs[2] === undefined ? y : g.add(y, inputs[2]), mask]
}

/**
 * x with some of its elements dropped and the others divided by 1 - ratio, and which they are. The ratio is input `at`,
 * or an attribute before opset 12; whether it is on is the input after it.
 */
function dropped(site: Site, x: Value, at: number): readonly [Value, Value | undefined] {
  const { graph: g } = site
  site.attributes.ignore('seed')
  const probability = ratioOf(site, at)
  const mask = isOn(site, at + 1) ? site.dropoutMask(site.node.name, x, probability) : undefined
  const isKept = (): Value =>
    mask === undefined ? expand(g, g.constant(Tensor.from('bool', [1]).reshape([])), x.shape, [x]) : g.greater(mask, 0)
  return [mask === undefined ? x : g.mul(x, mask), site.isRead(1) ? isKept() : undefined]
}

/**
 * The gradient of what was dropped: the mask is the second input, the ratio is input `at`. Whether dropout is on is not
 * asked, as in the runtime: the mask says it.
 */
function droppedBack(site: Site, at: number): Value {
  const { graph: g, input } = site
  const [dy, mask] = [input(0), input(1)]
  const probability = ratioOf(site, at)
  if (!site.isTraining || probability === 0) return dy
  const drawn = g.makerOf(mask, 'Greater')?.inputs[0]
  // the mask that the forward pass multiplied by, if it is at hand
  if (drawn !== undefined && g.inputs.includes(drawn)) return g.mul(dy, drawn)
  return g.where(mask, g.mul(dy, 1 / (1 - probability)), 0)
}

function ratioOf(site: Site, at: number): number {
  const stated = site.attributes.float('ratio', 0.5)
  const ratio = site.inputs[at] === undefined ? stated : site.numbers(at, 'ratio')[0]!
  if (ratio >= 0 && ratio < 1) return ratio
  throw new TrainerError('graph', `its ratio is ${ratio}, but it has to be at least 0 and less than 1.`)
}

/**
 * Whether a file has dropout on when it is trained: unless it says that it is off. Files without a word of it are those
 * that were exported for inference, and had dropout when they were models.
 */
function isOn({ attributes, node, inputs, constant }: Site, at: number): boolean {
  const mode = constant(inputs[at])
  if (inputs[at] !== undefined && mode === undefined)
    throw new TrainerError('graph', `its training_mode ("${node.inputs[at]}") is known only when the graph runs.`)
  return attributes.int('is_test', 0) === 0 && (mode === undefined || Number(mode.data[0]) !== 0)
}

function biasSoftmax({ graph: g, input, attributes }: Site): Value {
  const x = g.add(input(0), input(1))
  attributes.ignore('is_inner_broadcast')
  return asOneAxis(g, x, positive(attributes.int('axis', 1), x.shape.length), rows => g.softmax(rows))
}
