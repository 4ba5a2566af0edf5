import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelFromFolder, type PreTrainedModel } from '../../src/auto/PreTrainedModel'
import type { ModelConfig } from '../../src/models/config'
import type { DropoutSite } from '../../src/models/layers'
import type { Batch, PackedBatch } from '../../src/models/packing'
import type { Optimizer } from '../../src/optim/Optimizer'
import { adamw } from '../../src/optim/adamw'
import { MersenneTwister } from '../../src/random'
import { createData, type DataType, Tensor } from '../../src/tensor'
import type { LossChoice } from '../../src/TrainingGraph'
import { type PreparedBatch, Runner } from '../../src/training/Runner'

export const fixtures = join(import.meta.dirname, '../fixtures/models')

export const familyNames = ['bert', 'roberta', 'xlm-roberta', 'camembert', 'distilbert', 'electra'] as const
export type FamilyName = (typeof familyNames)[number]

/** A tensor as the oracle writes it. */
export interface Plain {
  readonly shape: number[]
  readonly dtype: string
  readonly data: number[]
}

/** What the oracle computed. */
export interface OracleCase {
  readonly inputs: Record<string, Plain>
  readonly loss: number
  readonly outputs: { readonly logits: Plain }
  readonly gradients: Record<string, { norm: number; first: number[] } | null>
}

export function readJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(fixtures, ...path), 'utf8')) as T
}

export function tensorOf({ shape, dtype, data }: Plain): Tensor {
  const type: DataType = dtype === 'int64' ? 'int32' : 'float32'
  const values = createData(type, data.length)
  data.forEach((value, i) => (values[i] = value))
  return new Tensor(type, values, shape)
}

export function batchOf(inputs: Record<string, Plain>): Batch {
  return Object.fromEntries(Object.entries(inputs).map(([name, plain]) => [name, tensorOf(plain)]))
}

const noDropout = {
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
  classifier_dropout: 0,
  dropout: 0,
  attention_dropout: 0,
  seq_classif_dropout: 0,
}

/**
 * A family's smallest model (2 layers of width 8, 12 positions, 23 tokens, 3 labels) with the oracle's weights; no
 * dropout unless the fields say so.
 */
export async function tinyModel(
  family: FamilyName,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<PreTrainedModel> {
  const config = readJson<ModelConfig>(`dropout-${family}`, 'config.json')
  return modelFromFolder(join(fixtures, `dropout-${family}`), { ...config, ...noDropout, ...fields })
}

/** Rows of random tokens with a mask of the given lengths, or the given masks themselves. */
export function randomBatch(
  rows: readonly (number | readonly number[])[],
  labels: Tensor,
  options: { seed?: number; width?: number; vocabulary?: number } = {},
): Batch {
  const { seed = 1, vocabulary = 23 } = options
  const random = new MersenneTwister(seed)
  const width = options.width ?? Math.max(...rows.map(row => (typeof row === 'number' ? row : row.length)))
  const mask = rows.map(row =>
    Array.from({ length: width }, (_, i) => (typeof row === 'number' ? Number(i < row) : (row[i] ?? 0))),
  )
  const ids = mask.map(row => row.map(kept => (kept === 1 ? 3 + (random.next32() % (vocabulary - 3)) : 1)))
  return { input_ids: Tensor.from('int32', ids), attention_mask: Tensor.from('int32', mask), labels }
}

export function classes(...labels: number[]): Tensor {
  return Tensor.from('int32', labels)
}

/** The labels of a packed batch: its rows come in another order. */
export function labelsOf({ labels }: Batch, { order }: PackedBatch): Tensor {
  const { dtype, data, dims } = labels!
  const width = data.length / order.length
  const sorted = createData(dtype, data.length)
  order.forEach((row, i) => sorted.set(data.subarray(row * width, (row + 1) * width) as never, i * width))
  return new Tensor(dtype, sorted as never, dims)
}

/** For every row of a batch the columns that are computed: the real tokens and the first, or all. */
export function columnsOf(batch: Batch, padded = false): number[][] {
  const { data, dims } = batch.attention_mask!
  const [rows, width] = [dims[0]!, dims[1]!]
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (_, column) => column).filter(
      column => padded || column === 0 || Number(data[row * width + column]) !== 0,
    ),
  )
}

/**
 * A dropout mask as a site takes it, from what it is in a padded model: `at(row, column, i)` for [batch, length,
 * width], or `at(row, head, query, key)` for attention, where padded queries get zeros.
 */
