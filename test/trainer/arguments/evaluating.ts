// when and how is evaluated
import { expect } from 'vitest'
import type { Tensor } from '../../../src/index'
import { createTrainer, rows, run } from '../support'
import { accuracy, type Effects, stepsOf } from './effects'

export const evaluating: Effects = {
  evalStrategy: async () => {
    expect(stepsOf((await run({ evalStrategy: 'epoch' })).evaluations)).toEqual([3, 6])
    expect(stepsOf((await run({ evalStrategy: 'steps', loggingSteps: 4 })).evaluations)).toEqual([4, 6])
    expect((await run()).evaluations).toEqual([])
  },
  evalSteps: async () => {
    expect(stepsOf((await run({ evalStrategy: 'steps', evalSteps: 2 })).evaluations)).toEqual([2, 4, 6])
    expect(stepsOf((await run({ evalStrategy: 'steps', evalSteps: 0.5 })).evaluations)).toEqual([3, 6])
  },
  evalDelay: async () => {
    expect(stepsOf((await run({ evalStrategy: 'steps', evalSteps: 1, evalDelay: 4 })).evaluations)).toEqual([4, 5, 6])
    expect(stepsOf((await run({ evalStrategy: 'epoch', evalDelay: 1.5 })).evaluations)).toEqual([6])
  },
  perDeviceEvalBatchSize: async () => {
    const predicted = async (perDeviceEvalBatchSize: number): Promise<number> => {
      let count = 0
      await createTrainer(
        { perDeviceEvalBatchSize },
        { callbacks: [{ onPredictionStep: () => void count++ }] },
      ).evaluate()
      return count
    }
    expect([await predicted(2), await predicted(7)]).toEqual([4, 1])
  },
  predictionLossOnly: async () => {
    const keys = async (predictionLossOnly: boolean) =>
      Object.keys(await createTrainer({ predictionLossOnly }, { computeMetrics: accuracy }).evaluate())
    expect(await keys(false)).toContain('eval_accuracy')
    expect(await keys(true)).not.toContain('eval_accuracy')
  },
  evalOnStart: async () => expect(stepsOf((await run({ evalOnStart: true })).evaluations)).toEqual([0]),
  evalAccumulationSteps: async () => {
    const order = async (evalAccumulationSteps: number): Promise<string> => {
      let seen = ''
      await createTrainer(
        { perDeviceEvalBatchSize: 2, evalAccumulationSteps },
        {
          computeMetrics: accuracy,
          callbacks: [{ onPredictionStep: () => void (seen += 's') }],
          preprocessLogitsForMetrics: logits => ((seen += 'p'), logits),
        },
      ).evaluate()
      return seen
    }
    expect(await order(1)).toBe('pspspsps')
    expect(await order(3)).toBe('sspppsps') // fetched together: after three batches, and at the end
  },
  includeForMetrics: async () => {
    const given = async (
      includeForMetrics: ('inputs' | 'loss')[],
    ): Promise<{ inputs?: Tensor; losses?: Float64Array }> => {
      let seen: { inputs?: Tensor; losses?: Float64Array } = {}
      await createTrainer(
        { includeForMetrics, perDeviceEvalBatchSize: 3 },
        { computeMetrics: prediction => ((seen = prediction), {}) },
      ).evaluate()
      return seen
    }
    const both = await given(['inputs', 'loss'])
    expect(both.inputs!.dims).toEqual([7, 7])
    // batches in the dataset's order, as in Hugging Face: zeros up to a batch's longest row, -100 up to the longest of
    // all
    const ids = rows(7).map(({ input_ids }) => input_ids)
    const widths = [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)].map(batch =>
      Math.max(...batch.map(row => row.length)),
    )
    const expected = ids.map((row, i) =>
      Array.from({ length: 7 }, (_, at) => row[at] ?? (at < widths[Math.floor(i / 3)]! ? 0 : -100)),
    )
    expect(both.inputs!.tolist()).toEqual(expected)
    expect(expected.flat()).toContain(-100)
    expect(both.losses).toHaveLength(7)
    const none = await given([])
    expect([none.inputs, none.losses]).toEqual([undefined, undefined])
  },
  batchEvalMetrics: async () => {
    const sizes: [number, boolean][] = []
    await createTrainer(
      { batchEvalMetrics: true, perDeviceEvalBatchSize: 3 },
      { computeMetrics: ({ labels }, last) => (sizes.push([labels.size, last]), { seen: sizes.length }) },
    ).evaluate()
    expect(sizes).toEqual([
      [3, false],
      [3, false],
      [1, true],
    ])
  },
}
