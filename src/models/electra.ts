import { TrainerError } from '../errors'
import type { Architecture } from './architecture'
import {
  bertEmbeddings,
  bertGeometry,
  bertHeads,
  bertInputNames,
  bertSettings,
  classifierDropout,
  encodeBert,
  twoLayerHead,
} from './bertEncoder'
import { type ModelConfig, probabilityField, sizeField, textField } from './config'
import { electraConfig } from './fields'
import { activation, createLayers } from './layers'
import type { Value } from '../onnx/types'
import type { ModelGraph } from './Model'
import { answerHead, pooledHead, tokenHead, wordHead } from './taskHeads'

/** ELECTRA (Clark et al. 2020): BERT's encoder, narrower embeddings that a product widens, a head of two layers. */
export const electra: Architecture = {
  config: electraConfig,
  prefix: 'electra',
  inputNames: bertInputNames,
  geometry: bertGeometry,
  encode(model, config, tokens, reads) {
    const width = sizeField(config, 'hidden_size')
    const narrow = sizeField(config, 'embedding_size')
    const { linear } = createLayers(model, bertSettings(config))
    const embedded = bertEmbeddings(model, config, 'electra', tokens, narrow)
    const widened = narrow === width ? embedded : linear('electra.embeddings_project', embedded, width)
    return encodeBert(model, config, 'electra', tokens, widened, reads)
  },
  base: { className: 'ElectraModel' },
  heads: {
    'sequence-classification': twoLayerHead('ElectraForSequenceClassification', ({ graph }, x) => graph.gelu(x)),
    'token-classification': tokenHead('ElectraForTokenClassification', bertHeads, classifierDropout),
    'question-answering': answerHead('ElectraForQuestionAnswering', bertHeads),
    'multiple-choice': pooledHead('ElectraForMultipleChoice', bertHeads, summary, config =>
      probabilityField(config, 'summary_last_dropout'),
    ),
    'masked-lm': wordHead('ElectraForMaskedLM', {
      ...bertHeads,
      tableWidth: 'embedding_size',
      names: {
        dense: 'generator_predictions.dense',
        norm: 'generator_predictions.LayerNorm',
        decoder: 'generator_lm_head',
        bias: 'generator_lm_head.bias',
        table: 'electra.embeddings.word_embeddings.weight',
      },
    }),
  },
}

/**
 * `sequence_summary`: a product (with `summary_use_proj`) and an activation of each row's first token.
 * @throws TrainerError ('model') for a `summary_type` that reads others.
 */
function summary(model: ModelGraph, config: ModelConfig, first: Value): Value {
  const type = textField(config, 'summary_type')
  if (type !== 'first') {
    throw new TrainerError('model', `The config of this electra model has "summary_type" ${JSON.stringify(type)}.`, {
      fix: "A head for multiple choice reads the first token: only 'first' is there.",
    })
  }
  const { linear } = createLayers(model, bertSettings(config))
  const projected =
    config.summary_use_proj === false
      ? first
      : linear('sequence_summary.summary', first, sizeField(config, 'hidden_size'))
  const name = textField(config, 'summary_activation')
  return name === '' ? projected : activation(model.graph, name, projected)
}