export function heldMask(
  { shape }: DropoutSite,
  { order, groups, tokens }: PackedBatch,
  columns: readonly number[][],
  at: (...place: number[]) => number,
): Tensor<'float64'> {
  if (shape.length === 2) {
    const width = shape[1] as number
    const places = [...order].flatMap(row =>
      (shape[0] === 'batch' ? [0] : columns[row]!).map(column => [row, column] as const),
    )
    const values = places.flatMap(([row, column]) => Array.from({ length: width }, (_, i) => at(row, column, i)))
    const count = shape[0] === 'batch' ? places.length : tokens // those that were added to round their number have any mask
    return new Tensor(
      'float64',
      Float64Array.from({ length: count * width }, (_, i) => values[i] ?? 1),
      [count, width],
    )
  }
  const number = Number(String(shape[0]).split('.')[1] ?? 0)
  const before = groups.slice(0, number).reduce((rows, group) => rows + group.lengths.length, 0)
  const { lengths, width } = groups[number]!
  const [rows, heads, queries] = [
    [...order.subarray(before, before + lengths.length)],
    shape[1] as number,
    shape[2] === 1 ? 1 : width,
  ]
  const mask = Tensor.zeros('float64', [rows.length, heads, queries, width])
  for (let i = 0; i < mask.size; i++) {
    const [k, q, head, row] = [
      i % width,
      Math.floor(i / width) % queries,
      Math.floor(i / width / queries) % heads,
      rows[Math.floor(i / width / queries / heads)]!,
    ]
    const [query, key] = [columns[row]![q], columns[row]![k]]
    mask.data[i] = query === undefined || key === undefined ? 0 : at(row, head, query, key)
  }
  return mask
}

/** Rows of a batch, from `start` to before `end`. */
export function rowsOf(batch: Batch, start: number, end: number): Batch {
  return Object.fromEntries(
    Object.entries(batch).map(([name, { dtype, data, dims }]) => {
      const width = dims.slice(1).reduce((size, d) => size * d, 1)
      return [name, new Tensor(dtype, data.slice(start * width, end * width) as never, [end - start, ...dims.slice(1)])]
    }),
  )
}

export interface Computed {
  readonly loss: number
  readonly count: number
  /** Of the loss's sum. */
  readonly gradients: ReadonlyMap<string, Float64Array>
}

export interface ComputeOptions {
  readonly loss?: Omit<LossChoice, 'problemType'>
  readonly optimizer?: Optimizer
  readonly seed?: number
  readonly gradientCheckpointing?: boolean
}

/** Computes one update's forward and backward passes, without the update: the sums over all micro-batches. */
export type Compute = (microBatches: readonly Batch[]) => Promise<Computed>

/** A model on a runner, for as long as `use` takes. */
export async function withRunner<T>(
  model: PreTrainedModel,
  options: ComputeOptions,
  labels: Tensor,
  use: (compute: Compute, runner: Runner) => Promise<T>,
): Promise<T> {
  const runner = await Runner.create({
    model,
    engine: { threads: 1 },
    loss: options.loss ?? {},
    gradientCheckpointing: options.gradientCheckpointing ?? false,
  })
  try {
    await runner.beginTraining(
      { optimizer: options.optimizer ?? adamw(), weightDecay: () => 0, seed: options.seed ?? 7 },
      labels,
    )
    return await use(
      microBatches =>
        accumulate(
          runner,
          microBatches.map(batch => runner.prepare(batch, row => `row ${row}`)),
        ),
      runner,
    )
  } finally {
    await runner.dispose()
  }
}

export function compute(
  model: PreTrainedModel,
  microBatches: readonly Batch[],
  options: ComputeOptions = {},
): Promise<Computed> {
  return withRunner(model, options, microBatches[0]!.labels!, run => run(microBatches))
}

/**
 * Tables of embeddings aside, whose gradients are added up until the update, the first micro-batch writes over what was
 * there.
 */
async function accumulate(runner: Runner, batches: readonly PreparedBatch[]): Promise<Computed> {
  const whole = batches.reduce((sum, batch) => sum + batch.count, 0)
  let [loss, count] = [0, 0]
  for (const [index, batch] of batches.entries()) {
    const part = await runner.train(batch, { step: 0, index, count: whole })
    loss += part.loss
    count += part.count
  }
  const gradients = new Map(
    [...(await runner.state.gradients())].map(([name, { data }]) => [name, Float64Array.from(data as Float32Array)]),
  )
  return { loss, count, gradients }
}

export function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0))
}

/**
 * The gradients of two computations whose difference is above 1e-4 of their own norm and 2e-6 of the model's largest.
 */
export function differing(a: Computed, b: Computed): string[] {
  const largest = Math.max(...[...b.gradients.values()].map(g => norm(g) / b.count))
  return [...b.gradients].flatMap(([name, expected]) => {
    const given = a.gradients.get(name)!
    const difference = norm(expected.map((v, i) => v / b.count - given[i]! / a.count))
    const own = norm(expected) / b.count
    return difference <= Math.max(1e-4 * own, 2e-6 * largest) ? [] : [`${name}: ${difference} of ${own}`]
  })
}
