import { describe, expect, it } from 'vitest'
import { planRun } from '../../src/training/plan'

describe('planRun', () => {
  // A.8 of the specification: 10 examples in batches of 4
  it('counts updates as Hugging Face does', () => {
    expect(planRun(3, 2, 2.5, -1)).toEqual({
      batchesPerEpoch: 3,
      updatesPerEpoch: 2,
      totalUpdates: 5,
      epochs: 3,
      epochLength: 3,
    })
    expect(planRun(3, 2, 3, 5)).toMatchObject({ totalUpdates: 5, epochs: 3 })
  })

  // by the arithmetic of set_initial_training_values: max(⌈batches / accumulation⌉, 1), ⌈epochs · that⌉, ⌈steps / that⌉
  it.each([
    { batches: 115, accumulation: 1, epochs: 3, steps: -1, updates: 115, total: 345, walked: 3 },
    { batches: 115, accumulation: 4, epochs: 3, steps: 0, updates: 29, total: 87, walked: 3 },
    { batches: 2, accumulation: 8, epochs: 1, steps: -1, updates: 1, total: 1, walked: 1 },
    { batches: 10, accumulation: 1, epochs: 0.25, steps: -1, updates: 10, total: 3, walked: 1 },
    { batches: 10, accumulation: 3, epochs: 1, steps: 9, updates: 4, total: 9, walked: 3 },
    { batches: 0, accumulation: 1, epochs: 2, steps: -1, updates: 1, total: 2, walked: 2 },
  ])(
    '$batches batches, $accumulation an update, $epochs epochs, $steps steps',
    ({ batches, accumulation, epochs, steps, updates, total, walked }) => {
      expect(planRun(batches, accumulation, epochs, steps)).toMatchObject({
        updatesPerEpoch: updates,
        totalUpdates: total,
        epochs: walked,
        epochLength: batches,
      })
    },
  )

  it('takes the steps for data without a length, and asks for them', () => {
    expect(planRun(undefined, 2, 3, 7)).toEqual({
      batchesPerEpoch: undefined,
      updatesPerEpoch: 7,
      totalUpdates: 7,
      epochs: Infinity,
      epochLength: 14,
    })
    expect(() => planRun(undefined, 1, 3, -1)).toThrow(
      'The training dataset has no length, so how long to train cannot be derived from epochs. Set maxSteps.',
    )
  })
})
