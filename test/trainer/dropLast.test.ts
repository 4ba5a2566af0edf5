import { describe, expect, it } from 'vitest'
import { Dataset } from '../../src/index'
import { createTrainer, dataset, rows, run } from './support'

const fewer = { dataloaderDropLast: true, perDeviceTrainBatchSize: 8 } as const
const message =
  /training dataset has 5 rows, fewer than a batch \(perDeviceTrainBatchSize is 8\).*dataloaderDropLast.*at most 5/s

describe('dataloaderDropLast with fewer rows than a batch', () => {
  it.each([{}, { maxSteps: 3 }, { saveStrategy: 'epoch' }, { saveStrategy: 'steps', saveSteps: 1 }] as const)(
    'is refused before training: %o',
    async args => {
      await expect(run({ ...fewer, ...args }, { trainDataset: dataset(5) })).rejects.toThrow(message)
    },
  )

  it('trains as the message advises', async () => {
    const args = { ...fewer, numTrainEpochs: 1, saveStrategy: 'epoch' } as const
    const smaller = await run({ ...args, perDeviceTrainBatchSize: 5 }, { trainDataset: dataset(5) })
    const whole = await run({ ...args, dataloaderDropLast: false }, { trainDataset: dataset(5) })
    expect([smaller, whole].map(({ batches, checkpoints }) => [batches.flat().length, checkpoints])).toEqual([
      [5, ['checkpoint-1']],
      [5, ['checkpoint-1']],
    ])
  })

  it('is refused for an evaluation, before training if the run evaluates, by the name of one of several', async () => {
    const args = { dataloaderDropLast: true, perDeviceEvalBatchSize: 8 } as const
    const seven = /evaluation dataset has 7 rows, fewer than a batch \(perDeviceEvalBatchSize is 8\)/
    const updates: number[] = []
    const count = { callbacks: [{ onStepEnd: () => void updates.push(1) }] }
    await expect(run({ ...args, evalStrategy: 'epoch' }, count)).rejects.toThrow(seven)
    const named = { evalDataset: { all: dataset(9), few: dataset(7) } }
    await expect(run({ ...args, evalOnStart: true }, { ...count, ...named })).rejects.toThrow(
      /evaluation dataset "few" has 7 rows/,
    )
    expect(updates).toEqual([])
    await expect(createTrainer(args).evaluate()).rejects.toThrow(seven)
    await expect(createTrainer(args).predict(dataset(7))).rejects.toThrow(seven)
    expect((await run(args, count)).output.globalStep).toBe(updates.length)
  })
})

describe('a stream', () => {
  const stream = (count: number): AsyncIterable<object> => ({
    async *[Symbol.asyncIterator]() {
      for (const row of rows(count)) yield await Promise.resolve({ ...row })
    },
  })

  // rows per batch in transformers 5.24 for an IterableDataset with dataloader_drop_last
  it.each([
    [5, 2, [5, 5]],
    [12, 3, [8, 4, 8]],
  ])('of %i rows gives its short batch, as in Hugging Face', async (count, maxSteps, sizes) => {
    const { batches } = await run({ ...fewer, maxSteps }, { trainDataset: stream(count) })
    expect(batches.slice(0, maxSteps).map(({ length }) => length)).toEqual(sizes)
    const trainer = createTrainer({ ...fewer, perDeviceEvalBatchSize: 8 })
    expect((await trainer.predict(stream(count))).predictions.dims[0]).toBe(count)
  })

  it('without rows ends the run with a warning, and nothing to save', async () => {
    const args = { maxSteps: 3, saveStrategy: 'epoch' } as const
    const { output, checkpoints } = await run(args, { trainDataset: stream(0) })
    expect([output.globalStep, checkpoints]).toEqual([0, []])
    await expect(run(args, { trainDataset: Dataset.fromRows([]) })).rejects.toThrow('The training dataset is empty')
  })
})
