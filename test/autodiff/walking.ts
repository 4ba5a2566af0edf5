import { differentiate } from '../../src/autodiff/backward'
import { TrainerError } from '../../src/errors'
import type { GraphBuilder } from '../../src/onnx/builder'
import type { Graph, Value } from '../../src/onnx/types'

/** The gradients of a loss, as a graph's outputs. */
export const gradientGraph = (g: GraphBuilder, loss: Value, wrt: readonly Value[]): Graph => {
  const { dense } = differentiate(g, loss, wrt)
  return g.build({ loss, ...Object.fromEntries([...dense].map(([name, value]) => [`${name}_grad`, value])) })
}

/** The operators that the walk has written, in order. */
export const backwardOps = (graph: Graph): string[] =>
  graph.nodes.filter(node => node.name.startsWith('backward/')).map(node => node.op)

/** What is thrown. */
export const failure = (run: () => unknown): TrainerError => {
  try {
    run()
  } catch (error) {
    if (error instanceof TrainerError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
