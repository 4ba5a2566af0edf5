import type { FeedLayout } from '../feeds/FeedLayout'
import type { Model } from '../models/Model'
import { createModelGraph } from '../models/modelGraph'
import { GraphBuilder } from '../onnx/builder'
import type { Graph } from '../onnx/types'
import { countedOf, lossOutputs, type Objective, writeLoss } from './loss'

/**
 * A model's forward pass for a variant of its feeds, without dropout: feed, parameters → its outputs; with an
 * objective also labels → `loss` and `count`, one for each of several losses, or these alone.
 */
export function evaluationGraph<Inputs>(
  model: Model<Inputs>,
  layout: FeedLayout<Inputs>,
  variant: string,
  objective?: Objective,
  lossOnly = false,
): Graph {
  const graph = new GraphBuilder(objective === undefined ? 'prediction' : 'evaluation', model.openLengths)
  const inputs = layout.declare(graph, variant)
  const written = createModelGraph(graph, { parameter: (name, shape) => graph.input(name, 'float32', shape) })
  if (objective === undefined) return graph.build(model.forward(written, inputs))
  if (model.ownLoss !== undefined) {
    const { outputs, loss } = model.ownLoss.evaluation(written, inputs, model.head.declare(graph, {}))
    return graph.build({ ...(!lossOnly && outputs), loss: loss.sum, count: loss.count })
  }
  const outputs = model.forward(
    written,
    inputs,
    lossOnly ? countedOf(model.head, objective)?.declare(graph) : undefined,
  )
  const loss = writeLoss(graph, model.head, outputs, objective)
  return graph.build({ ...lossOutputs(graph, loss), ...(!lossOnly && outputs) })
}
