import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  AutoModelForSequenceClassification, type Batch, Dataset, type LogEntry, type ModelConfig, type ModelOptions, PrinterCallback, type PreTrainedModel, ProgressCallback, setLogLevel,
  setLogSink, Tensor, Trainer, type TrainerOptions, type TrainingArgumentsOptions, type TrainOptions, type TrainOutput,
} from '../../src/index'

export const config: ModelConfig = {
  model_type: 'bert', vocab_size: 30, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 12, max_position_embeddings: 12,
  initializer_range: 0.3, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, classifier_dropout: 0,
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
  const ids = batch.map((row) => [...(row.input_ids as number[])])
  const width = Math.max(...ids.map((row) => row.length))
  const padded = (of: (id: number | undefined) => number): Tensor => Tensor.from('int32', ids.map((row) => Array.from({ length: width }, (_, at) => of(row[at]))))
  const others = Object.keys(batch[0]!).filter((name) => !['input_ids', 'attention_mask', 'length'].includes(name))
  return {
    input_ids: padded((id) => id ?? 0), attention_mask: padded((id) => (id === undefined ? 0 : 1)),
    ...Object.fromEntries(others.map((name) => {
      const values = batch.map((row) => row[name] as number)
      return [name === 'label' ? 'labels' : name, Tensor.from(values.every(Number.isInteger) ? 'int32' : 'float32', values)]
    })),
  }
}

/** A folder that is gone when the test has ended. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ts-trainer-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** What is told while a test runs, from a level on. */
export function told(level: Parameters<typeof setLogLevel>[0] = 'warning'): string[] {
  const messages: string[] = []
  setLogLevel(level)
  setLogSink((_level, message) => void messages.push(message))
  onTestFinished(() => {
    setLogLevel('warning')
    setLogSink(() => undefined)
  })
  return messages
}

/** What a run came to. */
export interface Ran {
  readonly trainer: Trainer
  readonly output: TrainOutput
  /** The logged training losses and evaluations. */
  readonly losses: readonly number[]
  readonly evaluations: readonly LogEntry[]
  readonly history: readonly LogEntry[]
  /** Names of the checkpoints that are left. */
  readonly checkpoints: readonly string[]
  /** Rows of each batch that was collated for training. */
  readonly batches: readonly (readonly number[])[]
  readonly outputDir: string
}

export type RunOptions = Partial<TrainerOptions> & TrainOptions

/** Six updates of four rows (of 12, so two epochs), each logged, nothing else; quick and quiet. */
export const plain: TrainingArgumentsOptions = {
  numTrainEpochs: 2, perDeviceTrainBatchSize: 4, perDeviceEvalBatchSize: 4, loggingSteps: 1, saveStrategy: 'no', learningRate: 0.01, threads: 1, disableTqdm: true,
}

/** A quiet Trainer; the batches that it is to collate for training come into `batches`. */
export function createTrainer(args: TrainingArgumentsOptions = {}, options: Partial<TrainerOptions> = {}, batches: (readonly number[])[] = [], kind: typeof Trainer = Trainer): Trainer {
  const outputDir = args.outputDir ?? folder()
  const trainer = new kind({
    ...(options.modelInit === undefined && { model: model() }),
    args: { ...plain, ...args, outputDir },
    trainDataset: dataset(12),
    evalDataset: dataset(7),
    dataCollator: (given, indices = []) => {
      if (given.length > 0) batches.push([...indices])
      return collate(given)
    },
    ...options,
  })
  if (args.disableTqdm === undefined) for (const loud of [PrinterCallback, ProgressCallback]) trainer.removeCallback(loud)
  onTestFinished(() => trainer.dispose())
  return trainer
}

/** Trains, and says what came of it. */
export async function run(args: TrainingArgumentsOptions = {}, { resumeFromCheckpoint, signal, trial, ...options }: RunOptions = {}): Promise<Ran> {
  const batches: number[][] = []
  const trainer = createTrainer(args, options, batches)
  const output = await trainer.train({ ...(resumeFromCheckpoint !== undefined && { resumeFromCheckpoint }), ...(signal && { signal }), ...(trial && { trial }) })
  const history = trainer.state.logHistory
  const { outputDir } = trainer.args
  return {
    trainer, output, batches, history, outputDir,
    losses: history.flatMap((entry) => (typeof entry.loss === 'number' ? [entry.loss] : [])),
    evaluations: history.filter((entry) => entry.eval_loss !== undefined || entry.eval_runtime !== undefined),
    checkpoints: checkpointsIn(outputDir),
  }
}

/** The checkpoints of a folder, the first first. */
export function checkpointsIn(path: string): string[] {
  return readdirSync(path).filter((name) => /^checkpoint-\d+$/.test(name)).sort((a, b) => Number(a.slice(11)) - Number(b.slice(11)))
}

/** The weights by name, copied. */
export function weights(of: PreTrainedModel): Record<string, number[]> {
  return Object.fromEntries([...of.parameters].map(([name, { data }]) => [name, Array.from(data)]))
}

setLogSink(() => undefined)
