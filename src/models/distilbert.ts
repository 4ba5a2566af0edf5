import { headSizeOf, type ModelConfig, numberField, paddingId, probabilityField, sizeField, textField } from './config'
import { encode, type EncoderNames, type EncoderShape } from './encoder'
import type { Family } from './family'
import { embedding, layerNorm, linear } from './layers'

/** DistilBERT (Sanh et al. 2019): BERT without segments and pooler, under its own names. */
export const distilbert: Family = {
  sequenceClassifierName: 'DistilBertForSequenceClassification',
  baseModelPrefix: 'distilbert',
  inputNames: ['input_ids', 'attention_mask', 'position_ids'],
  packing: config => ({
    heads: sizeField(config, 'n_heads'),
    vocabularySize: sizeField(config, 'vocab_size'),
    positions: sizeField(config, 'max_position_embeddings'),
    firstPosition: 0,
    positionPadding: undefined,
    segments: 0,
  }),
  headSize: config => headSizeOf(config, 'dim', 'n_heads'),
  sequenceClassifier: (model, config, tokens, layout, labels) => {
    const { graph } = model
    const shape = distilbertShape(config)
    const at = 'distilbert.embeddings'
    const embedded = graph.scope('embeddings', () => {
      const words = embedding(
        model,
        `${at}.word_embeddings`,
        tokens.tokenIds,
        sizeField(config, 'vocab_size'),
        shape.width,
        shape.deviation,
        paddingId(config, 0),
      )
      const positions = embedding(
        model,
        `${at}.position_embeddings`,
        tokens.positionIds,
        sizeField(config, 'max_position_embeddings'),
        shape.width,
        shape.deviation,
      )
      return model.dropout(
        'embeddings',
        layerNorm(model, `${at}.LayerNorm`, graph.add(words, positions), shape.epsilon),
        shape.outputDropout,
      )
    })
    const first = encode(model, shape, names, layout, embedded, 'first')
    const dense = graph.relu(linear(model, 'pre_classifier', first, shape.width, shape.deviation))
    return linear(
      model,
      'classifier',
      model.dropout('classifier', dense, probabilityField(config, 'seq_classif_dropout', 0.2)),
      labels,
      shape.deviation,
    )
  },
}

function distilbertShape(config: ModelConfig): EncoderShape {
  return {
    layers: sizeField(config, 'n_layers'),
    width: sizeField(config, 'dim'),
    heads: sizeField(config, 'n_heads'),
    innerWidth: sizeField(config, 'hidden_dim'),
    activation: textField(config, 'activation', 'gelu'),
    epsilon: 1e-12,
    deviation: numberField(config, 'initializer_range', 0.02),
    attentionDropout: probabilityField(config, 'attention_dropout', 0.1),
    attentionOutputDropout: 0,
    outputDropout: probabilityField(config, 'dropout', 0.1),
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
