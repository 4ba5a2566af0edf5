import {
  AutoModelForSequenceClassification,
  type Batch,
  Dataset,
  type ModelConfig,
  type ModelOptions,
  type PreTrainedModel,
  Tensor,
  type TrainingArgumentsOptions,
} from '../../src/index'

export const config: ModelConfig = {
  model_type: 'bert',
  vocab_size: 30,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 12,
  initializer_range: 0.3,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
  classifier_dropout: 0,
}

/** A model with random weights; without dropout unless the fields say so. */
export function model(fields: Partial<ModelConfig> = {}, options: ModelOptions = { numLabels: 2 }): PreTrainedModel {
  return AutoModelForSequenceClassification.fromConfig({ ...config, ...fields } as ModelConfig, options)
}

export interface Row {
  readonly input_ids: number[]
  readonly attention_mask: number[]
  readonly label: number
}

/** Rows of 2 to 7 tokens: a function of the row's number. */
export function rows(count: number): Row[] {
  return Array.from({ length: count }, (_, row) => {
    const ids = Array.from({ length: 2 + ((row * 5) % 6) }, (_, at) => 1 + ((row * 7 + at * 11) % 29))
    return { input_ids: ids, attention_mask: ids.map(() => 1), label: (row * row + 1) % 2 }
  })
}

export const dataset = (count: number): Dataset<Row> => Dataset.fromRows(rows(count))

/** Pads rows to the longest; labels stand under whatever names the rows have for them. */
export function collate(batch: readonly Readonly<Record<string, unknown>>[]): Batch {
  const ids = batch.map(row => [...(row.input_ids as number[])])
  const width = Math.max(...ids.map(row => row.length))
  const padded = (of: (id: number | undefined) => number): Tensor =>
    Tensor.from(
      'int32',
      ids.map(row => Array.from({ length: width }, (_, at) => of(row[at]))),
    )
  const others = Object.keys(batch[0]!).filter(name => !['input_ids', 'attention_mask', 'length'].includes(name))
  return {
    input_ids: padded(id => id ?? 0),
    attention_mask: padded(id => (id === undefined ? 0 : 1)),
    ...Object.fromEntries(
      others.map(name => {
        const values = batch.map(row => row[name] as number)
        return [
          name === 'label' ? 'labels' : name,
          Tensor.from(values.every(Number.isInteger) ? 'int32' : 'float32', values),
        ]
      }),
    ),
  }
}

/** Six updates of four rows (of 12, so two epochs), each logged, nothing else; quick and quiet. */
export const plain: TrainingArgumentsOptions = {
  numTrainEpochs: 2,
  perDeviceTrainBatchSize: 4,
  perDeviceEvalBatchSize: 4,
  loggingSteps: 1,
  saveStrategy: 'no',
  learningRate: 0.01,
  threads: 1,
  disableTqdm: true,
}
