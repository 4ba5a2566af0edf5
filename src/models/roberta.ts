import { bertEmbeddings, bertPacking, encodedFirst, headSize, twoLayerHead } from './bert'
import { integerField, sizeField } from './config'
import type { Family } from './family'

/** RoBERTa (Liu et al. 2019): BERT's encoder, positions counted from after the padding id, a head of two layers. */
export const roberta: Family = {
  sequenceClassifierName: 'RobertaForSequenceClassification',
  baseModelPrefix: 'roberta',
  inputNames: ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'],
  packing: config => {
    const padding = integerField(config, 'pad_token_id', 1)
    const positions = sizeField(config, 'max_position_embeddings')
    return {
      ...bertPacking(config),
      positions: positions - padding - 1,
      firstPosition: padding + 1,
      positionPadding: padding,
    }
  },
  headSize,
  sequenceClassifier: (model, config, tokens, layout, labels) => {
    const padding = integerField(config, 'pad_token_id', 1)
    const embeddings = bertEmbeddings(model, config, 'roberta', tokens, sizeField(config, 'hidden_size'), padding)
    return twoLayerHead(model, config, encodedFirst(model, config, 'roberta', layout, embeddings), labels, x =>
      model.graph.tanh(x),
    )
  },
}

/** XLM-RoBERTa (Conneau et al. 2019): RoBERTa under another name. */
export const xlmRoberta: Family = { ...roberta, sequenceClassifierName: 'XLMRobertaForSequenceClassification' }

/** CamemBERT (Martin et al. 2019): RoBERTa under another name. */
export const camembert: Family = { ...roberta, sequenceClassifierName: 'CamembertForSequenceClassification' }
