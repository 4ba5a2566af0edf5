import type { AttentionLayout, TokenValues } from '../feeds/TokenLayout'
import type { Value } from '../onnx/types'
import type { Architecture, HeadLayers } from './architecture'
import { attend } from './attention'
import { headSizeOf, type ModelConfig, numberField, paddingId, probabilityField, sizeField, textField } from './config'
import { activation, createLayers, type Layers, type LinearOptions } from './layers'
import type { DroppedOver, Initialization, ModelGraph } from './Model'
import { type LayerType, modernbertConfig } from './modernbertFields'
import { type Rotary, rotate, rotaryOf } from './rotary'

/** Positions are turned, not looked up: as in Python, texts may be longer than `max_position_embeddings`. */
const mostPositions = 32_768

const table = 'model.embeddings.tok_embeddings.weight'

/**
 * ModernBERT (Warner et al. 2024): layers normalised at their beginning, with gated products; positions turn queries and
 * keys; most layers see only what is near.
 */
export const modernbert: Architecture = {
  config: modernbertConfig,
  prefix: 'model',
  inputNames: ['input_ids', 'attention_mask', 'position_ids'],
  geometry: config => ({
    heads: sizeField(config, 'num_attention_heads'),
    headSize: headSizeOf(config, 'hidden_size', 'num_attention_heads'),
    vocabularySize: sizeField(config, 'vocab_size'),
    positions: Math.max(sizeField(config, 'max_position_embeddings'), mostPositions),
    firstPosition: 0,
    positionPadding: undefined,
    segments: 0,
    firstReal: true,
    ...(typesOf(config).includes('sliding_attention') && {
      window: Math.floor(sizeField(config, 'local_attention') / 2),
    }),
  }),
  encode: (model, config, tokens, reads) => encodeModernbert(model, config, tokens, reads),
  heads: {
    'sequence-classification': classifier('ModernBertForSequenceClassification', 'rows'),
    'token-classification': classifier('ModernBertForTokenClassification', 'tokens'),
    'question-answering': classifier('ModernBertForQuestionAnswering', 'tokens'),
    'multiple-choice': classifier('ModernBertForMultipleChoice', 'rows'),
    'masked-lm': {
      className: 'ModernBertForMaskedLM',
      tied: [{ shared: table, own: 'decoder.weight' }],
      write: (model, config, encoded, vocabulary) => words(model, config, encoded, vocabulary),
    },
  },
}

// ── the encoder ──

/** A stack of layers in a graph. */
interface Stack {
  readonly model: ModelGraph
  readonly config: ModelConfig
  readonly layers: Layers
  /** Of each type of layer what it sees, and how positions turn it. */
  readonly sights: Readonly<Record<LayerType, { readonly attention: AttentionLayout; readonly rotary: Rotary }>>
}

/** [tokens, width], or one encoding of each row: its first token's, or the mean of its tokens'. */
function encodeModernbert(
  model: ModelGraph,
  config: ModelConfig,
  { attention, tokenIds, positionIds }: TokenValues,
  reads: 'first' | 'all',
): Value {
  const layers = createLayers(model, settings(config))
  const stack = { model, config, layers, sights: sightsOf(model, config, attention, positionIds) }
  const types = typesOf(config)
  const readsFirst = reads === 'first' && config.classifier_pooling === 'cls'
  // of a local layer not even the first token alone is simpler: it may stand in any column
  const endsEarly = readsFirst && types.at(-1) === 'full_attention'
  let hidden = embed(model, config, layers, tokenIds)
  types.forEach((type, index) => {
    model.checkpoint(hidden)
    const layer = { index, type, firstOnly: endsEarly && index === types.length - 1 }
    hidden = model.graph.scope(`layer.${index}`, () => encoderLayer(stack, layer, hidden))
  })
  const read = readsFirst && !endsEarly ? attention.first(hidden) : hidden
  const normed = layers.layerNorm('model.final_norm', read, config.norm_bias === true)
  return reads === 'first' && !readsFirst ? meanOfTokens(model, attention, normed) : normed
}

function embed(model: ModelGraph, config: ModelConfig, layers: Layers, tokenIds: Value): Value {
  const { graph } = model
  return graph.scope('embeddings', () => {
    const weight = wordTable(model, config)
    const row = paddingId(config) // it starts at random all the same, as in Python
    const found = graph.gather(weight, tokenIds, 0, row === undefined ? undefined : { frozenRow: row })
    const normed = layers.layerNorm('model.embeddings.norm', found, config.norm_bias === true)
    return model.dropout('embeddings', normed, probabilityField(config, 'embedding_dropout'), 'tokens')
  })
}

