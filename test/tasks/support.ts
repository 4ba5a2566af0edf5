// what Python computed for rows and models like those that people bring: test/fixtures/tasks
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import { type Collator, Dataset, type PredictionOutput, type PreTrainedModel, type Tensor } from '../../src/index'
import { filler } from '../../src/heads/tokenLabels'
import { rowsIn, stack } from '../heads/taskBatches'
import { expectClose } from '../helpers/expectClose'
import { batchOf } from '../helpers/oracle'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

export const pathOf = (...path: string[]): string => join(import.meta.dirname, '../fixtures/tasks', ...path)

/** A JSON file of the fixtures; JSON has no NaN, so 'nan' stands for it. */
export function read<T>(...path: string[]): T {
  return JSON.parse(readFileSync(pathOf(...path), 'utf8'), (_, value: unknown) => (value === 'nan' ? NaN : value)) as T
}

/** What a model makes of rows, all in one batch. */
export async function predict(
  model: PreTrainedModel,
  rows: readonly object[],
  dataCollator: Collator,
): Promise<PredictionOutput> {
  const args = { outputDir: temporaryFolder(), perDeviceEvalBatchSize: rows.length, threads: 1 }
  const trainer = quietTrainer({ model, args, dataCollator })
  const output = await trainer.predict(Dataset.fromRows([...rows]))
  await trainer.dispose()
  return output
}

/** The same of a batch as Python wrote it. */
export const predictBatch = (model: PreTrainedModel, inputs: Record<string, Plain>): Promise<PredictionOutput> =>
  predict(model, [...rowsIn(batchOf(inputs))], stack)

/** Compares with Python's values, but where a row is padding; `'logits[:, 1:3]'` are those of two columns. */
export function expectLogits(name: string, found: Tensor, { data }: Plain): void {
  const [first = 0, last = Infinity] = (/\[:, (\d+):(\d+)\]/.exec(name) ?? []).slice(1).map(Number)
  const width = found.dims.at(-1)!
  const own = Array.from(found.data as Float32Array).filter((_, at) => {
    const column = found.dims.length === 3 ? Math.floor(at / width) % found.dims[1]! : 0
    return column >= first && column < last
  })
  const expected = data.map((value, at) => (own[at] === filler ? filler : value))
  const real = (values: readonly number[]): Float32Array => Float32Array.from(values.filter(value => value !== filler))
  expect(own).toHaveLength(data.length)
  expectClose(real(own), real(expected), 2e-5, name)
}
