import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Loss } from './loss'

/**
 * Binary cross-entropy of logits [rows, labels] against targets of the same shape (float32), counted per element, as PyTorch's BCEWithLogitsLoss:
 * max(x, 0) - x y + log(1 + exp(-|x|)).
 */
export function binaryCrossEntropy(graph: GraphBuilder, logits: Value, targets: Value): Loss {
  const rest = graph.log(graph.add(graph.exp(graph.neg(graph.abs(logits))), 1))
  const losses = graph.add(graph.sub(graph.relu(logits), graph.mul(logits, targets)), rest)
  return { sum: graph.sum(losses), count: countElements(graph, targets) }
}

/** The number of elements as a float32 scalar, by operators that every provider has. */
export function countElements(graph: GraphBuilder, x: Value): Value {
  return graph.sum(graph.add(graph.mul(x, 0), 1))
}
