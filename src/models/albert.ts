import type { Architecture } from './architecture'
import { bertEmbeddings, bertGeometry, bertHeads, bertInputNames, bertSettings, bertShape, pool } from './bertEncoder'
import { type ModelConfig, probabilityField, sizeField } from './config'
import { encode, type EncoderNames, type EncoderShape } from './encoder'
import { albertConfig } from './fields'
import { createLayers } from './layers'
import { answerHead, pooledHead, tokenHead, wordHead } from './taskHeads'

/**
 * ALBERT (Lan et al. 2019): BERT's encoder, whose layers share their parameters in groups, and narrower embeddings that
 * a product widens.
 */
export const albert: Architecture = {
  config: albertConfig,
  prefix: 'albert',
  inputNames: bertInputNames,
  geometry: bertGeometry,
  encode(model, config, tokens, reads) {
    const { linear } = createLayers(model, bertSettings(config))
    const narrow = bertEmbeddings(model, config, 'albert', tokens, sizeField(config, 'embedding_size'))
    const mapped = linear('albert.encoder.embedding_hidden_mapping_in', narrow, sizeField(config, 'hidden_size'))
    return encode(model, shapeOf(config), namesOf(config), tokens.attention, mapped, reads)
  },
  base: { className: 'AlbertModel', pool: pool('albert.pooler') },
  heads: {
    'sequence-classification': pooledHead(
      'AlbertForSequenceClassification',
      bertHeads,
      pool('albert.pooler'),
      classifierDropout,
    ),
    'token-classification': tokenHead('AlbertForTokenClassification', bertHeads, classifierDropout),
    'question-answering': answerHead('AlbertForQuestionAnswering', bertHeads),
    'multiple-choice': pooledHead('AlbertForMultipleChoice', bertHeads, pool('albert.pooler'), classifierDropout),
    'masked-lm': wordHead('AlbertForMaskedLM', {
      ...bertHeads,
      activation: 'hidden_act',
      tableWidth: 'embedding_size',
      names: {
        dense: 'predictions.dense',
        norm: 'predictions.LayerNorm',
        decoder: 'predictions.decoder',
        bias: 'predictions.bias',
        table: 'albert.embeddings.word_embeddings.weight',
      },
    }),
  },
}

/** A group of `inner_group_num` layers is run for each of `num_hidden_layers`. */
function shapeOf(config: ModelConfig): EncoderShape {
  return {
    ...bertShape(config),
    layers: sizeField(config, 'num_hidden_layers') * sizeField(config, 'inner_group_num'),
    outputDropout: 0,
  }
}

/** Layers of a group have the same names, and so the same parameters. */
function namesOf(config: ModelConfig): EncoderNames {
  const depth = sizeField(config, 'num_hidden_layers')
  const groups = sizeField(config, 'num_hidden_groups')
  const inner = sizeField(config, 'inner_group_num')
  return {
    layer(index) {
      const group = Math.floor(Math.floor(index / inner) / (depth / groups)) // in the order of Python's operations
      return `albert.encoder.albert_layer_groups.${group}.albert_layers.${index % inner}`
    },
    query: 'attention.query',
    key: 'attention.key',
    value: 'attention.value',
    attentionOutput: 'attention.dense',
    attentionNorm: 'attention.LayerNorm',
    inner: 'ffn',
    output: 'ffn_output',
    outputNorm: 'full_layer_layer_norm',
  }
}

function classifierDropout(config: ModelConfig): number {
  return probabilityField(config, 'classifier_dropout_prob')
}
