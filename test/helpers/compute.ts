import type { TrainableModel } from '../../src/auto/TrainableModel'
import { alone } from '../../src/processes/ProcessGroup'
import type { Objective } from '../../src/programs/loss'
import type { Optimizer } from '../../src/optim/Optimizer'
import { adamw } from '../../src/optim/adamw'
import type { Batch, Tensor } from '../../src/tensor'
import type { Engines } from '../../src/training/engines'
import type { LabelledFeed } from '../../src/training/LabelledFeed'
import type { LossSum } from '../../src/training/lossSums'
import { Runner } from '../../src/training/Runner'
import type { RunnerOptions } from '../../src/training/runnerOptions'
import { placesInUpdate } from '../../src/training/updates'

export interface Computed {
  readonly loss: number
  readonly count: number
  /** Of the loss's sum. */
  readonly gradients: ReadonlyMap<string, Float64Array>
}

export interface ComputeOptions extends Partial<Omit<RunnerOptions, 'model'>> {
  readonly objective?: Objective
  readonly optimizer?: Optimizer
  readonly seed?: number
  /** Those that are there, in place of new ones. */
  readonly engines?: Engines
}

/** Computes one update's forward and backward passes, without the update: the sums over all micro-batches. */
export type Compute = (microBatches: readonly Batch[], step?: number) => Promise<Computed>

/** A model in training on a runner, for as long as `use` takes; a batch's labels decide its head. */
export async function withRunner<T>(
  model: TrainableModel,
  { optimizer = adamw(), seed = 7, ...options }: ComputeOptions,
  batch: Batch,
  use: (compute: Compute, runner: Runner) => Promise<T>,
): Promise<T> {
  const runner = await runnerOf(model, options)
  try {
    model.decideHead(batch)
    await runner.beginTraining({ optimizer, weightDecay: () => 0, seed })
    const compute: Compute = (microBatches, step) =>
      accumulate(
        runner,
        microBatches.map(one => runner.feed(one, row => `row ${row}`)),
        step,
      )
    return await use(compute, runner)
  } finally {
    await runner.dispose()
  }
}

async function runnerOf(
  model: TrainableModel,
  { engines, ...options }: Omit<ComputeOptions, 'optimizer' | 'seed'>,
): Promise<Runner> {
  return engines === undefined
    ? Runner.create({ model, engine: { threads: 1 }, ...options })
    : new Runner(engines, { model, ...options })
}

export function compute(
  model: TrainableModel,
  microBatches: readonly Batch[],
  options: ComputeOptions = {},
): Promise<Computed> {
  return withRunner(model, options, microBatches[0]!, run => run(microBatches))
}

/** The loss of a batch, if it has labels, and its logits. */
export async function evaluateBatch(
  runner: Runner,
  batch: Batch,
): Promise<{ loss: LossSum | undefined; logits: Tensor<'float32'> }> {
  const { loss, predictions } = await runner.forward(runner.feed(batch, row => `row ${row}`, 'evaluation'))
  return { loss, logits: (await predictions()).logits as Tensor<'float32'> }
}

/** A model on a runner that is not in training, for as long as `use` takes; each batch's labels decide an open head. */
export async function withEvaluation(
  model: TrainableModel,
  options: Pick<ComputeOptions, 'engines' | 'objective'>,
  use: (evaluate: (batch: Batch) => ReturnType<typeof evaluateBatch>) => Promise<void>,
): Promise<void> {
  const runner = await runnerOf(model, options)
  try {
    await use(batch => {
      model.decideHead(batch)
      return evaluateBatch(runner, batch)
    })
  } finally {
    await runner.dispose()
  }
}

/** Runs the micro-batches of an update, and reads the sums. */
export async function accumulate(runner: Runner, feeds: readonly LabelledFeed[], step = 0): Promise<Computed> {
  return { ...(await addUp(runner, feeds, step)), gradients: await gradientsOf(runner) }
}

/** Runs the micro-batches of an update, and reads what they came to. */
export async function addUp(runner: Runner, feeds: readonly LabelledFeed[], step: number): Promise<LossSum> {
  await runMicroBatches(runner, feeds, step)
  return runner.store.sums()
}

/** Runs the micro-batches of an update. */
export async function runMicroBatches(runner: Runner, feeds: readonly LabelledFeed[], step: number): Promise<void> {
  const places = await placesInUpdate(feeds, alone, { microBatches: feeds.length, rows: 0 })
  const microBatches = places.map((place, index) => ({ step, index, ...place }))
  for await (const batch of runner.training.prepared(feeds, microBatches)) await runner.training.run(batch)
}

/** The sums of the gradients, copied. */
export async function gradientsOf(runner: Runner): Promise<Map<string, Float64Array>> {
  const gradients = new Map<string, Float64Array>()
  for await (const [name, { data }] of runner.store.read('gradients'))
    gradients.set(name, Float64Array.from(data as Float32Array))
  return gradients
}

export function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0))
}

/**
 * The gradients of two computations whose difference is above 1e-4 of their own norm and 2e-6 of the model's largest.
 */
export function differing(a: Computed, b: Computed): string[] {
  const norms = normsOf(a, b)
  const largest = Math.max(...norms.map(({ own }) => own))
  return norms.flatMap(({ name, difference, own }) =>
    difference <= Math.max(1e-4 * own, 2e-6 * largest) ? [] : [`${name}: ${difference} of ${own}`],
  )
}

/** The L2 norm of the difference of all gradients of two computations, relative to the second one's. */
export function distance(a: Computed, b: Computed): number {
  const norms = normsOf(a, b)
  return Math.hypot(...norms.map(({ difference }) => difference)) / Math.hypot(...norms.map(({ own }) => own))
}

/** The norms of the second computation's gradients of the mean loss, and of their difference from the first one's. */
function normsOf(a: Computed, b: Computed): { name: string; difference: number; own: number }[] {
  return [...b.gradients].map(([name, expected]) => {
    const given = a.gradients.get(name)!
    const difference = norm(expected.map((v, i) => v / b.count - given[i]! / a.count))
    return { name, difference, own: norm(expected) / b.count }
  })
}
