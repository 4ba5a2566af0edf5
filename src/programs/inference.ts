import type { Model } from '../models/Model'
import { createModelGraph } from '../models/modelGraph'
import { GraphBuilder } from '../onnx/builder'
import type { Graph } from '../onnx/types'
import type { Tensor } from '../tensor'

/**
 * A model as one file for inference, with the weights inside. A transformer takes `input_ids, attention_mask(,
 * token_type_ids)`, int64 [batch, sequence], and gives what its head exports: `logits`, mostly.
 */
export function inferenceGraph<Inputs>(model: Model<Inputs>, weights: (name: string) => Tensor): Graph {
  const graph = new GraphBuilder(model.name, model.openLengths)
  const inputs = model.declareInference(graph)
  const written = createModelGraph(graph, { parameter: name => graph.initializer(name, weights(name)) })
  const outputs = model.forward(written, inputs)
  return graph.build(model.exported?.(graph, inputs, outputs) ?? outputs)
}
