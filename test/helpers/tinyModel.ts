import {
  AutoModelForSequenceClassification,
  type ModelConfig,
  type ModelOptions,
  type PreTrainedModel,
} from '../../src/index'

/** The smallest model that has everything: BERT of one layer, 8 wide, without dropout. */
export const tinyConfig = {
  model_type: 'bert',
  vocab_size: 30,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 12,
  initializer_range: 0.3, // ten times the usual one and more, so that texts differ in their logits
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
  classifier_dropout: 0,
} satisfies ModelConfig

/** The tiny model with random weights, of two labels unless the options say otherwise. */
export function tinyModel(
  fields: Partial<ModelConfig> = {},
  options: ModelOptions = { numLabels: 2 },
): PreTrainedModel {
  return AutoModelForSequenceClassification.fromConfig({ ...tinyConfig, ...fields }, options)
}
