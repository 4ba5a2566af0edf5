import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  AutoModelForSequenceClassification,
  Dataset,
  type LogEntry,
  setLogLevel,
  type TrainingArgumentsOptions,
} from '../src/index'
import { collate } from './helpers/collate'
import { quietTrainer } from './helpers/quietTrainer'
import { temporaryFolder } from './helpers/temporaryFolder'

const folder = join(import.meta.dirname, 'fixtures/reference/trainer-runs') // a model without dropout
interface Row {
  readonly input_ids: readonly number[]
  readonly attention_mask: readonly number[]
  readonly label: number
}
const { train: rows } = JSON.parse(readFileSync(join(folder, 'dataset.json'), 'utf8')) as {
  readonly train: readonly Row[]
}

let work: string
beforeAll(() => {
  setLogLevel('error') // new heads of another size are told
  work = temporaryFolder()
})
afterAll(() => setLogLevel('warning'))

type LabelOf = (row: Row) => number | readonly number[]

/** What three epochs of 19 rows log. */
async function logsOf(
  batch: number,
  accumulation: number,
  args: TrainingArgumentsOptions,
  head: { readonly numLabels: number; readonly labelOf: LabelOf },
): Promise<LogEntry[]> {
  const trainer = quietTrainer({
    model: await AutoModelForSequenceClassification.fromPretrained(folder, {
      numLabels: head.numLabels,
      ignoreMismatchedSizes: true,
    }),
    args: {
      outputDir: work,
      perDeviceTrainBatchSize: batch,
      gradientAccumulationSteps: accumulation,
      learningRate: 1e-3,
      loggingSteps: 1,
      saveStrategy: 'no',
      threads: 1,
      ...args,
    },
    trainDataset: Dataset.fromRows<object>(rows.map(row => ({ ...row, label: head.labelOf(row) }))),
    dataCollator: collate,
  })
  try {
    await trainer.train()
    return trainer.state.logHistory.filter(entry => 'loss' in entry)
  } finally {
    await trainer.dispose()
  }
}

const heads: readonly (readonly [
  string,
  { readonly numLabels: number; readonly labelOf: LabelOf },
  TrainingArgumentsOptions,
])[] = [
  ['classes', { numLabels: 3, labelOf: row => row.label }, {}],
  ['classes with label smoothing', { numLabels: 3, labelOf: row => row.label }, { labelSmoothingFactor: 0.2 }],
  [
    'classes, some of them ignored',
    { numLabels: 3, labelOf: row => (row.input_ids.length % 4 === 0 ? -100 : row.label) },
    {},
  ],
  ['a number', { numLabels: 1, labelOf: row => row.label + 0.5 }, {}],
  [
    'several labels at once',
    { numLabels: 3, labelOf: row => [0, 1, 2].map(label => (label === row.label ? 0.75 : 0.25)) },
    {},
  ],
]

// 19 rows: an epoch ends with one row after windows of 6, and with a window of 7 rows (one micro-batch less, and a
// short one) after one of 12
describe.each(heads)('%s: k micro-batches of b rows are one batch of k·b', (_name, head, args) => {
  const wholes = new Map<number, Promise<LogEntry[]>>()
  const wholeOf = (rowsPerUpdate: number): Promise<LogEntry[]> => {
    const logs = wholes.get(rowsPerUpdate) ?? logsOf(rowsPerUpdate, 1, args, head)
    wholes.set(rowsPerUpdate, logs)
    return logs
  }

  it.each([
    [2, 3],
    [4, 3],
    [1, 6],
  ])('%i rows × %i', async (batch, accumulation) => {
    const whole = await wholeOf(batch * accumulation)
    const parts = await logsOf(batch, accumulation, args, head)
    expect(parts).toHaveLength(whole.length)
    expect(whole).toHaveLength(3 * Math.ceil(19 / (batch * accumulation)))
    for (const [i, { loss, grad_norm: norm, learning_rate: rate }] of whole.entries()) {
      const { loss: lossOfParts, grad_norm: normOfParts, learning_rate: rateOfParts } = parts[i]!
      // the first update's are the same sums; later ones start from weights that rounding has moved apart
      expect(Math.abs(Number(lossOfParts) - Number(loss))).toBeLessThanOrEqual((i === 0 ? 1e-6 : 2e-5) * Number(loss))
      expect(Math.abs(Number(normOfParts) - Number(norm))).toBeLessThanOrEqual((i === 0 ? 1e-5 : 2e-4) * Number(norm))
      expect(rateOfParts).toBe(rate)
    }
  })
})
