import { expect } from 'vitest'
import { scarceMemory } from '../../helpers/scarceMemory'
import { createTrainer, dataset, rows, run } from '../support'
import type { Effects } from './effects'
import { crossEntropies, mean } from './reference'

/** How many updates, and of how many rows. */
export const duration: Effects = {
  perDeviceTrainBatchSize: async () => {
    const { batches, output } = await run({ perDeviceTrainBatchSize: 6 })
    expect(batches.map(batch => batch.length)).toEqual([6, 6, 6, 6])
    expect(output.globalStep).toBe(4)
  },
  autoFindBatchSize: async () => {
    const tried = scarceMemory({ rows: 6 })
    const { output, trainer } = await run({ autoFindBatchSize: true, perDeviceTrainBatchSize: 8 })
    expect(tried).toEqual([8, 7, 6, 6, 6, 6])
    expect(output.globalStep).toBe(4)
    expect(trainer.state.trainBatchSize).toBe(6)
  },
  numTrainEpochs: async () => {
    const { output, trainer, batches } = await run({ numTrainEpochs: 1.5 })
    expect(output.globalStep).toBe(5) // ⌈1.5 · 3⌉
    expect(trainer.state.epoch).toBeCloseTo(5 / 3)
    expect(trainer.state.numTrainEpochs).toBe(2)
    expect(
      batches
        .slice(0, 3)
        .flat()
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 12 }, (_, i) => i))
  },
  maxSteps: async () => {
    const { output, trainer } = await run({ maxSteps: 4 })
    expect(output.globalStep).toBe(4)
    expect([trainer.state.maxSteps, trainer.state.numTrainEpochs]).toEqual([4, 2]) // 3 updates an epoch
    expect((await run({ maxSteps: 7, numTrainEpochs: 1 })).trainer.state.epoch).toBeCloseTo(7 / 3)
  },
  gradientAccumulationSteps: async () => {
    const grouped = await run({ gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 4 })
    const whole = await run({ perDeviceTrainBatchSize: 8 })
    expect(grouped.output.globalStep).toBe(4) // 3 micro-batches an epoch: 2 and 1
    expect(grouped.batches.map(batch => batch.length)).toEqual([4, 4, 4, 4, 4, 4])
    grouped.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i]!, 5))
    const still = await run({ gradientAccumulationSteps: 2, learningRate: 0, numTrainEpochs: 1 })
    const logits = (await createTrainer().predict(dataset(12))).predictions.tolist() as number[][]
    const byRow = crossEntropies(
      logits,
      rows(12).map(({ label }) => label),
    )
    const updates = [still.batches.slice(0, 2).flat(), still.batches.slice(2).flat()]
    updates.forEach((update, i) => expect(still.losses[i]).toBeCloseTo(mean(update.map(row => byRow[row]!)), 5))
  },
}
