import type { Value } from '../onnx/types'
import { headSizeOf, type ModelConfig, numberField, paddingId, probabilityField, sizeField, textField } from './config'
import { encode, type EncoderNames, type EncoderShape, type Layout } from './encoder'
import type { Family, TokenInputs } from './family'
import { embedding, layerNorm, linear, type ModelGraph } from './layers'
import type { PackingRules } from './packing'

/** BERT (Devlin et al. 2018). */
export const bert: Family = {
  sequenceClassifierName: 'BertForSequenceClassification',
  baseModelPrefix: 'bert',
  inputNames: ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'],
  packing: bertPacking,
  headSize,
  sequenceClassifier: (model, config, tokens, layout, labels) => {
    const shape = bertShape(config)
    const first = encode(
      model,
      shape,
      bertNames('bert'),
      layout,
      bertEmbeddings(model, config, 'bert', tokens, shape.width),
      'first',
    )
    const pooled = model.graph.tanh(linear(model, 'bert.pooler.dense', first, shape.width, shape.deviation))
    return linear(
      model,
      'classifier',
      model.dropout('classifier', pooled, classifierDropout(config)),
      labels,
      shape.deviation,
    )
  },
}

/** What BERT and the families that share its config need from it for packing. */
export function bertPacking(config: ModelConfig): PackingRules {
  return {
    heads: sizeField(config, 'num_attention_heads'),
    vocabularySize: sizeField(config, 'vocab_size'),
    positions: sizeField(config, 'max_position_embeddings'),
    firstPosition: 0,
    positionPadding: undefined,
    segments: sizeField(config, 'type_vocab_size', 2),
  }
}

/** The encoder of BERT's kin, by their common config fields. */
function bertShape(config: ModelConfig): EncoderShape {
  const hiddenDropout = probabilityField(config, 'hidden_dropout_prob', 0.1)
  return {
    layers: sizeField(config, 'num_hidden_layers'),
    width: sizeField(config, 'hidden_size'),
    heads: sizeField(config, 'num_attention_heads'),
    innerWidth: sizeField(config, 'intermediate_size'),
    activation: textField(config, 'hidden_act', 'gelu'),
    epsilon: numberField(config, 'layer_norm_eps', 1e-12),
    deviation: numberField(config, 'initializer_range', 0.02),
    attentionDropout: probabilityField(config, 'attention_probs_dropout_prob', 0.1),
    attentionOutputDropout: hiddenDropout,
    outputDropout: hiddenDropout,
  }
}

export function headSize(config: ModelConfig): number {
  return headSizeOf(config, 'hidden_size', 'num_attention_heads')
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

/** LayerNorm(word + position + segment), dropped: [tokens, width]. */
export function bertEmbeddings(
  model: ModelGraph,
  config: ModelConfig,
  prefix: string,
  tokens: TokenInputs,
  width: number,
  positionPadding?: number,
): Value {
  const { graph } = model
  const at = `${prefix}.embeddings`
  const deviation = numberField(config, 'initializer_range', 0.02)
  return graph.scope('embeddings', () => {
    const words = embedding(
      model,
      `${at}.word_embeddings`,
      tokens.tokenIds,
      sizeField(config, 'vocab_size'),
      width,
      deviation,
      paddingId(config, 0),
    )
    const positions = embedding(
      model,
      `${at}.position_embeddings`,
      tokens.positionIds,
      sizeField(config, 'max_position_embeddings'),
      width,
      deviation,
      positionPadding,
    )
    const segments = embedding(
      model,
      `${at}.token_type_embeddings`,
      tokens.segmentIds!,
      sizeField(config, 'type_vocab_size', 2),
      width,
      deviation,
    )
    const sum = graph.add(graph.add(words, segments), positions)
    const normed = layerNorm(model, `${at}.LayerNorm`, sum, numberField(config, 'layer_norm_eps', 1e-12))
    return model.dropout('embeddings', normed, probabilityField(config, 'hidden_dropout_prob', 0.1))
  })
}

/** `classifier_dropout`, or where it is null the hidden layers' probability. */
function classifierDropout(config: ModelConfig): number {
  return typeof config.classifier_dropout === 'number'
    ? probabilityField(config, 'classifier_dropout')
    : probabilityField(config, 'hidden_dropout_prob', 0.1)
}

/** Dropout, dense, activation, dropout, output: the head of RoBERTa and ELECTRA on the first token. */
export function twoLayerHead(
  model: ModelGraph,
  config: ModelConfig,
  first: Value,
  labels: number,
  activate: (x: Value) => Value,
): Value {
  const deviation = numberField(config, 'initializer_range', 0.02)
  const dropout = classifierDropout(config)
  const dense = linear(
    model,
    'classifier.dense',
    model.dropout('classifier.dense', first, dropout),
    sizeField(config, 'hidden_size'),
    deviation,
  )
  return linear(
    model,
    'classifier.out_proj',
    model.dropout('classifier.out_proj', activate(dense), dropout),
    labels,
    deviation,
  )
}

/** The first token's encoding, for heads that have no pooler. */
export function encodedFirst(
  model: ModelGraph,
  config: ModelConfig,
  prefix: string,
  layout: Layout,
  embeddings: Value,
): Value {
  return encode(model, bertShape(config), bertNames(prefix), layout, embeddings, 'first')
}
