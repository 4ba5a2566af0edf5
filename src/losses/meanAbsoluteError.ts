import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { countElements } from './binaryCrossEntropy'
import type { Loss } from './loss'
import { checkLossValues } from './ownLabels'

/**
 * The absolute error of predictions against targets of the same number of elements (float32), counted per element, as
 * PyTorch's L1Loss; where they are equal the gradient is 0.
 */
export function meanAbsoluteError(graph: GraphBuilder, predictions: Value, targets: Value): Loss {
  checkLossValues('meanAbsoluteError(graph, predictions, targets)', predictions, targets)
  const flat = graph.reshape(targets, [-1])
  const difference = graph.sub(graph.reshape(predictions, [-1]), flat)
  return { sum: graph.sum(graph.abs(difference)), count: countElements(graph, flat) }
}
