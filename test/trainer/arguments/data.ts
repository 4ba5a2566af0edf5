import { expect } from 'vitest'
import { Dataset, type TrainerOptions, type TrainingArgumentsOptions } from '../../../src/index'
import { collate, createTrainer, dataset, tinyModel, rows, run } from '../support'
import { type Effects, onlyStep } from './effects'
import { crossEntropies, lengthGroupedOrder, mean, mersenneTwister, randomPermutation } from './reference'

/** The order of an epoch that draws all rows at random: PyTorch's generator is seeded anew for each epoch. */
const randomOrder = (count: number, seed: number): number[] => randomPermutation(count, mersenneTwister(seed))

/** The rows that a run of two epochs collates. */
async function order(
  args: TrainingArgumentsOptions,
  trainDataset: TrainerOptions['trainDataset'] = dataset(12),
): Promise<number[]> {
  return (await run(args, { trainDataset })).batches.flat()
}

/** The losses of a run with dropout over the rows in order. */
async function lossesWithDropout(args: TrainingArgumentsOptions): Promise<readonly number[]> {
  const dropout = tinyModel({ hidden_dropout_prob: 0.3 })
  return (await run({ trainSamplingStrategy: 'sequential', ...args }, { model: dropout })).losses
}

const inOrder = Array.from({ length: 12 }, (_, row) => row)

export const seeds: Effects = {
  seed: async () => {
    // as PyTorch itself shuffles 10 and 16 rows
    expect(randomOrder(10, 0)).toEqual([4, 1, 7, 5, 3, 9, 0, 8, 6, 2])
    expect(randomOrder(16, 43)).toEqual([4, 0, 9, 5, 3, 2, 6, 7, 1, 12, 11, 10, 14, 8, 15, 13])
    for (const seed of [42, 1])
      expect(await order({ seed })).toEqual([...randomOrder(12, seed), ...randomOrder(12, seed + 1)])
    const losses = await lossesWithDropout({ seed: 1 })
    expect(losses.every(Number.isFinite)).toBe(true)
    expect(losses).toEqual(await lossesWithDropout({ seed: 1 }))
    expect(losses).not.toEqual(await lossesWithDropout({}))
  },
  dataSeed: async () => {
    expect(await order({ dataSeed: 1 })).toEqual([...randomOrder(12, 1), ...randomOrder(12, 2)])
    expect(await order({ dataSeed: 1, seed: 5 })).toEqual(await order({ dataSeed: 1 }))
    expect(await lossesWithDropout({ dataSeed: 1 })).toEqual(await lossesWithDropout({})) // dropout follows seed
  },
}

/** The columns that the collator sees. */
async function collated(removeUnusedColumns: boolean): Promise<string[]> {
  let seen: string[] = []
  const trainDataset = Dataset.fromRows(rows(4).map(row => ({ ...row, note: 7 })))
  await run(
    { ...onlyStep, removeUnusedColumns },
    { trainDataset, dataCollator: given => ((seen = Object.keys(given[0]!)), collate(given)) },
  )
  return seen.toSorted()
}

export const data: Effects = {
  dataloaderDropLast: async () => {
    const { batches } = await run({
      perDeviceTrainBatchSize: 5,
      dataloaderDropLast: true,
      numTrainEpochs: 1,
      trainSamplingStrategy: 'sequential',
    })
    expect(batches).toEqual([inOrder.slice(0, 5), inOrder.slice(5, 10)])
    const evaluated = createTrainer({ dataloaderDropLast: true, perDeviceEvalBatchSize: 4 })
    expect((await evaluated.predict(dataset(7))).predictions.dims).toEqual([4, 2])
    expect((await createTrainer({ perDeviceEvalBatchSize: 4 }).predict(dataset(7))).predictions.dims).toEqual([7, 2])
  },
  removeUnusedColumns: async () => {
    const used = ['attention_mask', 'input_ids', 'label']
    expect(await collated(true)).toEqual(used)
    expect(await collated(false)).toEqual([...used, 'note'])
  },
  labelNames: async () => {
    const trainDataset = Dataset.fromRows(rows(4).map(({ label, ...row }) => ({ ...row, target: label })))
    const { losses } = await run({ ...onlyStep, labelNames: ['target'] }, { trainDataset })
    const logits = (await createTrainer().predict(dataset(4))).predictions.tolist() as number[][]
    const labels = rows(4).map(({ label }) => label)
    expect(losses[0]).toBeCloseTo(mean(crossEntropies(logits, labels)), 5)
    await expect(run(onlyStep, { trainDataset })).rejects.toThrow(/no labels.*labelNames/s)
  },
  trainSamplingStrategy: async () => {
    expect(await order({ trainSamplingStrategy: 'sequential' })).toEqual([...inOrder, ...inOrder])
    expect(await order({ trainSamplingStrategy: 'random' })).toEqual([...randomOrder(12, 42), ...randomOrder(12, 43)])
    const lengths = rows(12).map(row => row.input_ids.length)
    const grouped = { trainSamplingStrategy: 'group_by_length', numTrainEpochs: 1 } as const
    const expected = lengthGroupedOrder(lengths, 4, 42)
    expect(await order(grouped)).toEqual(expected)
    expect(lengths[expected[0]!]).toBe(Math.max(...lengths))
    const pairs = { ...grouped, perDeviceTrainBatchSize: 1, gradientAccumulationSteps: 2, seed: 3 }
    expect(await order(pairs)).toEqual(lengthGroupedOrder(lengths, 2, 3)) // groups by the rows of an update
  },
  lengthColumnName: async () => {
    const weights = [1, 1, 1, 1, 3, 99, 1, 2, 1, 1, 1, 5]
    const trainDataset = Dataset.fromRows(rows(12).map((row, i) => ({ ...row, weight: weights[i]! })))
    const given = await order(
      { trainSamplingStrategy: 'group_by_length', lengthColumnName: 'weight', numTrainEpochs: 1 },
      trainDataset,
    )
    expect(given).toEqual(lengthGroupedOrder(weights, 4, 42))
    expect(given[0]).toBe(5) // the longest row
  },
}
