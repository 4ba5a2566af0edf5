import type { Architecture } from './architecture'
import { bertEmbeddings, bertGeometry, bertInputNames, encodeBert, twoLayerHead } from './bertEncoder'
import { numberField, sizeField } from './config'
import { type FamilyConfig, robertaConfig, xlmRobertaConfig } from './fields'

/** RoBERTa (Liu et al. 2019): BERT's encoder, positions counted from after the padding id, a head of two layers. */
export const roberta: Architecture = robertaNamed('RobertaForSequenceClassification', robertaConfig)

/** XLM-RoBERTa (Conneau et al. 2019): RoBERTa under another name. */
export const xlmRoberta: Architecture = robertaNamed('XLMRobertaForSequenceClassification', xlmRobertaConfig)

/** CamemBERT (Martin et al. 2019): RoBERTa under another name. */
export const camembert: Architecture = robertaNamed('CamembertForSequenceClassification', xlmRobertaConfig)

function robertaNamed(className: string, family: FamilyConfig): Architecture {
  return {
    config: family,
    prefix: 'roberta',
    inputNames: bertInputNames,
    geometry(config) {
      const padding = numberField(config, 'pad_token_id')
      const positions = sizeField(config, 'max_position_embeddings') - padding - 1
      return { ...bertGeometry(config), positions, firstPosition: padding + 1, positionPadding: padding }
    },
    encode(model, config, tokens, reads) {
      const padding = numberField(config, 'pad_token_id')
      const embeddings = bertEmbeddings(model, config, 'roberta', tokens, sizeField(config, 'hidden_size'), padding)
      return encodeBert(model, config, 'roberta', tokens, embeddings, reads)
    },
    heads: { 'sequence-classification': twoLayerHead(className, ({ graph }, x) => graph.tanh(x)) },
  }
}
