import { join } from 'node:path'
import {
  AutoTokenizer,
  Dataset,
  type ModelConfig,
  type ModelOptions,
  type PreTrainedModel,
  setLogLevel,
} from 'ts-trainer'
import { quietTrainer } from './quietTrainer'
import { tinyConfig, tinyModel } from './tinyModel'

setLogLevel('error')

/** BERT's kin with two layers of 16. Weights ten times as large as usual: so logits differ from text to text. */
export const smallConfig = {
  ...tinyConfig,
  vocab_size: 30_522,
  hidden_size: 16,
  num_hidden_layers: 2,
  intermediate_size: 32,
  max_position_embeddings: 64,
  initializer_range: 0.2,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  classifier_dropout: null,
} satisfies ModelConfig

/** Texts of different lengths. */
export const texts = [
  'A wonderful film.',
  'It broke after two days, and nobody wants to repair it: a waste of money and of time.',
  'Fine',
  'No.',
  'The food was good, the staff less so.',
  'I would not go there again, even if somebody else paid for all of it.',
]

/** A model with random weights. */
export function smallModel(config: Partial<ModelConfig> = {}, options: ModelOptions = {}): PreTrainedModel {
  return tinyModel({ ...smallConfig, ...config }, options)
}

/**
 * Trains a model for two updates on {@link texts}, saves it into a folder, and gives the logits that the trained model
 * predicts for them.
 */
export async function trainAndSave(
  model: PreTrainedModel,
  folder: string,
  labels: readonly unknown[] = texts.map((_, row) => row % 2),
): Promise<number[][]> {
  const tokenizer = await AutoTokenizer.fromPretrained(join(import.meta.dirname, '../../examples/data/tokenizer'))
  const dataset = await Dataset.fromRows(texts.map((text, row) => ({ text, label: labels[row] }))).map(({ text }) =>
    tokenizer(text),
  )
  const trainer = quietTrainer({
    model,
    trainDataset: dataset,
    processingClass: tokenizer,
    args: {
      outputDir: folder,
      maxSteps: 2,
      perDeviceTrainBatchSize: 3,
      perDeviceEvalBatchSize: 4,
      learningRate: 1e-2,
      saveStrategy: 'no',
      logLevel: 'error',
    },
  })
  await trainer.train()
  await trainer.saveModel()
  const { predictions } = await trainer.predict(dataset)
  await trainer.dispose()
  return predictions.tolist() as number[][]
}

/** The largest difference of two tables of numbers; Infinity where one has more rows. */
export function largestDifference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  if (a.length !== b.length) return Infinity
  return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - (b[i]?.[j] ?? NaN)))))
}