function wordTable(model: ModelGraph, config: ModelConfig): Value {
  const shape = [sizeField(config, 'vocab_size'), sizeField(config, 'hidden_size')]
  return model.parameter(table, { shape, initialization: startOf(config, 'inner'), isTable: true })
}

/** One layer of a stack: which it is, and whether it computes each row's first token alone. */
interface Layer {
  readonly index: number
  readonly type: LayerType
  readonly firstOnly: boolean
}

function encoderLayer(stack: Stack, layer: Layer, x: Value): Value {
  const { model, config, layers, sights } = stack
  const { graph } = model
  const name = `model.layers.${layer.index}`
  const site = `layer.${layer.index}`
  const over: DroppedOver = layer.firstOnly ? 'rows' : 'tokens'
  const rows = layer.firstOnly ? sights[layer.type].attention.first(x) : x
  const attended = selfAttention(stack, layer, x)
  const dropped = model.dropout(
    `${site}.attention.output`,
    attended,
    probabilityField(config, 'attention_dropout'),
    over,
  )
  const middle = graph.add(rows, dropped)
  const inner = sizeField(config, 'intermediate_size')
  const bias = config.mlp_bias === true
  const normed = layers.layerNorm(`${name}.mlp_norm`, middle, config.norm_bias === true)
  const both = layers.linear(`${name}.mlp.Wi`, normed, 2 * inner, 1, { bias, start: startOf(config, 'inner') })
  const [input, gate] = graph.split(both, 1, [inner, inner])
  const gated = graph.mul(activation(graph, textField(config, 'hidden_activation'), input!), gate!)
  const kept = model.dropout(`${site}.mlp`, gated, probabilityField(config, 'mlp_dropout'), over)
  const width = sizeField(config, 'hidden_size')
  return graph.add(middle, layers.linear(`${name}.mlp.Wo`, kept, width, 1, { bias, start: startOf(config, 'outer') }))
}

/** Queries, keys and values of one product; the first two are turned by their positions. */
function selfAttention({ model, config, layers, sights }: Stack, { index, type, firstOnly }: Layer, x: Value): Value {
  const { graph } = model
  const { attention, rotary } = sights[type]
  const width = sizeField(config, 'hidden_size')
  const heads = sizeField(config, 'num_attention_heads')
  const name = `model.layers.${index}.attn`
  const bias = config.attention_bias === true
  const normed = index === 0 ? x : layers.layerNorm(`model.layers.${index}.attn_norm`, x, config.norm_bias === true)
  const start = startOf(config, 'inner')
  const product = layers.linear(`${name}.Wqkv`, normed, 3 * width, 1, { bias, start })
  const [turning, value] = graph.split(product, 1, [2 * width, width])
  const [query, key] = graph.split(rotate(graph, turning!, rotary), 1, [width, width])
  const inputs = {
    query: () => graph.mul(firstOnly ? attention.first(query!) : query!, 1 / Math.sqrt(width / heads)),
    key: () => key!,
    value: () => value!,
  }
  const dropout = probabilityField(config, 'attention_dropout')
  const context = attend(model, attention, inputs, { heads, site: `layer.${index}.attention`, dropout, firstOnly })
  return layers.linear(`${name}.Wo`, context, width, 1, { bias, start: startOf(config, 'outer') })
}

/** Layers that see all tokens, and local ones. */
function sightsOf(
  { graph }: ModelGraph,
  config: ModelConfig,
  attention: AttentionLayout,
  positionIds: Value,
): Stack['sights'] {
  const size = headSizeOf(config, 'hidden_size', 'num_attention_heads')
  const groups = attention.groups.map(group => ({ ...group, bias: group.localBias ?? group.bias }))
  const { full, local } = thetasOf(config)
  const rotary = rotaryOf(graph, positionIds, full, size)
  return {
    full_attention: { attention, rotary },
    sliding_attention: {
      attention: { ...attention, groups },
      rotary: full === local ? rotary : rotaryOf(graph, positionIds, local, size),
    },
  }
}

