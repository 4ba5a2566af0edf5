import { readdirSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import {
  type LogEntry,
  type PreTrainedModel,
  setLogLevel,
  setLogSink,
  Trainer,
  type TrainerOptions,
  type TrainingArgumentsOptions,
  type TrainOptions,
  type TrainOutput,
} from '../../src/index'
import { collate } from '../helpers/collate'
import { type QuietOptions, quietTrainer } from '../helpers/quietTrainer'
import { tinyModel } from '../helpers/tinyModel'
import { dataset, plain } from './plainRun'
import { temporaryFolder } from '../helpers/temporaryFolder'

export { collate } from '../helpers/collate'
export { tinyModel } from '../helpers/tinyModel'
export { dataset, plain, rows } from './plainRun'

/** What is logged while a test runs, from a level on. */
export function logged(level: Parameters<typeof setLogLevel>[0] = 'warning'): string[] {
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

/**
 * A Trainer that is disposed when the test has ended, and that prints only where `disableTqdm` says how; the row
 * numbers of the batches that it collates for training come into `batches`.
 */
export function createTrainer(
  args: TrainingArgumentsOptions = {},
  options: Partial<TrainerOptions> = {},
  batches: (readonly number[])[] = [],
  kind: typeof Trainer<PreTrainedModel> = Trainer,
): Trainer {
  const all: QuietOptions<PreTrainedModel> = {
    ...(options.modelInit === undefined && { model: tinyModel() }),
    args: { ...plain, ...args, outputDir: args.outputDir ?? temporaryFolder() },
    trainDataset: dataset(12),
    evalDataset: dataset(7),
    dataCollator: (given, indices = []) => {
      if (given.length > 0) batches.push([...indices])
      return collate(given)
    },
    ...options,
  }
  const trainer = args.disableTqdm === undefined ? quietTrainer(all, kind) : new kind(all)
  onTestFinished(() => trainer.dispose())
  return trainer
}

/** Trains, and says what came of it. */
export async function run(
  args: TrainingArgumentsOptions = {},
  { resumeFromCheckpoint, signal, trial, ...options }: RunOptions = {},
): Promise<Ran> {
  const batches: number[][] = []
  const trainer = createTrainer(args, options, batches)
  const output = await trainer.train({
    ...(resumeFromCheckpoint !== undefined && { resumeFromCheckpoint }),
    ...(signal && { signal }),
    ...(trial && { trial }),
  })
  const history = trainer.state.logHistory
  const { outputDir } = trainer.args
  return {
    trainer,
    output,
    batches,
    history,
    outputDir,
    losses: history.flatMap(entry => (typeof entry.loss === 'number' ? [entry.loss] : [])),
    evaluations: history.filter(entry => entry.eval_loss !== undefined || entry.eval_runtime !== undefined),
    checkpoints: checkpointsIn(outputDir),
  }
}

/** The checkpoints of a folder, the first first. */
export function checkpointsIn(path: string): string[] {
  return readdirSync(path)
    .filter(name => /^checkpoint-\d+$/.test(name))
    .sort((a, b) => Number(a.slice(11)) - Number(b.slice(11)))
}

/** The weights by name, copied. */
export function weights(of: PreTrainedModel): Record<string, number[]> {
  return Object.fromEntries([...of.parameters].map(([name, { data }]) => [name, Array.from(data)]))
}

setLogSink(() => undefined)
