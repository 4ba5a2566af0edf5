import { TrainerError } from '../errors'
import type { FeedDemands } from '../feeds/FeedLayout'
import { packedLayout } from '../feeds/packed'
import { declareColumns } from '../feeds/padded'
import type { MakeTokenLayout, TokenValues } from '../feeds/TokenLayout'
import type { Head } from '../heads/Head'
import { GraphBuilder } from '../onnx/builder'
import type { Architecture } from './architecture'
import { completeConfig } from './checkConfig'
import type { ModelConfig } from './config'
import type { Model, Parameter } from './Model'
import { createModelGraph } from './modelGraph'
import { encodingsOf, writeOwnHead } from './ownLayers'

/**
 * A transformer with a head, as a config states it.
 * @param given its config: what it lacks has the family's defaults.
 * @param layout how its batches are fed; without padding unless another is given.
 * @throws TrainerError ('model') for config fields that are wrong or refused, and a head that the architecture lacks.
 */
export function transformer(
  architecture: Architecture,
  given: ModelConfig,
  head: Head,
  layout: MakeTokenLayout = packedLayout,
): Model<TokenValues> {
  const config = completeConfig(given, architecture.config)
  const { own } = head
  const layers = head.task === 'feature-extraction' ? undefined : architecture.heads[head.task]
  const geometry = architecture.geometry(config)
  const model: Omit<Model<TokenValues>, 'parameters'> = {
    name: own?.name ?? classNameOf(architecture, config, head),
    inputNames: architecture.inputNames,
    head,
    layout: demands => layout(geometry, demands, head.reads === 'columns' ? 'all' : 'real'),
    declareInference: graph => declareColumns(graph, geometry, head.axes),
    forward(graph, tokens, select = encoded => encoded) {
      if (own !== undefined)
        return writeOwnHead(own, graph, config, encodingsOf(head, architecture, graph, config, tokens)).outputs
      const encoded = architecture.encode(graph, config, tokens, head.reads === 'first' ? 'first' : 'all')
      if (layers !== undefined) return { logits: layers.write(graph, config, select(encoded), head.width) }
      const pooled = architecture.base!.pool?.(graph, config, tokens.attention.first(encoded))
      return { last_hidden_state: encoded, ...(pooled !== undefined && { pooler_output: pooled }) }
    },
    exported: (graph, { inputIds }, outputs) => head.exported?.(graph, outputs, inputIds!) ?? outputs,
  }
  return { ...model, parameters: statedParameters(model) }
}

/** The class in Python. @throws TrainerError ('model') where the family has none for the head's task. */
function classNameOf(architecture: Architecture, config: ModelConfig, { task }: Head): string {
  const named = task === 'feature-extraction' ? architecture.base : architecture.heads[task]
  if (named !== undefined) return named.className
  throw new TrainerError('model', `A ${config.model_type} model has no head for ${task.replaceAll('-', ' ')}.`, {
    fix: `It has heads for ${Object.keys(architecture.heads).join(', ')}.`,
  })
}

/** Feeds that a model can be written for without knowing any. */
const anyDemands: FeedDemands = { rows: 1, fewShapes: false }

/** The parameters that a model asks for while it is written, in that order. All are trained. */
export function statedParameters<Inputs>(model: Omit<Model<Inputs>, 'parameters'>): readonly Parameter[] {
  const graph = new GraphBuilder('parameters')
  const layout = model.layout(anyDemands)
  const written = createModelGraph(graph, { parameter: (name, shape) => graph.input(name, 'float32', shape) })
  model.forward(written, layout.declare(graph, layout.usualVariant))
  return [...written.parameters].map(([name, { stated }]) => ({ name, ...stated, trainable: true }))
}
