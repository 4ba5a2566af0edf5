import type { Architecture } from './architecture'
import {
  bertEmbeddings,
  bertGeometry,
  bertHeads,
  bertInputNames,
  classifierDropout,
  encodeBert,
  pool,
} from './bertEncoder'
import { sizeField } from './config'
import { bertConfig } from './fields'
import { answerHead, pooledHead, tokenHead, wordHead } from './taskHeads'

/** BERT (Devlin et al. 2018). */
export const bert: Architecture = {
  config: bertConfig,
  prefix: 'bert',
  inputNames: bertInputNames,
  geometry: bertGeometry,
  encode(model, config, tokens, reads) {
    const embeddings = bertEmbeddings(model, config, 'bert', tokens, sizeField(config, 'hidden_size'))
    return encodeBert(model, config, 'bert', tokens, embeddings, reads)
  },
  base: { className: 'BertModel', pool: pool('bert.pooler.dense') },
  heads: {
    'sequence-classification': pooledHead(
      'BertForSequenceClassification',
      bertHeads,
      pool('bert.pooler.dense'),
      classifierDropout,
    ),
    'token-classification': tokenHead('BertForTokenClassification', bertHeads, classifierDropout),
    'question-answering': answerHead('BertForQuestionAnswering', bertHeads),
    'multiple-choice': pooledHead('BertForMultipleChoice', bertHeads, pool('bert.pooler.dense'), classifierDropout),
    'masked-lm': wordHead('BertForMaskedLM', {
      ...bertHeads,
      activation: 'hidden_act',
      names: {
        dense: 'cls.predictions.transform.dense',
        norm: 'cls.predictions.transform.LayerNorm',
        decoder: 'cls.predictions.decoder',
        bias: 'cls.predictions.bias',
        table: 'bert.embeddings.word_embeddings.weight',
      },
    }),
  },
}
