import { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { DroppedOver, DropoutSite, ModelGraph, StatedParameter } from './Model'

/** How a model is written into a graph. */
export interface ModelGraphOptions {
  /** Makes the value of a parameter: an input, or a constant. */
  parameter(name: string, shape: readonly number[]): Value
  /** Whether it is written for training: values are dropped, and statistics move. False unless given. */
  readonly training?: boolean
  /**
   * Whether masks of dropout come in as one byte per element, which says whether it is kept; false unless given: as the
   * numbers that values are multiplied by, four bytes each.
   */
  readonly byteMasks?: boolean
}

/** A graph that a model has been written into, and what it has asked for there. */
export interface WrittenGraph extends ModelGraph {
  readonly parameters: ReadonlyMap<string, { readonly stated: StatedParameter; readonly value: Value }>
  readonly sites: readonly DropoutSite[]
  readonly checkpoints: readonly Value[]
  /** What statistics are to be after the pass, by the names of the parameters. */
  readonly moved: ReadonlyMap<string, Value>
}

/** A graph for a model to be written into. */
export function createModelGraph(graph: GraphBuilder, options: ModelGraphOptions): WrittenGraph {
  const parameters = new Map<string, { readonly stated: StatedParameter; readonly value: Value }>()
  const sites: DropoutSite[] = []
  const checkpoints: Value[] = []
  const moved = new Map<string, Value>()
  const maskOf = (place: string, x: Value, probability: number, over: DroppedOver): Value | undefined => {
    if (options.training !== true || probability === 0) return undefined
    const suffix = typeof over === 'object' && over.groups > 1 ? `.${over.group}` : ''
    const input = `dropout.${place}${suffix}`
    const dtype = options.byteMasks === true ? 'bool' : 'float32'
    sites.push({ input, dtype, place, probability, shape: x.shape, over })
    return graph.input(input, dtype, x.shape)
  }
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
    isTraining: options.training === true,
    moved,
    dropout(place, x, probability, over) {
      const mask = maskOf(place, x, probability, over)
      return mask === undefined ? x : dropped(graph, x, mask, probability)
    },
    dropoutMask(place, x, probability) {
      const mask = maskOf(place, x, probability, 'elements')
      if (mask?.dtype !== 'bool') return mask
      return graph.mul(graph.cast(mask, 'float32'), enlargement(probability))
    },
    adapted: (_layer, _x, y) => y,
    moves(statistic, next) {
      // a constant of the graph stays what it is
      if (parameters.has(statistic.name)) moved.set(statistic.name, next)
    },
    checkpoint: value => void checkpoints.push(value),
  }
}

/** A graph that a model is written into to see whether it can be, and what its outputs are. */
export function probing(training = false): WrittenGraph {
  const graph = new GraphBuilder('probe', true)
  return createModelGraph(graph, { parameter: (name, shape) => graph.input(name, 'float32', shape), training })
}

/** x where its mask keeps it, enlarged, and 0 elsewhere. */
function dropped(graph: GraphBuilder, x: Value, mask: Value, probability: number): Value {
  if (mask.dtype === 'float32') return graph.mul(x, mask)
  return graph.mul(graph.where(mask, x, 0), enlargement(probability))
}

/** What is kept is multiplied by this. */
function enlargement(probability: number): number {
  return 1 / (1 - probability)
}

/** What a layer's input is dropped over: by what its rows are. */
export function droppedOver({ shape: [rows] }: Value): DroppedOver {
  return rows === 'batch' ? 'rows' : typeof rows === 'number' ? 'table' : 'tokens'
}