/** The mean of each row's tokens that are not masked, [batch, width]; 0 where all are. */
function meanOfTokens({ graph }: ModelGraph, attention: AttentionLayout, x: Value): Value {
  const width = x.shape.at(-1) as number
  const means = attention.tokenGroups(x).map((tokens, group) => {
    const { bias, toHeads } = attention.groups[group]!
    const real = graph.cast(graph.equal(bias, 0), 'float32') // [batch, 1, 1, length]
    const share = graph.div(real, graph.max(graph.reduceSum(real, [3], true), 1))
    return graph.reshape(graph.matMul(share, toHeads(tokens)), [-1, width])
  })
  return attention.rows(means)
}

// ── heads ──

/** A product, an activation and a norm, dropout, and a product: of each row's encoding, or of each token's. */
function classifier(className: string, over: 'rows' | 'tokens'): HeadLayers {
  return {
    className,
    write(model, config, encoded, width) {
      const { linear } = createLayers(model, settings(config))
      const dropout = probabilityField(config, 'classifier_dropout')
      const dropped = model.dropout('classifier', prediction(model, config, encoded), dropout, over)
      return linear('classifier', dropped, width, 1, { start: startOf(config, 'classifier') })
    },
  }
}

/** A number for each word of the vocabulary, by a product with the table of words. */
function words(model: ModelGraph, config: ModelConfig, encoded: Value, vocabulary: number): Value {
  const found = prediction(model, config, encoded)
  const shape = [vocabulary, sizeField(config, 'hidden_size')]
  const weight =
    config.tie_word_embeddings === false
      ? model.parameter('decoder.weight', { shape, initialization: startOf(config, 'outer') })
      : wordTable(model, config)
  const bias =
    config.decoder_bias === false
      ? undefined
      : model.parameter('decoder.bias', { shape: [vocabulary], initialization: { kind: 'zeros' } })
  return model.graph.gemm(found, weight, bias, { transB: 1 })
}

function prediction(model: ModelGraph, config: ModelConfig, encoded: Value): Value {
  const { linear, layerNorm } = createLayers(model, settings(config))
  const options: LinearOptions = { bias: config.classifier_bias === true, start: startOf(config, 'outer') }
  const dense = linear('head.dense', encoded, sizeField(config, 'hidden_size'), 1, options)
  const activated = activation(model.graph, textField(config, 'classifier_activation'), dense)
  return layerNorm('head.norm', activated, config.norm_bias === true)
}

// ── what the config says ──

function settings(config: ModelConfig): { deviation: number; epsilon: number } {
  return { deviation: numberField(config, 'initializer_range'), epsilon: numberField(config, 'norm_eps') }
}

/** How weights start: those that lead out of a layer, and into a head, with a smaller deviation; the classifier by its width. */
function startOf(config: ModelConfig, place: 'inner' | 'outer' | 'classifier'): Initialization {
  const deviation = numberField(config, 'initializer_range')
  const deviations = {
    inner: deviation,
    outer: deviation / Math.sqrt(2 * sizeField(config, 'num_hidden_layers')),
    classifier: sizeField(config, 'hidden_size') ** -0.5,
  }
  return { kind: 'normal', deviation: deviations[place], cutoff: numberField(config, 'initializer_cutoff_factor') }
}

/** The type of each layer; in older configs every third, or as `global_attn_every_n_layers` says, sees all tokens. */
function typesOf(config: ModelConfig): readonly LayerType[] {
  if (Array.isArray(config.layer_types)) return config.layer_types as LayerType[]
  const every = typeof config.global_attn_every_n_layers === 'number' ? config.global_attn_every_n_layers : 3
  return Array.from({ length: sizeField(config, 'num_hidden_layers') }, (_, index) =>
    index % every === 0 ? 'full_attention' : 'sliding_attention',
  )
}

/** The base of positions' angles, by type of layer; where that of local layers is null, the other one counts. */
function thetasOf(config: ModelConfig): { readonly full: number; readonly local: number } {
  const given = config.rope_parameters as Partial<Record<LayerType, { rope_theta?: number | null } | null>> | null
  const theta = (type: LayerType, older: string): unknown => given?.[type]?.rope_theta ?? config[older]
  const full = theta('full_attention', 'global_rope_theta')
  const local = theta('sliding_attention', 'local_rope_theta')
  const fullTheta = typeof full === 'number' ? full : 160_000
  return { full: fullTheta, local: typeof local === 'number' ? local : local === null ? fullTheta : 10_000 }
}
