import type { Architecture } from './architecture'
import { bertEmbeddings, bertGeometry, bertInputNames, bertSettings, encodeBert, twoLayerHead } from './bertEncoder'
import { sizeField } from './config'
import { electraConfig } from './fields'
import { createLayers } from './layers'

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
  heads: {
    'sequence-classification': twoLayerHead('ElectraForSequenceClassification', ({ graph }, x) => graph.gelu(x)),
  },
}
