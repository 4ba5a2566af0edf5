import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Loss } from './loss'
import { checkLossValues } from './ownLabels'

/**
 * Binary cross-entropy of logits [rows, labels] against targets of the same shape and type, counted per element, as
 * PyTorch's BCEWithLogitsLoss: max(x, 0) - x y + log(1 + exp(-|x|)).
 * @throws TrainerError ('argument') for targets of another shape.
 */
export function binaryCrossEntropy(graph: GraphBuilder, logits: Value, targets: Value): Loss {
  checkLossValues('binaryCrossEntropy(graph, logits, targets)', logits, targets)
  if (String(logits.shape) !== String(targets.shape)) {
    const shapes = `logits are [${logits.shape.join(', ')}], targets [${targets.shape.join(', ')}]`
    throw new TrainerError('argument', `Binary cross-entropy needs logits and targets of one shape, but ${shapes}.`, {
      fix: 'Reshape the targets: broadcasting would compare each row with every other.',
    })
  }
  const magnitude = graph.abs(logits)
  const rest = graph.log(graph.add(graph.exp(graph.neg(magnitude)), 1))
  // max(x, 0) as (x + |x|) / 2, whose gradient at 0 is ½, as it should be; Relu's is 0
  const positive = graph.mul(graph.add(logits, magnitude), 0.5)
  const losses = graph.add(graph.sub(positive, graph.mul(logits, targets)), rest)
  return { sum: graph.sum(losses), count: countElements(graph, targets) }
}

/** The number of elements as a scalar of the same type, by operators that every provider has. */
export function countElements(graph: GraphBuilder, x: Value): Value {
  return graph.sum(graph.add(graph.mul(x, 0), 1))
}
