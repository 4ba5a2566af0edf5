import type { FeedLayout } from '../feeds/FeedLayout'
import type { Model } from '../models/Model'
import { createModelGraph } from '../models/modelGraph'
import { GraphBuilder } from '../onnx/builder'
import type { Graph, Value } from '../onnx/types'
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

/** The input that says which of a feed's tokens are judged, where not all are. */
export const judgedTokensInput = 'judged_tokens'

/**
 * A model for a variant of a layout's feeds, with the weights inside: ONNX Runtime prepares them once, not in every run.
 * @param judges whether the head judges all tokens that it reads, or those of {@link judgedTokensInput} alone, int32 [judged].
 */
export function predictionGraph<Inputs>(
  model: Model<Inputs>,
  layout: FeedLayout<Inputs>,
  weights: (name: string) => Tensor,
  judges: 'all' | 'some',
): Graph {
  const graph = new GraphBuilder(model.name, model.openLengths)
  const inputs = layout.declare(graph, layout.usualVariant)
  const written = createModelGraph(graph, { parameter: name => graph.initializer(name, weights(name)) })
  const judged = judges === 'all' ? undefined : graph.input(judgedTokensInput, 'int32', ['judged'])
  const select = judged && ((encoded: Value): Value => graph.gather(encoded, judged, 0))
  const { pooler_output: _, ...outputs } = model.forward(written, inputs, select) // pooling is done by who reads the tokens
  return graph.build(outputs)
}
