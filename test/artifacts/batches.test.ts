// how the columns of a batch become what the graphs of artifacts take, and what evaluate() and predict() return
import { describe, expect, it } from 'vitest'
import type {
  DataCollator,
  EvalPrediction,
  TrainerOptions,
  TrainingArgumentsOptions,
  TrainingArtifacts,
} from '../../src/index'
import { Tensor } from '../../src/index'
import { open, type Row, rows, stacked, trainerOf } from './officialRuns'

type Batch = Record<string, Tensor>

/** Makes a batch of the rows' columns, under other names where they are given. */
const collator =
  (names: Readonly<Record<string, string>>): DataCollator =>
  given =>
    Object.fromEntries(
      Object.entries(names).map(([name, column]) => [
        name,
        stacked((given as unknown as Readonly<Record<string, number[]>>[]).map(row => row[column]!)),
      ]),
    )

const renamed = rows.map(({ x, target: y }) => ({ x, y }))

async function lossOf(
  dataCollator: DataCollator | undefined,
  trainDataset: readonly object[] = rows,
  args: Partial<TrainingArgumentsOptions> = {},
): Promise<number> {
  const options = { dataCollator, trainDataset } as Partial<TrainerOptions<TrainingArtifacts>>
  const trainer = trainerOf(await open(), { maxSteps: 2, ...args }, options)
  return (await trainer.train()).trainingLoss
}

describe('labels that the graphs call "target"', () => {
  const usual = lossOf(collator({ x: 'x', target: 'target' }))

  it.each<[string, ...Parameters<typeof lossOf>]>([
    ['may be called "labels" by a collator', collator({ x: 'x', labels: 'target' })],
    ['are found by the default collator', undefined],
    ['are "labels" of a dataset to it', undefined, rows.map(({ x, target: labels }) => ({ x, labels }))],
    ['are what labelNames names, to the default collator', undefined, renamed, { labelNames: ['y'] }],
    ['are what labelNames names of a batch', collator({ x: 'x', y: 'y' }), renamed, { labelNames: ['y'] }],
    ['are made of any column', collator({ x: 'x', target: 'y' }), renamed, { removeUnusedColumns: false }],
  ])('%s', async (_, ...given) => {
    expect(await lossOf(...given)).toBe(await usual)
  })

  it('are missed by their name', async () => {
    const other = lossOf(collator({ x: 'x', y: 'y' }), renamed, { removeUnusedColumns: false })
    await expect(other).rejects.toThrow(
      'Row 0 of the training dataset has no labels: the columns of its batch are "x", "y". The model takes "target": ' +
        'return it from the data collator under that name or "labels"; labelNames names a column that is called otherwise.',
    )
    const removed = lossOf(collator({ x: 'x', target: 'y' }), renamed)
    await expect(removed).rejects.toThrow(/reads "y", which was removed.*Set removeUnusedColumns: false/)
    const named = lossOf(collator({ x: 'x', target: 'target' }), rows, { labelNames: ['targte'] })
    await expect(named).rejects.toThrow('Did you mean "target"?')
  })
})

it.each<[string, (batch: Batch) => Batch, string]>([
  ['no input', ({ target }) => ({ target: target! }), 'The graph takes "x", but the columns of the batch are "target"'],
  [
    'another width',
    ({ x }) => ({ x: x!, target: x! }),
    '"target" of the batch has the shape [6, 8], but the graph takes [batch = 6, 3]',
  ],
  [
    'fewer labels than rows',
    ({ x }) => ({ x: x!, target: stacked(rows.slice(0, 5).map(({ target }) => target)) }),
    '"target" of the batch has the shape [5, 3], but the graph takes [batch = 6, 3]',
  ],
  [
    'another rank',
    ({ x, target }) => ({ x: new Tensor('float32', x!.data as Float32Array, [48]), target: target! }),
    '"x" of the batch has the shape [48], but the graph takes [batch, 8]',
  ],
])('a batch with %s is refused by column', async (_, change, problem) => {
  const whole = collator({ x: 'x', target: 'target' })
  await expect(lossOf(async (...given) => change((await whole(...given)) as Batch))).rejects.toThrow(problem)
})

describe('evaluate() and predict()', () => {
  const seven: readonly Row[] = rows.slice(0, 7)
  /** The mean of distances, by hand. */
  const distance = (predictions: Tensor, of: readonly Row[]): number => {
    const targets = of.flatMap(({ target }) => target)
    return targets.reduce((sum, value, i) => sum + Math.abs(value - Number(predictions.data[i])), 0) / targets.length
  }

  it('have what the loss is computed from, of all rows, whatever the batches', async () => {
    const computeMetrics = ({ predictions, labels }: EvalPrediction): Record<string, number> => ({
      mae: distance(predictions as Tensor, rows.slice(0, labels!.dims[0])),
    })
    const trainer = trainerOf(
      await open({ checkpoint: 'checkpoint.after' }),
      { perDeviceEvalBatchSize: 4 },
      { computeMetrics },
    )
    const { predictions, labelIds, metrics } = await trainer.predict(seven)
    expect(predictions.dims).toEqual([7, 3])
    expect(labelIds).toEqual(stacked(seven.map(({ target }) => target)))
    expect(metrics.test_loss).toBeCloseTo(distance(predictions, seven), 5)
    expect(metrics.test_mae).toBeCloseTo(Number(metrics.test_loss), 5)
    const alone = await trainer.evaluate(seven)
    expect(alone.eval_loss).toBe(metrics.test_loss)
    expect(alone.eval_mae).toBe(metrics.test_mae)
  })

  it('predict rows without labels, which have no loss', async () => {
    const trainer = trainerOf(
      await open({ checkpoint: 'checkpoint.after' }),
      {},
      { dataCollator: collator({ x: 'x' }) },
    )
    const { predictions, labelIds, metrics } = await trainer.predict(seven.map(({ x }) => ({ x })))
    expect(predictions.dims).toEqual([7, 3])
    expect(labelIds).toBeUndefined()
    expect(metrics).not.toHaveProperty('test_loss')
  })
})
