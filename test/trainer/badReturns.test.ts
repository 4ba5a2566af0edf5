import { describe, expect, it } from 'vitest'
import { collate, createTrainer, run } from './support'

describe('what a collator or computeMetrics may return', () => {
  it('a collator that is not a function, and a batch without input_ids', async () => {
    expect(() => createTrainer({}, { dataCollator: 7 as never })).toThrow(/dataCollator.*function/)
    await expect(run({}, { dataCollator: given => ({ labels: collate(given).labels! }) })).rejects.toThrow(/input_ids/)
  })

  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /collator returned undefined.*named tensors/s],
    [
      'lists in place of tensors',
      { input_ids: [[1, 2]] },
      /"input_ids" of what the data collator returned is not a Tensor.*named tensors/s,
    ],
  ])('a collator that returns %s', async (_what, batch, message) => {
    await expect(run({}, { dataCollator: () => batch as never })).rejects.toThrow(message)
  })

  it('metrics that are not numbers', async () => {
    await expect(
      createTrainer({}, { computeMetrics: () => ({ accuracy: 'high' }) as never }).evaluate(),
    ).rejects.toThrow(/returned "high" as "accuracy".*numbers/s)
  })

  it('metrics that are not returned', async () => {
    await expect(createTrainer({}, { computeMetrics: () => undefined as never }).evaluate()).rejects.toThrow(
      /computeMetrics returned undefined.*Return \{ accuracy/s,
    )
  })

  it('the same Trainer can train again after an error', async () => {
    let spoiled = true
    const trainer = createTrainer(
      {},
      { dataCollator: given => (spoiled ? { labels: collate(given).labels! } : collate(given)) },
    )
    await expect(trainer.train()).rejects.toThrow(/input_ids/)
    spoiled = false
    expect((await trainer.train()).globalStep).toBe(6)
  })
})
