import type { TokenValues } from '../feeds/TokenLayout'
import type { Value } from '../onnx/types'
import type { Architecture } from './architecture'
import { headSizeOf, type ModelConfig, numberField, paddingId, probabilityField, sizeField, textField } from './config'
import { distilbertConfig } from './fields'
import { encode, type EncoderNames, type EncoderShape } from './encoder'
import { createLayers } from './layers'
import type { ModelGraph } from './Model'
import { answerHead, type HeadSettings, pooledHead, tokenHead, wordHead } from './taskHeads'

const heads: HeadSettings = { width: 'dim', settings: config => shapeOf(config) }

/** DistilBERT (Sanh et al. 2019): BERT without segments and pooler, under its own names. */
export const distilbert: Architecture = {
  config: distilbertConfig,
  prefix: 'distilbert',
  inputNames: ['input_ids', 'attention_mask', 'position_ids'],
  geometry: config => ({
    heads: sizeField(config, 'n_heads'),
    headSize: headSizeOf(config, 'dim', 'n_heads'),
    vocabularySize: sizeField(config, 'vocab_size'),
    positions: sizeField(config, 'max_position_embeddings'),
    firstPosition: 0,
    positionPadding: undefined,
    segments: 0,
  }),
  encode(model, config, tokens, reads) {
    const shape = shapeOf(config)
    return encode(model, shape, names, tokens.attention, embeddings(model, config, shape, tokens), reads)
  },
  base: { className: 'DistilBertModel' },
  heads: {
    'sequence-classification': pooledHead(
      'DistilBertForSequenceClassification',
      heads,
      preClassifier,
      classifierDropout,
    ),
    'token-classification': tokenHead('DistilBertForTokenClassification', heads, config =>
      probabilityField(config, 'dropout'),
    ),
    'question-answering': answerHead('DistilBertForQuestionAnswering', heads, 'qa_dropout'),
    'multiple-choice': pooledHead('DistilBertForMultipleChoice', heads, preClassifier, classifierDropout),
    'masked-lm': wordHead('DistilBertForMaskedLM', {
      ...heads,
      activation: 'activation',
      names: {
        dense: 'vocab_transform',
        norm: 'vocab_layer_norm',
        decoder: 'vocab_projector',
        bias: 'vocab_projector.bias',
        table: 'distilbert.embeddings.word_embeddings.weight',
      },
    }),
  },
}

function preClassifier(model: ModelGraph, config: ModelConfig, first: Value): Value {
  const shape = shapeOf(config)
  return model.graph.relu(createLayers(model, shape).linear('pre_classifier', first, shape.width))
}

function classifierDropout(config: ModelConfig): number {
  return probabilityField(config, 'seq_classif_dropout')
}

/** LayerNorm(word + position), dropped: [tokens, width]. */
function embeddings(model: ModelGraph, config: ModelConfig, shape: EncoderShape, tokens: TokenValues): Value {
  const { embedding, layerNorm } = createLayers(model, shape)
  const name = (part: string): string => `distilbert.embeddings.${part}`
  const vocabulary = sizeField(config, 'vocab_size')
  const positionCount = sizeField(config, 'max_position_embeddings')
  return model.graph.scope('embeddings', () => {
    const words = embedding(name('word_embeddings'), tokens.tokenIds, vocabulary, shape.width, paddingId(config))
    const start = config.sinusoidal_pos_embds === true ? ({ kind: 'sinusoids' } as const) : undefined
    const positions = embedding(
      name('position_embeddings'),
      tokens.positionIds,
      positionCount,
      shape.width,
      undefined,
      start,
    )
    const normed = layerNorm(name('LayerNorm'), model.graph.add(words, positions))
    return model.dropout('embeddings', normed, shape.outputDropout, 'tokens')
  })
}

function shapeOf(config: ModelConfig): EncoderShape {
  return {
    layers: sizeField(config, 'n_layers'),
    width: sizeField(config, 'dim'),
    heads: sizeField(config, 'n_heads'),
    innerWidth: sizeField(config, 'hidden_dim'),
    activation: textField(config, 'activation'),
    epsilon: 1e-12,
    deviation: numberField(config, 'initializer_range'),
    attentionDropout: probabilityField(config, 'attention_dropout'),
    attentionOutputDropout: 0,
    outputDropout: probabilityField(config, 'dropout'),
  }
}

const names: EncoderNames = {
  layer: index => `distilbert.transformer.layer.${index}`,
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  attentionOutput: 'attention.out_lin',
  attentionNorm: 'sa_layer_norm',
  inner: 'ffn.lin1',
  output: 'ffn.lin2',
  outputNorm: 'output_layer_norm',
}
