import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'

/** Log-probabilities along an axis, in operators that every provider has, and whose gradients are short. */
export function logSoftmax(graph: GraphBuilder, logits: Value, axis: number): Value {
  // any shift near the largest will do; whole numbers have no gradient, which saves the backward pass of the maximum
  const shifted = graph.sub(logits, graph.floor(graph.reduceMax(logits, [axis], true)))
  return graph.sub(shifted, graph.log(graph.reduceSum(graph.exp(shifted), [axis], true)))
}
