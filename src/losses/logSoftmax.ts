import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'

/** Log-probabilities along an axis, in operators that every provider has, and whose gradients are short. */
export function logSoftmax(graph: GraphBuilder, logits: Value, axis: number): Value {
  // of one class the logarithm is 0, not what rounding leaves of log(exp(x))
  if (logits.shape[axis] === 1) return graph.sub(logits, logits)
  // any shift near the largest will do; whole numbers have no gradient, which saves the backward pass of the maximum
  const shifted = graph.sub(logits, graph.floor(graph.reduceMax(logits, [axis], true)))
  return graph.sub(shifted, graph.log(graph.reduceSum(graph.exp(shifted), [axis], true)))
}
