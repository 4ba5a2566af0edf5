// an update is the same, however its rows are divided into micro-batches and processes
import { beforeAll, describe, expect, it } from 'vitest'
import type { ModelConfig, TrainingArgumentsOptions } from '../../src/index'
import { expectClose } from '../helpers/expectClose'
import { type GroupReport, type GroupTask, trainAlone, trainByTwo } from '../helpers/twoProcesses'
import { temporaryFolder } from '../helpers/temporaryFolder'

/** Twelve rows an update, of 2 to 24 tokens; a table of 300 words, whose gradient comes as rows; dropout of 0.1. */
const config: Partial<ModelConfig> = {
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  classifier_dropout: 0.1,
}
const args: TrainingArgumentsOptions = {
  maxSteps: 12,
  learningRate: 1e-3,
  weightDecay: 0.01,
  trainSamplingStrategy: 'sequential',
  loggingSteps: 1,
  saveStrategy: 'no',
  seed: 3,
}

function task(batchSize: number, more: TrainingArgumentsOptions = {}): GroupTask {
  return { outputDir: temporaryFolder(), config, args: { ...args, perDeviceTrainBatchSize: batchSize, ...more } }
}

function expectSameRun(given: GroupReport, expected: GroupReport): void {
  expect(given.losses).toHaveLength(12)
  given.losses.forEach((loss, i) => expect(Math.abs(loss / expected.losses[i]! - 1), `loss ${i}`).toBeLessThan(1e-6))
  given.norms.forEach((norm, i) => expect(Math.abs(norm / expected.norms[i]! - 1), `norm ${i}`).toBeLessThan(1e-6))
  for (const [name, weights] of Object.entries(expected.weights)) {
    if (name.includes('key.bias')) continue // its gradient is rounding noise: softmax ignores a shift
    expectClose(given.weights[name]!, weights, 1e-4, name)
  }
}

describe('an update of twelve rows with dropout', () => {
  let whole: GroupReport
  beforeAll(async () => void (whole = await trainAlone(task(12))))

  it('is the same in two processes of six rows each', async () => {
    const [first, second] = await trainByTwo([task(6), task(6)])
    expectSameRun(first!, whole)
    // both processes have the same weights, to the bit
    for (const [name, weights] of Object.entries(first!.weights)) expect(second!.weights[name], name).toEqual(weights)
    expect(second!.losses).toEqual(first!.losses)
    expect(second!.norms).toEqual(first!.norms)
  })

  it('is the same in two micro-batches of six rows each', async () => {
    expectSameRun(await trainAlone(task(6, { gradientAccumulationSteps: 2 })), whole)
  })

  it('is the same in two processes of three micro-batches of two rows each', async () => {
    const three = { gradientAccumulationSteps: 3 }
    const [first] = await trainByTwo([task(2, three), task(2, three)])
    expectSameRun(first!, whole)
  })

  it('is the same where one process has fewer micro-batches than the other at the end of an epoch', async () => {
    // 41 rows: an update of 24, and one of 17, of which the processes have 6 + 5 and 6
    const rows = 41
    const [first] = await trainByTwo([
      { ...task(6, { gradientAccumulationSteps: 2 }), rows },
      { ...task(6, { gradientAccumulationSteps: 2 }), rows },
    ])
    expectSameRun(first!, await trainAlone({ ...task(24), rows }))
  })

  it('is another with another seed: dropout is drawn', async () => {
    const other = await trainAlone(task(12, { seed: 4, maxSteps: 1 }))
    expect(Math.abs(other.losses[0]! / whole.losses[0]! - 1)).toBeGreaterThan(1e-3)
  })
})
