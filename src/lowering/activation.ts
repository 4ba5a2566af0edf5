import { TrainerError } from '../errors'
import type { Value } from '../onnx/types'
import type { Site } from './Lowering'
import { unfused } from './refused'

/** What a node was fused with: the activation that its attribute names. */
export function activated({ graph: g, attributes }: Site, x: Value): Value {
  const name = attributes.text('activation', '')
  const listed = attributes.numbers('activation_params')
  const alpha = attributes.float('activation_alpha') ?? listed?.[0]
  const beta = attributes.float('activation_beta') ?? listed?.[1]
  attributes.ignore('activation_gamma')
  switch (name) {
    case '':
      return x
    case 'Relu':
      return g.relu(x)
    case 'Tanh':
      return g.tanh(x)
    case 'Sigmoid':
      return g.sigmoid(x)
    case 'LeakyRelu':
      return g.where(g.greater(x, 0), x, g.mul(x, alpha ?? 0.01))
    case 'HardSigmoid':
      return g.min(g.max(g.add(g.mul(x, alpha ?? 0.2), beta ?? 0.5), 0), 1)
    case 'Clip':
      return g.min(g.max(x, alpha ?? -3.4e38), beta ?? 3.4e38)
    default:
      throw new TrainerError('graph', `the activation ${name} that it was fused with has no rule.`, {
        fix: unfused,
      })
  }
}
