import type { Architecture } from './architecture'
import {
  bertEmbeddings,
  bertGeometry,
  bertHeads,
  bertInputNames,
  classifierDropout,
  encodeBert,
  hiddenDropout,
  pool,
  twoLayerHead,
} from './bertEncoder'
import { numberField, sizeField } from './config'
import { type FamilyConfig, robertaConfig, xlmRobertaConfig } from './fields'
import { answerHead, lmHeadNames, pooledHead, tokenHead, wordHead } from './taskHeads'

/** RoBERTa (Liu et al. 2019): BERT's encoder, positions counted from after the padding id, a head of two layers. */
export const roberta: Architecture = robertaNamed('Roberta', robertaConfig)

/** XLM-RoBERTa (Conneau et al. 2019): RoBERTa under another name. */
export const xlmRoberta: Architecture = robertaNamed('XLMRoberta', xlmRobertaConfig)

/** CamemBERT (Martin et al. 2019): RoBERTa under another name. */
export const camembert: Architecture = robertaNamed('Camembert', xlmRobertaConfig)

function robertaNamed(name: string, family: FamilyConfig): Architecture {
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
    base: { className: `${name}Model`, pool: pool('roberta.pooler.dense') },
    heads: {
      'sequence-classification': twoLayerHead(`${name}ForSequenceClassification`, ({ graph }, x) => graph.tanh(x)),
      'token-classification': tokenHead(`${name}ForTokenClassification`, bertHeads, classifierDropout),
      'question-answering': answerHead(`${name}ForQuestionAnswering`, bertHeads),
      'multiple-choice': pooledHead(`${name}ForMultipleChoice`, bertHeads, pool('roberta.pooler.dense'), hiddenDropout),
      'masked-lm': wordHead(`${name}ForMaskedLM`, {
        ...bertHeads,
        names: lmHeadNames('roberta'),
      }),
    },
  }
}
