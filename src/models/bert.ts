import type { Architecture } from './architecture'
import {
  bertEmbeddings,
  bertGeometry,
  bertInputNames,
  bertSettings,
  classifierDropout,
  encodeBert,
} from './bertEncoder'
import { sizeField } from './config'
import { bertConfig } from './fields'
import { createLayers } from './layers'

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
  heads: {
    'sequence-classification': {
      className: 'BertForSequenceClassification',
      write(model, config, first, width) {
        const { linear } = createLayers(model, bertSettings(config))
        const pooled = model.graph.tanh(linear('bert.pooler.dense', first, sizeField(config, 'hidden_size')))
        return linear('classifier', model.dropout('classifier', pooled, classifierDropout(config), 'rows'), width)
      },
    },
  },
}
