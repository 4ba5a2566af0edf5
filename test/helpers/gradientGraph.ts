import { differentiate, type DifferentiateOptions } from '../../src/autodiff/backward'
import type { GraphBuilder } from '../../src/onnx/builder'
import type { Graph, Value } from '../../src/onnx/types'

/** The graph of a loss and its gradients, which leave it as `<name>_grad`. */
export function gradientGraph(
  graph: GraphBuilder,
  loss: Value,
  wrt: readonly Value[],
  options?: DifferentiateOptions,
): Graph {
  const { dense } = differentiate(graph, loss, wrt, options)
  return graph.build({ loss, ...Object.fromEntries([...dense].map(([name, value]) => [`${name}_grad`, value])) })
}

/** The operators that the backward pass is made of. */
export function backwardOps(graph: Graph): string[] {
  return graph.nodes.filter(node => node.name.startsWith('backward/')).map(node => node.op)
}
