// A training run in a process of its own: this file is both, what starts it and what runs there.
import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Dataset,
  type ModelConfig,
  type ModelOptions,
  type PreTrainedModel,
  setLogLevel,
  type Trainer,
  type TrainerCallback,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { hash32 } from '../../src/random'
import { collate } from './collate'
import { quietTrainer } from './quietTrainer'
import { tinyConfig, tinyModel } from './tinyModel'

/** A run: all of it can be sent to another process. */
export interface TrainingTask {
  readonly outputDir: string
  /** Rows of the training dataset; 49 unless given, which makes a last batch of one row. */
  readonly rows?: number
  /** What a row is labelled with; 'class' unless given. */
  readonly labels?: 'class' | 'value' | 'switches'
  readonly config?: Readonly<Record<string, unknown>>
  readonly args?: Partial<TrainingArgumentsOptions>
  readonly evaluates?: boolean
  readonly resume?: boolean | string
}

/** What a run came to. Numbers that are clocks are left out. */
export interface TrainingReport {
  readonly globalStep: number
  readonly trainingLoss: number
  readonly logHistory: readonly Readonly<Record<string, unknown>>[]
  /** Of the final weights, in the order of their names. */
  readonly weights: string
  readonly best: {
    readonly metric: number | undefined
    readonly step: number | undefined
    readonly checkpoint: string | undefined
  }
}

/** Dropout at every site, and a vocabulary of which most ids are seen in some updates only. */
export const dropoutConfig = {
  ...tinyConfig,
  vocab_size: 300,
  hidden_size: 32,
  num_hidden_layers: 2,
  intermediate_size: 48,
  max_position_embeddings: 32,
  initializer_range: 0.2,
  hidden_dropout_prob: 0.15,
  attention_probs_dropout_prob: 0.15,
  classifier_dropout: 0.2,
} satisfies ModelConfig

/**
 * Twenty updates of two micro-batches: an epoch is seven micro-batches, the last of one row, so each fourth update has
 * one only.
 */
export const twentySteps: Partial<TrainingArgumentsOptions> = {
  maxSteps: 20,
  perDeviceTrainBatchSize: 8,
  gradientAccumulationSteps: 2,
  learningRate: 5e-3,
  weightDecay: 0.01,
  warmupSteps: 3,
  loggingSteps: 3,
  seed: 7,
  saveStrategy: 'steps',
  saveSteps: 1,
  threads: 1,
}

/** What differs from run to run, though nothing else does: clocks, and the run's own name. */
const clocks = /(runtime|_per_second|^run_id|^run_session)$/
const thisFile = fileURLToPath(import.meta.url)
const reportName = 'report.json'

/** Runs a task in a new process, to its end. */
export async function trainElsewhere(task: TrainingTask): Promise<TrainingReport> {
  const child = startElsewhere(task)
  const errors: string[] = []
  child.stderr?.on('data', (text: Buffer) => errors.push(String(text)))
  child.stdout?.resume()
  const code = await new Promise(resolve => child.on('exit', (status, signal) => resolve(status ?? signal)))
  if (code !== 0) throw new Error(`The training process ended with ${String(code)}: ${errors.join('')}`)
  return JSON.parse(readFileSync(join(task.outputDir, reportName), 'utf8')) as TrainingReport
}

/** Starts a task in a new process, which sends 'saved' with the step whenever a checkpoint stands. */
export function startElsewhere(task: TrainingTask): ChildProcess {
  return fork(thisFile, [JSON.stringify(task)], {
    execArgv: ['--import', 'tsx'],
    cwd: join(thisFile, '../../..'),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

/** Runs a task in this process. */
export async function trainHere(task: TrainingTask, callback?: TrainerCallback): Promise<TrainingReport> {
  const trainer = taskTrainer(task, callback)
  try {
    const { globalStep, trainingLoss } = await trainer.train({ resumeFromCheckpoint: task.resume ?? false })
    const { logHistory, bestMetric: metric, bestGlobalStep: step, bestModelCheckpoint: checkpoint } = trainer.state
    const kept = logHistory.map(entry => Object.fromEntries(Object.entries(entry).filter(([key]) => !clocks.test(key))))
    return {
      globalStep,
      trainingLoss,
      logHistory: kept,
      weights: weightsHash(trainer.model),
      best: { metric, step, checkpoint },
    }
  } finally {
    await trainer.dispose()
  }
}

/** A Trainer for a task. */
export function taskTrainer(task: TrainingTask, callback?: TrainerCallback): Trainer {
  const { outputDir, rows = 49, labels = 'class', config = {}, args = {}, evaluates = false } = task
  const head: ModelOptions = {
    numLabels: labels === 'value' ? 1 : 3,
    ...(labels === 'switches' && { problemType: 'multi_label_classification' }),
  }
  return quietTrainer({
    model: tinyModel({ ...dropoutConfig, ...config }, head),
    args: { outputDir, reportTo: 'none', logLevel: 'error', ...args },
    trainDataset: randomDataset(rows, labels, 1),
    dataCollator: collate,
    ...(evaluates && { evalDataset: randomDataset(21, labels, 2) }),
    ...(callback && { callbacks: [callback] }),
  })
}

type TrainRows = Dataset<{ input_ids: number[]; attention_mask: number[]; label: unknown }>

/** Rows of 2 to 24 tokens: a function of the row's number. */
export function randomDataset(rows: number, labels: 'class' | 'value' | 'switches', seed: number): TrainRows {
  const number = (row: number, at: number, below: number): number =>
    Math.floor((hash32(seed, row, at) / 2 ** 32) * below)
  const label = (row: number): unknown => {
    if (labels === 'class') return number(row, 99, 3)
    return labels === 'value' ? (number(row, 99, 1000) + 0.5) / 200 : [99, 100, 101].map(at => number(row, at, 2))
  }
  return Dataset.fromRows(
    Array.from({ length: rows }, (_, row) => {
      const ids = Array.from({ length: 2 + number(row, 98, 23) }, (_, at) => 1 + number(row, at, 299))
      return { input_ids: ids, attention_mask: ids.map(() => 1), label: label(row) }
    }),
  )
}

/** SHA-256 of all weights, in the order of their names. */
export function weightsHash(model: PreTrainedModel): string {
  const hash = createHash('sha256')
  const sorted = [...model.parameters].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, { data }] of sorted) hash.update(name).update(new Uint8Array(new Float32Array(data).buffer))
  return hash.digest('hex')
}

/** The files of a checkpoint by name, each as a hash, and trainer_state.json as it reads. */
export function checkpointFiles(folder: string): Record<string, unknown> {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name)
  return Object.fromEntries(
    names.sort().map(name => {
      const bytes = readFileSync(join(folder, name))
      if (name === 'training_args.json') return [name, 'there'] // says where the run lies
      if (name === 'trainer_state.json') return [name, withoutClocks(bytes.toString())]
      return [name, createHash('sha256').update(bytes).digest('hex')]
    }),
  )
}

function withoutClocks(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => (clocks.test(key) ? undefined : value))
}

async function main(task: TrainingTask): Promise<void> {
  setLogLevel('error')
  const report = await trainHere(task, { onSave: (_args, state) => void process.send?.({ saved: state.globalStep }) })
  writeFileSync(join(task.outputDir, reportName), JSON.stringify(report))
  process.disconnect?.()
}

if (process.argv[1] === thisFile) await main(JSON.parse(process.argv[2]!) as TrainingTask)
