// the official artifacts of a small MLP, the rows that the official runtime was trained on, and a Trainer on both
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import {
  Tensor,
  type Trainer,
  type TrainerOptions,
  TrainingArtifacts,
  type TrainingArgumentsOptions,
  type TrainingArtifactsOptions,
} from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

/** Its artifacts: x [rows, 8] and target [rows, 3], L1, AdamW; its checkpoint.after has moments of four updates. */
export const folder = fileURLToPath(new URL('../fixtures/onnx/artifacts/mlp-l1', import.meta.url))

interface OfficialRun {
  readonly accumulate: number
  readonly losses: readonly number[]
  readonly evaluation: number
}

/** What scripts/fixtures/artifactRuns.py has computed, from checkpoint.after on. */
export const official = JSON.parse(readFileSync(join(folder, 'runs.json'), 'utf8')) as {
  readonly rates: readonly number[]
  readonly x: readonly (readonly number[])[]
  readonly target: readonly (readonly number[])[]
} & Readonly<Record<'whole' | 'halves', OfficialRun>>

/** A row of the dataset. */
export interface Row {
  readonly x: readonly number[]
  readonly target: readonly number[]
}

export const rows: readonly Row[] = official.x.map((x, i) => ({ x, target: official.target[i]! }))

export const open = (options: TrainingArtifactsOptions = {}): Promise<TrainingArtifacts> =>
  TrainingArtifacts.fromPretrained(folder, options)

/** Rows of numbers as a tensor. */
export const stacked = (values: readonly (readonly number[])[]): Tensor =>
  new Tensor('float32', Float32Array.from(values.flat()), [values.length, values[0]!.length])

/** A custom collator: x and target under their own names. */
export const collateRows = (given: readonly object[]): Record<string, Tensor> => ({
  x: stacked((given as readonly Row[]).map(({ x }) => x)),
  target: stacked((given as readonly Row[]).map(({ target }) => target)),
})

/** The arguments of the official runs: six updates of six rows, their order, and their schedule. */
export const plain: TrainingArgumentsOptions = {
  outputDir: '',
  learningRate: 1e-2,
  warmupSteps: 2,
  lrSchedulerType: 'linear',
  perDeviceTrainBatchSize: 6,
  perDeviceEvalBatchSize: 6,
  numTrainEpochs: 1,
  trainSamplingStrategy: 'sequential',
  loggingSteps: 1,
  saveStrategy: 'no',
  threads: 1,
}

/** A Trainer on the rows, as the official runs had them; it is disposed when the test has ended. */
export function trainerOf(
  model: TrainingArtifacts,
  args: Partial<TrainingArgumentsOptions> = {},
  options: Partial<TrainerOptions<TrainingArtifacts>> = {},
): Trainer<TrainingArtifacts> {
  const trainer = quietTrainer({
    model,
    args: { ...plain, ...args, outputDir: args.outputDir ?? temporaryFolder() },
    trainDataset: rows,
    evalDataset: rows.slice(0, 6),
    dataCollator: collateRows,
    ...options,
  })
  onTestFinished(() => trainer.dispose())
  return trainer
}

/** A column of the log, where it is. */
export const logged = (trainer: Trainer<TrainingArtifacts>, name: string): number[] =>
  trainer.state.logHistory.flatMap(entry => (typeof entry[name] === 'number' ? [Number(entry[name])] : []))
