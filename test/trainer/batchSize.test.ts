import { describe, expect, it } from 'vitest'
import { isOutOfMemory } from '../../src/engine/outOfMemory'
import { EarlyStoppingCallback, type TrainingArgumentsOptions } from '../../src/index'
import { findExecutableBatchSize } from '../../src/training/batchSize'
import { scarceMemory } from '../helpers/scarceMemory'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { dropoutConfig, randomDataset } from '../helpers/trainingProcess'
import { createTrainer, logged, type Ran, run, type RunOptions, tinyModel, weights } from './support'

const found: TrainingArgumentsOptions = { autoFindBatchSize: true, perDeviceTrainBatchSize: 8 }
const dropping = (): RunOptions => ({
  model: tinyModel(dropoutConfig, { numLabels: 3 }),
  trainDataset: randomDataset(45, 'class', 1),
  evalDataset: randomDataset(9, 'class', 2),
})

/** What a run came to, to the bit, without its clocks. */
function outcome({ trainer, output, history, batches }: Ran): unknown {
  const clocks = /runtime|per_second/
  const numbers = history.map(entry => Object.entries(entry).filter(([key]) => !clocks.test(key)))
  const { globalStep, maxSteps, loggingSteps, epoch, trainBatchSize, bestMetric } = trainer.state
  const state = { globalStep, maxSteps, loggingSteps, epoch, trainBatchSize, bestMetric }
  return { weights: weights(trainer.model), loss: output.trainingLoss, numbers, state, batches }
}

/** The same run by the size that was found, from the start; batches of failed attempts are left out. */
async function expectAsFromTheStart(
  size: number,
  args: TrainingArgumentsOptions,
  options: () => RunOptions,
): Promise<Ran> {
  const scarce = scarceMemory({ rows: size, after: 3 })
  const one = await run({ ...args, ...found }, options())
  expect(scarce.slice(0, 4)).toEqual([8, 8, 8, 8]) // so that weights and slots had moved
  const other = await run({ ...args, perDeviceTrainBatchSize: size }, options())
  const { batches } = outcome(other) as { batches: readonly unknown[] }
  expect(outcome({ ...one, batches: one.batches.slice(-batches.length) })).toEqual(outcome(other))
  return one
}

describe('autoFindBatchSize', () => {
  it('tries 0.9 of a size after the other, as accelerate does', async () => {
    const tried: number[] = []
    const attempt = async (size: number): Promise<string> => {
      tried.push(size)
      if (size > 5) throw new RangeError('Array buffer allocation failed')
      return `${size}`
    }
    let restarts = 0
    const startOver = async (): Promise<void> => void restarts++
    expect(await findExecutableBatchSize({ size: 64, attempt, startOver })).toBe('5')
    // from accelerate 1.15.0
    expect(tried).toEqual([64, 57, 51, 45, 40, 36, 32, 28, 25, 22, 19, 17, 15, 13, 11, 9, 8, 7, 6, 5])
    expect(restarts).toBe(tried.length - 1)
  })

  it('gives the run that the smaller size gives from the start, to the bit', async () => {
    const messages = logged()
    const args = { gradientAccumulationSteps: 2, weightDecay: 0.1, warmupSteps: 2, numTrainEpochs: 3 }
    const { trainer } = await expectAsFromTheStart(6, args, dropping)
    expect(trainer.state.trainBatchSize).toBe(6)
    expect(trainer.trainBatchSize).toBe(6)
    expect(trainer.args.perDeviceTrainBatchSize).toBe(8) // as in Python
    expect(messages.filter(text => text.includes('autoFindBatchSize'))).toEqual([
      'Memory ran out with perDeviceTrainBatchSize 8: autoFindBatchSize starts training over with 7.',
      'Memory ran out with perDeviceTrainBatchSize 7: autoFindBatchSize starts training over with 6.',
    ])
  })

  it('starts data, schedules, callbacks and the best model over too', async () => {
    const args: TrainingArgumentsOptions = {
      ...{ evalStrategy: 'steps', evalSteps: 1, saveStrategy: 'steps', saveSteps: 1, saveTotalLimit: 2 },
      ...{ loadBestModelAtEnd: true, lrSchedulerType: 'cosine', trainSamplingStrategy: 'group_by_length' },
    }
    const callbacks = (): RunOptions => ({
      ...dropping(),
      callbacks: [new EarlyStoppingCallback({ earlyStoppingPatience: 4 })],
    })
    await expectAsFromTheStart(5, args, callbacks)
  })

  it('goes on with the size that it has found, in the next run and when it resumes', async () => {
    const outputDir = temporaryFolder()
    const seen = scarceMemory({ rows: 5 })
    const trainer = createTrainer({ ...found, outputDir, saveStrategy: 'epoch' })
    await trainer.train()
    const first = seen.length
    await trainer.train()
    expect(seen.slice(first)).toEqual([5, 5, 2, 5, 5, 2])
    const again = await run({ ...found, outputDir, numTrainEpochs: 3 }, { resumeFromCheckpoint: true })
    expect(again.trainer.state.trainBatchSize).toBe(5)
    expect(seen.slice(first + 6)).toEqual([5, 5, 2])
  })

  it('resumes from the checkpoint again where memory runs out after it', async () => {
    const outputDir = temporaryFolder()
    await run({ ...found, outputDir, maxSteps: 2, saveStrategy: 'steps', saveSteps: 1 }, dropping())
    const args = { ...found, outputDir, maxSteps: 6 }
    scarceMemory({ rows: 6, after: 2 })
    const one = await run(args, { ...dropping(), resumeFromCheckpoint: `${outputDir}/checkpoint-2` })
    const plain = { ...args, autoFindBatchSize: false, perDeviceTrainBatchSize: 6 }
    const other = await run(plain, { ...dropping(), resumeFromCheckpoint: `${outputDir}/checkpoint-2` })
    expect(weights(one.trainer.model)).toEqual(weights(other.trainer.model))
  })

  it('ends where not even one row fits', async () => {
    const seen = scarceMemory({ rows: 0 })
    await expect(run({ ...found, perDeviceTrainBatchSize: 3 })).rejects.toThrow(
      /No batch size from 3 down to 1 fits into memory\. .*Try: gradientCheckpointing: true/s,
    )
    expect(seen).toEqual([3, 2, 1])
  })

  it('leaves an evaluation that runs out of memory alone', async () => {
    const seen = scarceMemory({ of: /^(loss|evaluation)\//, rows: 3 })
    await expect(run({ ...found, evalStrategy: 'epoch' })).rejects.toThrow(
      /in an evaluation with batches of 4 rows\. Try: perDeviceEvalBatchSize 2/,
    )
    expect(seen).toEqual([4])
  })

  it('is off by default: the error says what to try', async () => {
    scarceMemory({ rows: 5 })
    const error = await run({ perDeviceTrainBatchSize: 8, gradientAccumulationSteps: 3 }).catch(
      (thrown: unknown) => thrown,
    )
    expect(isOutOfMemory(error)).toBe(true)
    expect((error as Error).message).toMatch(
      /with batches of 8 rows\. By memoryReport\(\) training takes \d+ MiB.*\. Try: perDeviceTrainBatchSize 4 with gradientAccumulationSteps 6; gradientCheckpointing: true .*; autoFindBatchSize: true .*; shorter rows/,
    )
  })
})
