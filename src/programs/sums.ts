// what a device does with gradients between the training program and the update
import { GraphBuilder } from '../onnx/builder'
import type { Graph, Value } from '../onnx/types'
import { Tensor } from '../tensor'

type Shape = readonly number[]

/** A gradient, a loss or a count that is summed up over micro-batches. */
export interface Summed {
  readonly shape: Shape
  /** In how many parts its rows come; 0 where it comes whole. */
  readonly parts: number
}

/**
 * What a micro-batch gave, added to its sums: `sum.I` and `term.I`, or for rows `index.I.J` [n] (int32) and `values.I.J`
 * [n, width] for each part J → `result.I`. The first micro-batch of an update has no sums before it: its rows are added to
 * zeros, and what comes whole is a sum already.
 */
export function additions(gradients: readonly Summed[], first: boolean): Graph {
  const graph = new GraphBuilder(first ? 'sums of rows' : 'sums')
  const results = gradients.flatMap(({ shape, parts }, i) => {
    if (first && parts === 0) return []
    const sum = first ? zeros(graph, shape) : graph.input(`sum.${i}`, 'float32', shape)
    return [[`result.${i}`, parts === 0 ? whole(graph, sum, i) : rows(graph, sum, i, parts)] as const]
  })
  return graph.build(Object.fromEntries(results))
}

function whole(graph: GraphBuilder, sum: Value, i: number): Value {
  return graph.add(sum, graph.input(`term.${i}`, 'float32', sum.shape))
}

function rows(graph: GraphBuilder, sum: Value, i: number, parts: number): Value {
  return Array.from({ length: parts }, (_, j) => j).reduce((before, j) => {
    const length = `n.${i}.${j}`
    const index = graph.input(`index.${i}.${j}`, 'int32', [length])
    const values = graph.input(`values.${i}.${j}`, 'float32', [length, sum.shape[1]!])
    // a sum with zeros, since the shape that Expand would need is computed on the processor
    const places = graph.add(
      graph.unsqueeze(index, [1]),
      graph.constant(Tensor.zeros('int32', [1, sum.shape[1] as number])),
    )
    return graph.node('ScatterElements', [before, places, values], { axis: 0, reduction: 'add' })[0]!
  }, sum)
}

function zeros(graph: GraphBuilder, shape: Shape): Value {
  const zero = graph.constant(Tensor.from('float32', 0))
  return graph.node('Expand', [zero, graph.integers(shape)], {})[0]!
}
