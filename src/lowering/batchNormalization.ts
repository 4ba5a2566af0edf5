import { TrainerError } from '../errors'
import type { Value } from '../onnx/types'
import { spatialAxes } from '../onnx/windows'
import { alongChannels } from './convolution'
import type { Site } from './Lowering'

/** The statistics of a batch, and what becomes of those of all batches. */
interface Statistics {
  readonly mean: Value
  readonly variance: Value
  /** What the statistics of all batches are after this one. */
  readonly next: readonly [mean: Value, variance: Value]
}

/**
 * By the statistics of all batches; by those of the batch where the file says so (training_mode; before opset 14 by its
 * number of outputs) and the graph is written for training. Then those of all batches move.
 */
export function batchNormalization(site: Site): readonly (Value | undefined)[] {
  const { graph: g, input, attributes, isTraining } = site
  const epsilon = attributes.float('epsilon', 1e-5)
  const momentum = attributes.float('momentum', 0.9)
  const byBatch = saysTraining(site)
  const [mean, variance] = [input(3), input(4)]
  if (!byBatch || !isTraining) {
    const inverse = g.reciprocal(g.sqrt(g.add(variance, epsilon)))
    return [normalized(site, mean, inverse), mean, variance]
  }
  const batch = movedBy(site, momentum)
  const inverse = g.reciprocal(g.sqrt(g.add(batch.variance, epsilon)))
  return [normalized(site, batch.mean, inverse), ...batch.next, batch.mean]
}

function saysTraining({ attributes, opset, outputs }: Site): boolean {
  if (opset < 7) {
    throw new TrainerError('graph', `its form of opset ${opset} is not supported.`, {
      fix: 'Convert the model to opset 7 or newer with onnx.version_converter.',
    })
  }
  if (opset < 9 && attributes.int('spatial', 1) !== 1)
    throw new TrainerError('graph', 'statistics of each element (spatial = 0) are not supported.')
  return opset < 14 ? outputs > 1 : attributes.int('training_mode', 0) === 1
}

/** The statistics of the batch; those of all batches keep the share `momentum`, and take the biased variance. */
export function movedBy(site: Site, momentum: number): Statistics {
  const { graph: g, input } = site
  const x = input(0)
  const axes = [0, ...spatialAxes(x.shape.length)]
  const mean = g.reduceMean(x, axes)
  const centred = g.sub(x, alongChannels(site, mean, x.shape.length))
  const variance = g.reduceMean(g.mul(centred, centred), axes)
  const next = (statistic: Value, own: Value): Value => {
    const value = g.add(g.mul(statistic, momentum), g.mul(own, 1 - momentum))
    site.moves(statistic, value)
    return value
  }
  return { mean, variance, next: [next(input(3), mean), next(input(4), variance)] }
}

/** (x - mean) · scale / deviation + bias, with a number of each for every channel. */
export function normalized(site: Site, mean: Value, inverse: Value): Value {
  const { graph: g, input } = site
  const x = input(0)
  const column = (value: Value): Value => alongChannels(site, value, x.shape.length)
  return g.add(g.mul(g.sub(x, column(mean)), column(g.mul(input(1), inverse))), column(input(2)))
}
