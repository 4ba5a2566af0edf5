import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { DropoutSite, ModelGraph, StatedParameter } from './Model'

/** How a model is written into a graph. */
export interface ModelGraphOptions {
  /** Makes the value of a parameter: an input, or a constant. */
  parameter(name: string, shape: readonly number[]): Value
  /** Whether values are dropped; false unless given. */
  readonly dropout?: boolean
}

/** A graph that a model has been written into, and what it has asked for there. */
export interface WrittenGraph extends ModelGraph {
  readonly parameters: ReadonlyMap<string, { readonly stated: StatedParameter; readonly value: Value }>
  readonly sites: readonly DropoutSite[]
  readonly checkpoints: readonly Value[]
}

/** A graph for a model to be written into. */
export function createModelGraph(graph: GraphBuilder, options: ModelGraphOptions): WrittenGraph {
  const parameters = new Map<string, { readonly stated: StatedParameter; readonly value: Value }>()
  const sites: DropoutSite[] = []
  const checkpoints: Value[] = []
  return {
    graph,
    parameters,
    sites,
    checkpoints,
    parameter(name, stated) {
      const known = parameters.get(name)
      if (known !== undefined) return known.value
      const value = options.parameter(name, stated.shape)
      parameters.set(name, { stated, value })
      return value
    },
    dropout(place, x, probability, over) {
      if (options.dropout !== true || probability === 0) return x
      const suffix = typeof over === 'object' && over.groups > 1 ? `.${over.group}` : ''
      const input = `dropout.${place}${suffix}`
      sites.push({ input, place, probability, shape: x.shape, over })
      return graph.mul(x, graph.input(input, 'float32', x.shape))
    },
    checkpoint: value => void checkpoints.push(value),
  }
}
