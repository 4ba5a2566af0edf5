// which rows and columns a model is trained on, and in which order
import { expect } from 'vitest'
import { Dataset } from '../../../src/index'
import { collate, createTrainer, dataset, rows, run } from '../support'
import { type Effects, onlyStep } from './effects'

export const loading: Effects = {
  dataloaderDropLast: async () => {
    const { batches } = await run({ perDeviceTrainBatchSize: 5, dataloaderDropLast: true, numTrainEpochs: 1 })
    expect(batches.map(batch => batch.length)).toEqual([5, 5])
    expect(
      (await createTrainer({ dataloaderDropLast: true, perDeviceEvalBatchSize: 4 }).predict(dataset(7))).predictions
        .dims,
    ).toEqual([4, 2])
  },
  removeUnusedColumns: async () => {
    const columns = async (removeUnusedColumns: boolean) => {
      let seen: string[] = []
      const trainDataset = Dataset.fromRows(rows(4).map(row => ({ ...row, note: 7 })))
      await run(
        { ...onlyStep, removeUnusedColumns },
        { trainDataset, dataCollator: given => ((seen = Object.keys(given[0]!)), collate(given)) },
      )
      return seen
    }
    expect(await columns(true)).not.toContain('note')
    expect(await columns(false)).toContain('note')
  },
  labelNames: async () => {
    const trainDataset = Dataset.fromRows(rows(4).map(({ label, ...row }) => ({ ...row, target: label })))
    expect((await run({ ...onlyStep, labelNames: ['target'] }, { trainDataset })).losses[0]).toBeGreaterThan(0)
    await expect(run(onlyStep, { trainDataset })).rejects.toThrow(/no labels.*labelNames/s)
  },
  trainSamplingStrategy: async () => {
    expect((await run({ trainSamplingStrategy: 'sequential', numTrainEpochs: 1 })).batches.flat()).toEqual(
      Array.from({ length: 12 }, (_, i) => i),
    )
    const grouped = (await run({ trainSamplingStrategy: 'group_by_length', numTrainEpochs: 1 })).batches
    expect(rows(12)[grouped[0]![0]!]!.input_ids).toHaveLength(7) // the longest row first
    expect(grouped).not.toEqual((await run({ numTrainEpochs: 1 })).batches)
  },
  lengthColumnName: async () => {
    const trainDataset = Dataset.fromRows(rows(12).map((row, i) => ({ ...row, weight: i === 5 ? 99 : 1 })))
    const { batches } = await run(
      { trainSamplingStrategy: 'group_by_length', lengthColumnName: 'weight', numTrainEpochs: 1 },
      { trainDataset },
    )
    expect(batches[0]![0]).toBe(5)
  },
}
