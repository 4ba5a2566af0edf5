// the layers and outputs of a head of the user's own, in the graph of a model
import { TrainerError } from '../errors'
import type { TokenValues } from '../feeds/TokenLayout'
import type { Head, OwnLayers, Values } from '../heads/Head'
import type { Encodings, HeadLayers } from '../heads/OwnHead'
import type { Value } from '../onnx/types'
import { shown } from '../options'
import type { Architecture } from './architecture'
import { type ModelConfig, numberField } from './config'
import { createLayers } from './layers'
import type { ModelGraph } from './Model'
import { droppedOver } from './modelGraph'

/** The epsilon of PyTorch's LayerNorm: the family's is for the family's layers. */
const epsilon = 1e-5

type Own = Pick<OwnLayers, 'name' | 'outputs'>

/** Writes a head's outputs, and says which layers it has. @throws TrainerError ('argument') for layers that cannot be. */
export function writeOwnHead(
  own: Own,
  model: ModelGraph,
  config: ModelConfig,
  encoded: Encodings,
): { readonly outputs: Values; readonly layers: readonly string[] } {
  const written = new Map<string, string>()
  const { linear, layerNorm } = createLayers(model, { deviation: numberField(config, 'initializer_range'), epsilon })
  const take = (name: string, kind: string): void => {
    const before = written.get(name)
    if (before === undefined || before === kind) return void written.set(name, kind)
    throw new TrainerError('argument', `${own.name} has two layers called "${name}": ${before}, and ${kind}.`, {
      fix: 'Give each a name of its own. Layers of one name share their parameters, and so have to be alike.',
    })
  }
  let dropouts = 0
  const layers: HeadLayers = {
    graph: model.graph,
    linear(name, x, outputs) {
      checkLayer(own.name, 'linear(name, x, outputs)', name, x)
      if (!Number.isSafeInteger(outputs) || outputs < 1)
        throw new TrainerError('argument', `The layer "${name}" of ${own.name} has ${shown(outputs)} outputs.`, {
          fix: "Give a whole number above 0: linear('topic', encoded.first(), 3).",
        })
      take(name, `${widthOf(own.name, name, x)} to ${outputs} numbers`)
      return linear(name, x, outputs)
    },
    layerNorm(name, x) {
      checkLayer(own.name, 'layerNorm(name, x)', name, x)
      take(name, `a normalization of ${widthOf(own.name, name, x)} numbers`)
      return layerNorm(name, x)
    },
    dropout(x, probability) {
      if (!(probability >= 0 && probability < 1))
        throw new TrainerError('argument', `${own.name} drops with the probability ${probability}.`, {
          fix: 'Give a number from 0 to below 1.',
        })
      return model.dropout(`head.${dropouts++}`, x, probability, droppedOver(x))
    },
  }
  const outputs = model.graph.scope('head', () => own.outputs(encoded, layers))
  return { outputs, layers: [...written.keys()] }
}

/** @throws TrainerError ('argument') for a name that is none, and for what is no value of the graph. */
function checkLayer(head: string, call: string, name: unknown, x: unknown): void {
  const isValue = typeof x === 'object' && x !== null && 'shape' in x
  if (typeof name === 'string' && name !== '' && isValue) return
  throw new TrainerError('argument', `${head}: ${call} was given ${shown(name)} and ${shown(x)}.`, {
    fix: "A layer takes its name, then the values: linear('topic', encoded.first(), 3).",
  })
}

function widthOf(head: string, layer: string, { shape }: Value): number {
  const width = shape.at(-1)
  if (shape.length === 2 && typeof width === 'number') return width
  throw new TrainerError('argument', `The layer "${layer}" of ${head} was given values [${shape.join(', ')}].`, {
    fix: 'A layer takes [rows, width] or [tokens, width]; where a reshape lost the width: graph.assume(x, [x.shape[0], 64]).',
  })
}

/** What an architecture makes of tokens, for a head. */
export function encodingsOf(
  { own, reads }: Head,
  architecture: Architecture,
  model: ModelGraph,
  config: ModelConfig,
  tokens: TokenValues,
): Encodings {
  // a row's first token is meant, whatever the family's own classifier would read
  const cls = { ...config, classifier_pooling: 'cls' }
  const encoded = architecture.encode(model, cls, tokens, reads === 'first' ? 'first' : 'all')
  const first = (): Value => (reads === 'first' ? encoded : tokens.attention.first(encoded))
  return {
    first,
    tokens: () => encoded,
    pooled: () => pooled(own!.name, architecture, model, config, first()),
  }
}

/** What the pooler of a family makes of each row's first token. @throws TrainerError ('argument') where it has none. */
export function pooled(
  head: string,
  { base }: Architecture,
  model: ModelGraph,
  config: ModelConfig,
  first: Value,
): Value {
  if (base?.pool !== undefined) return base.pool(model, config, first)
  throw new TrainerError('argument', `${head} asks for encoded.pooled(), but a ${config.model_type} has no pooler.`, {
    fix: 'Take encoded.first(), with a layer of your own behind it.',
  })
}
