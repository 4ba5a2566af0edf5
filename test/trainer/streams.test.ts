import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTrainer, rows, run } from './support'
import { loadDataset } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'

const plainRows = rows(12).map(row => ({ ...row }))
const inOrder = { trainSamplingStrategy: 'sequential' } as const

describe('training data without a length', () => {
  const sync = () => ({
    *[Symbol.iterator]() {
      yield* plainRows
    },
  })
  const async = () => ({
    async *[Symbol.asyncIterator]() {
      yield* plainRows
    },
  })

  it.each([
    ['sync', sync],
    ['async', async],
  ])('trains on a %s iterable as on its rows, repeatedly until maxSteps', async (_name, make) => {
    const args = { maxSteps: 7, gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 5 } as const // 3 micro-batches a pass, the last of 2 rows
    const streamed = await run(args, { trainDataset: make() })
    const listed = await run({ ...args, ...inOrder }, { trainDataset: plainRows })
    expect(streamed.output.globalStep).toBe(7)
    expect(streamed.losses).toEqual(listed.losses)
    expect(streamed.batches.slice(0, 6)).toEqual(listed.batches.slice(0, 6))
  })

  it('trains on a generator until it is exhausted', async () => {
    function* generate() {
      yield* plainRows
    }
    expect((await run({ maxSteps: 3 }, { trainDataset: generate() })).losses).toHaveLength(3)
    await expect(run({ maxSteps: 4 }, { trainDataset: generate() })).rejects.toThrow(/read only once.*maxSteps/s)
  })

  it('needs maxSteps', async () => {
    await expect(run({}, { trainDataset: sync() })).rejects.toThrow(/no length.*Set maxSteps/s)
  })

  it.each([2, 4, 5])('resumes after step %i with the next rows', async step => {
    const args = {
      maxSteps: 8,
      gradientAccumulationSteps: 2,
      perDeviceTrainBatchSize: 5,
      saveStrategy: 'steps',
      saveSteps: 1,
    } as const
    const outputDir = temporaryFolder()
    const whole = await run({ ...args, outputDir }, { trainDataset: async() })
    const resumed = await run(
      { ...args, outputDir },
      { trainDataset: async(), resumeFromCheckpoint: join(outputDir, `checkpoint-${step}`) },
    )
    expect(resumed.losses.slice(step)).toEqual(whole.losses.slice(step))
    expect(resumed.output.trainingLoss).toBe(whole.output.trainingLoss)
  })

  it('counts epochs as fractions of the run', async () => {
    const { trainer } = await run({ maxSteps: 2 }, { trainDataset: sync() })
    expect(trainer.state.epoch).toBe(1)
    const more = createTrainer({ maxSteps: 2 }, { trainDataset: sync() })
    expect(more.numExamples(more.getTrainDataloader())).toBe(0)
  })
})

describe('training data of loadDataset with streaming', () => {
  it('trains in the order of each epoch, and resumes', async () => {
    const path = join(temporaryFolder(), 'rows.jsonl')
    writeFileSync(path, plainRows.map(row => JSON.stringify(row)).join('\n'))
    const open = async () => {
      const stream = await loadDataset(path, { split: 'train', streaming: true })
      return stream.shuffle({ seed: 42, bufferSize: 6 })
    }
    const outputDir = temporaryFolder()
    const args = { maxSteps: 6, perDeviceTrainBatchSize: 4, saveStrategy: 'steps', saveSteps: 1, outputDir } as const
    const whole = await run(args, { trainDataset: await open() }) // 3 steps a pass
    const resumed = await run(args, {
      trainDataset: await open(),
      resumeFromCheckpoint: join(outputDir, 'checkpoint-4'),
    })
    expect(resumed.losses.slice(4)).toEqual(whole.losses.slice(4))
    expect(whole.losses.slice(3)).not.toEqual(whole.losses.slice(0, 3))
    await expect(run({}, { trainDataset: await open() })).rejects.toThrow(/no length.*Set maxSteps/s)
  })
})
