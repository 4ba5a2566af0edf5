import type { Architecture } from './architecture'
import { bertEmbeddings, bertGeometry, bertInputNames, encodeBert, twoLayerHead } from './bertEncoder'
import { integerField, sizeField } from './config'

/** RoBERTa (Liu et al. 2019): BERT's encoder, positions counted from after the padding id, a head of two layers. */
export const roberta: Architecture = robertaNamed('RobertaForSequenceClassification')

/** XLM-RoBERTa (Conneau et al. 2019): RoBERTa under another name. */
export const xlmRoberta: Architecture = robertaNamed('XLMRobertaForSequenceClassification')

/** CamemBERT (Martin et al. 2019): RoBERTa under another name. */
export const camembert: Architecture = robertaNamed('CamembertForSequenceClassification')

function robertaNamed(className: string): Architecture {
  return {
    prefix: 'roberta',
    inputNames: bertInputNames,
    geometry(config) {
      const padding = integerField(config, 'pad_token_id', 1)
      const positions = sizeField(config, 'max_position_embeddings') - padding - 1
      return { ...bertGeometry(config), positions, firstPosition: padding + 1, positionPadding: padding }
    },
    encode(model, config, tokens, reads) {
      const padding = integerField(config, 'pad_token_id', 1)
      const embeddings = bertEmbeddings(model, config, 'roberta', tokens, sizeField(config, 'hidden_size'), padding)
      return encodeBert(model, config, 'roberta', tokens, embeddings, reads)
    },
    heads: { 'sequence-classification': twoLayerHead(className, ({ graph }, x) => graph.tanh(x)) },
  }
}
