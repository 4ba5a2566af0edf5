// what BERT, RoBERTa and ELECTRA have in common: config fields, embeddings, names of parameters, a head of two layers
import type { Geometry, TokenValues } from '../feeds/TokenLayout'
import type { Value } from '../onnx/types'
import type { HeadLayers } from './architecture'
import { headSizeOf, type ModelConfig, numberField, paddingId, probabilityField, sizeField, textField } from './config'
import { encode, type EncoderNames, type EncoderShape } from './encoder'
import { createLayers, type LayerSettings } from './layers'
import type { ModelGraph } from './Model'
import type { HeadSettings } from './taskHeads'

/** The columns that a model with segments takes beside labels. */
export const bertInputNames = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids']

export function bertGeometry(config: ModelConfig): Geometry {
  return {
    heads: sizeField(config, 'num_attention_heads'),
    headSize: headSizeOf(config, 'hidden_size', 'num_attention_heads'),
    vocabularySize: sizeField(config, 'vocab_size'),
    positions: sizeField(config, 'max_position_embeddings'),
    firstPosition: 0,
    positionPadding: undefined,
    segments: sizeField(config, 'type_vocab_size'),
  }
}

/** Initializer range and epsilon, by their common config fields. */
export function bertSettings(config: ModelConfig): LayerSettings {
  return {
    deviation: numberField(config, 'initializer_range'),
    epsilon: numberField(config, 'layer_norm_eps'),
  }
}

/** The encoder of BERT's kin on embeddings. */
export function encodeBert(
  model: ModelGraph,
  config: ModelConfig,
  prefix: string,
  { attention }: TokenValues,
  embeddings: Value,
  reads: 'first' | 'all',
): Value {
  return encode(model, bertShape(config), bertNames(prefix), attention, embeddings, reads)
}

export function bertShape(config: ModelConfig): EncoderShape {
  const outputDropout = hiddenDropout(config)
  return {
    ...bertSettings(config),
    layers: sizeField(config, 'num_hidden_layers'),
    width: sizeField(config, 'hidden_size'),
    heads: sizeField(config, 'num_attention_heads'),
    innerWidth: sizeField(config, 'intermediate_size'),
    activation: textField(config, 'hidden_act'),
    attentionDropout: probabilityField(config, 'attention_probs_dropout_prob'),
    attentionOutputDropout: outputDropout,
    outputDropout,
  }
}

function bertNames(prefix: string): EncoderNames {
  return {
    layer: index => `${prefix}.encoder.layer.${index}`,
    query: 'attention.self.query',
    key: 'attention.self.key',
    value: 'attention.self.value',
    attentionOutput: 'attention.output.dense',
    attentionNorm: 'attention.output.LayerNorm',
    inner: 'intermediate.dense',
    output: 'output.dense',
    outputNorm: 'output.LayerNorm',
  }
}

/** LayerNorm(word + position + segment, where there are any), dropped: [tokens, width]. */
export function bertEmbeddings(
  model: ModelGraph,
  config: ModelConfig,
  prefix: string,
  tokens: TokenValues,
  width: number,
  positionPadding?: number,
): Value {
  const { graph } = model
  const { embedding, layerNorm } = createLayers(model, bertSettings(config))
  const vocabulary = sizeField(config, 'vocab_size')
  const positionCount = sizeField(config, 'max_position_embeddings')
  const name = (part: string): string => `${prefix}.embeddings.${part}`
  return graph.scope('embeddings', () => {
    const words = embedding(name('word_embeddings'), tokens.tokenIds, vocabulary, width, paddingId(config))
    const positions = embedding(name('position_embeddings'), tokens.positionIds, positionCount, width, positionPadding)
    const segmented =
      tokens.segmentIds === undefined
        ? words
        : graph.add(words, embedding(name('token_type_embeddings'), tokens.segmentIds, segmentCount(config), width))
    const normed = layerNorm(name('LayerNorm'), graph.add(segmented, positions))
    return model.dropout('embeddings', normed, hiddenDropout(config), 'tokens')
  })
}

function segmentCount(config: ModelConfig): number {
  return sizeField(config, 'type_vocab_size')
}

/** What heads of BERT's kin have in common. */
export const bertHeads: HeadSettings = { width: 'hidden_size', settings: bertSettings }

/** BERT's pooler: a product and tanh of each row's first token. */
export function pool(name: string): (model: ModelGraph, config: ModelConfig, first: Value) => Value {
  return (model, config, first) => {
    const { linear } = createLayers(model, bertSettings(config))
    return model.graph.tanh(linear(name, first, sizeField(config, 'hidden_size')))
  }
}

/** `hidden_dropout_prob`, of layers and of some heads. */
export function hiddenDropout(config: ModelConfig): number {
  return probabilityField(config, 'hidden_dropout_prob')
}

/** `classifier_dropout`, or where it is null the hidden layers' probability. */
export function classifierDropout(config: ModelConfig): number {
  return typeof config.classifier_dropout === 'number'
    ? probabilityField(config, 'classifier_dropout')
    : hiddenDropout(config)
}

/** Dropout, dense, activation, dropout, output: the head of RoBERTa and ELECTRA on the first token. */
export function twoLayerHead(
  className: string,
  activate: (model: ModelGraph, x: Value) => Value,
  dropoutOf: (config: ModelConfig) => number = classifierDropout,
): HeadLayers {
  return {
    className,
    write(model, config, first, width) {
      const { linear } = createLayers(model, bertSettings(config))
      const dropout = dropoutOf(config)
      const dropped = model.dropout('classifier.dense', first, dropout, 'rows')
      const dense = linear('classifier.dense', dropped, sizeField(config, 'hidden_size'))
      const activated = model.dropout('classifier.out_proj', activate(model, dense), dropout, 'rows')
      return linear('classifier.out_proj', activated, width)
    },
  }
}
