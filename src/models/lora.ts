// low-rank adapters: y = x Wᵀ + b becomes y + scale · (x Aᵀ) Bᵀ (Hu et al. 2021)
import type { Initialization, Model, ModelGraph, Parameter } from './Model'
import { droppedOver } from './modelGraph'
import { statedParameters } from './transformer'

/** What is added to one linear layer. */
export interface LowRank {
  /** Rows of A and columns of B. */
  readonly rank: number
  /** What the product with both is multiplied by. */
  readonly scale: number
  /** The probability with which elements of x are dropped before A. */
  readonly dropout: number
  readonly startOfA: (inputs: number) => Initialization
  readonly startOfB: Initialization
}

/** The names of A [rank, in] and B [out, rank] of a layer. */
export function lowRankNames(layer: string): { readonly a: string; readonly b: string } {
  return { a: `${layer}.lora_A.weight`, b: `${layer}.lora_B.weight` }
}

/**
 * The model with low-rank adapters: A and B of these layers are trained, and of the model's own parameters those that
 * `trained` says; all others are frozen.
 * @param layers by the names of linear layers that the model has.
 */
export function withLowRank<Inputs>(
  model: Model<Inputs>,
  layers: ReadonlyMap<string, LowRank>,
  trained: (parameter: string) => boolean,
): Model<Inputs> {
  const { parameters: _, ...rest } = model
  const adapted: Omit<Model<Inputs>, 'parameters'> = {
    ...rest,
    forward: (graph, inputs, select) => model.forward(adapting(graph, layers), inputs, select),
  }
  const own = new Set(model.parameters.map(({ name }) => name))
  const marked = ({ name, ...parameter }: Parameter): Parameter => ({
    name,
    ...parameter,
    trainable: !own.has(name) || trained(name),
  })
  return { ...adapted, parameters: statedParameters(adapted).map(marked) }
}

/** The names of the linear layers of a model, in the order in which it uses them. */
export function linearLayers<Inputs>(model: Model<Inputs>): readonly string[] {
  const found = new Set<string>()
  const noting = (graph: ModelGraph): ModelGraph => ({
    ...graph,
    adapted(layer, _x, y) {
      found.add(layer)
      return y
    },
  })
  statedParameters({ ...model, forward: (graph, inputs, select) => model.forward(noting(graph), inputs, select) })
  return [...found]
}

/** The graph of a model whose layers are added to. */
function adapting(graph: ModelGraph, layers: ReadonlyMap<string, LowRank>): ModelGraph {
  const uses = new Map<string, number>() // some families use one layer several times
  return {
    ...graph,
    adapted(layer, x, y, scale) {
      const added = layers.get(layer)
      if (added === undefined) return y
      const use = (uses.get(layer) ?? 0) + 1
      uses.set(layer, use)
      const { a, b } = lowRankNames(layer)
      const [inputs, outputs] = [x.shape.at(-1) as number, y.shape.at(-1) as number]
      const { rank, startOfA, startOfB } = added
      const site = `${layer}.lora_dropout${use === 1 ? '' : `.${use}`}`
      const dropped = graph.dropout(site, x, added.dropout, droppedOver(x))
      const down = graph.parameter(a, { shape: [rank, inputs], initialization: startOfA(inputs) })
      const up = graph.parameter(b, { shape: [outputs, rank], initialization: startOfB })
      const builder = graph.graph
      const low = builder.gemm(dropped, down, undefined, { transB: 1 })
      return builder.add(y, builder.gemm(low, up, undefined, { transB: 1, alpha: added.scale * scale }))
    },
  }
}
