import { expect } from 'vitest'
import { type EvalPrediction, type Tensor, type TrainingArgumentsOptions } from '../../../src/index'
import { createTrainer, dataset, rows, run } from '../support'
import { type Effects, steps } from './effects'
import { crossEntropies, mean } from './reference'

const labels = rows(7).map(({ label }) => label)
const timings = ['eval_runtime', 'eval_samples_per_second', 'eval_steps_per_second']

function accuracy({ predictions, labels: given }: { predictions: Tensor; labels: Tensor }): { accuracy: number } {
  const chosen = predictions.argmax(-1)
  const right = given.data.filter((label: unknown, i: number) => Number(label) === Number(chosen.data[i]))
  return { accuracy: right.length / given.size }
}

/** The loss of each row of the evaluation dataset before training. */
async function lossByRow(): Promise<number[]> {
  const { predictions } = await createTrainer().predict(dataset(7))
  return crossEntropies(predictions.tolist() as number[][], labels)
}

/** What computeMetrics receives of an evaluation in batches of 3. */
async function received(includeForMetrics: ('inputs' | 'loss')[]): Promise<EvalPrediction> {
  let seen: EvalPrediction | undefined
  await createTrainer(
    { includeForMetrics, perDeviceEvalBatchSize: 3 },
    { computeMetrics: prediction => ((seen = prediction), {}) },
  ).evaluate()
  return seen!
}

async function stepsOfEvaluations(args: TrainingArgumentsOptions): Promise<unknown[]> {
  return steps((await run(args)).evaluations)
}

export const evaluation: Effects = {
  evalStrategy: async () => {
    expect(await stepsOfEvaluations({ evalStrategy: 'epoch' })).toEqual([3, 6])
    expect(await stepsOfEvaluations({ evalStrategy: 'steps', loggingSteps: 4 })).toEqual([4, 6])
    expect(await stepsOfEvaluations({ evalStrategy: 'no' })).toEqual([])
    expect(await stepsOfEvaluations({})).toEqual([])
  },
  evalSteps: async () => {
    expect(await stepsOfEvaluations({ evalStrategy: 'steps', evalSteps: 2 })).toEqual([2, 4, 6])
    expect(await stepsOfEvaluations({ evalStrategy: 'steps', evalSteps: 0.5 })).toEqual([3, 6])
  },
  evalDelay: async () => {
    expect(await stepsOfEvaluations({ evalStrategy: 'steps', evalSteps: 1, evalDelay: 4 })).toEqual([4, 5, 6])
    expect(await stepsOfEvaluations({ evalStrategy: 'epoch', evalDelay: 1.5 })).toEqual([6])
  },
  perDeviceEvalBatchSize: async () => {
    const sizes = async (perDeviceEvalBatchSize: number): Promise<number[]> => {
      const seen: number[] = []
      await createTrainer(
        { perDeviceEvalBatchSize },
        { computeMetrics: () => ({}), preprocessLogitsForMetrics: logits => (seen.push(logits.dims[0]!), logits) },
      ).evaluate()
      return seen
    }
    expect(await sizes(2)).toEqual([2, 2, 2, 1])
    expect(await sizes(7)).toEqual([7])
  },
  predictionLossOnly: async () => {
    const keys = async (predictionLossOnly: boolean): Promise<string[]> =>
      Object.keys(await createTrainer({ predictionLossOnly }, { computeMetrics: accuracy }).evaluate())
    const both = ['eval_loss', ...timings, 'epoch']
    expect((await keys(true)).toSorted()).toEqual(both.toSorted())
    expect((await keys(false)).toSorted()).toEqual([...both, 'eval_accuracy'].toSorted())
  },
  evalOnStart: async () => {
    const { evaluations } = await run({ evalOnStart: true })
    expect(steps(evaluations)).toEqual([0])
    expect(evaluations[0]!.eval_loss).toBeCloseTo(mean(await lossByRow()), 5)
  },
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
    const both = await received(['inputs', 'loss'])
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
    const byRow = await lossByRow()
    both.losses!.forEach((loss, i) => {
      const batch = Math.floor(i / 3)
      expect(loss).toBeCloseTo(mean(byRow.slice(3 * batch, 3 * batch + 3)), 5) // a batch's mean for each of its rows
    })
    const none = await received([])
    expect([none.inputs, none.losses]).toEqual([undefined, undefined])
    const inputs = await received(['inputs'])
    expect([inputs.inputs!.tolist(), inputs.losses]).toEqual([expected, undefined])
  },
  batchEvalMetrics: async () => {
    const sizes: [number, boolean][] = []
    const metrics = await createTrainer(
      { batchEvalMetrics: true, perDeviceEvalBatchSize: 3 },
      { computeMetrics: ({ labels: given }, last) => (sizes.push([given.size, last]), { seen: sizes.length }) },
    ).evaluate()
    expect(sizes).toEqual([
      [3, false],
      [3, false],
      [1, true],
    ])
    expect(metrics.eval_seen).toBe(3) // what the last call returned
  },
}
