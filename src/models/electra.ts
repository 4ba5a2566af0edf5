import { bertEmbeddings, bertPacking, encodedFirst, headSize, twoLayerHead } from './bert'
import { numberField, sizeField } from './config'
import type { Family } from './family'
import { linear } from './layers'

/** ELECTRA (Clark et al. 2020): BERT's encoder, narrower embeddings that a product widens, a head of two layers. */
export const electra: Family = {
  sequenceClassifierName: 'ElectraForSequenceClassification',
  baseModelPrefix: 'electra',
  inputNames: ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'],
  packing: bertPacking,
  headSize,
  sequenceClassifier: (model, config, tokens, layout, labels) => {
    const width = sizeField(config, 'hidden_size')
    const narrow = sizeField(config, 'embedding_size', 128)
    const embedded = bertEmbeddings(model, config, 'electra', tokens, narrow)
    const widened =
      narrow === width
        ? embedded
        : linear(model, 'electra.embeddings_project', embedded, width, numberField(config, 'initializer_range', 0.02))
    return twoLayerHead(model, config, encodedFirst(model, config, 'electra', layout, widened), labels, x =>
      model.graph.gelu(x),
    )
  },
}
