import { join } from 'node:path'
import { expect, it } from 'vitest'
import { taskTrainer, type TrainingTask } from './helpers/trainingProcess'
import { temporaryFolder } from './helpers/temporaryFolder'

// a table of 16 MB, so that what walks over all weights on this thread would show
const task: Omit<TrainingTask, 'outputDir'> = {
  rows: 256,
  evaluates: true,
  config: { vocab_size: 30_522, hidden_size: 128, intermediate_size: 512 },
  args: {
    maxSteps: 72, // a fast machine still takes more than the hundred ticks that are looked at
    perDeviceTrainBatchSize: 16,
    gradientAccumulationSteps: 2,
    evalStrategy: 'steps',
    evalSteps: 6,
    saveSteps: 6,
    saveTotalLimit: 1,
    loadBestModelAtEnd: true,
    metricForBestModel: 'loss',
  },
}

// another program may take the processor away for a moment: three tries
it('leaves the event loop free while it trains, evaluates, saves, restores and exports', { retry: 2 }, async () => {
  const folder = temporaryFolder()
  const trainer = taskTrainer({ ...task, outputDir: folder })
  const late = await latenessOf(async () => {
    await trainer.train()
    await trainer.saveModel(join(folder, 'final'))
  })
  await trainer.dispose()
  expect(late.length).toBeGreaterThan(100)
  expect(late[Math.floor(late.length * 0.99)]).toBeLessThanOrEqual(50)
})

/** By how many milliseconds each tick of a 10 ms timer was late while `work` ran, in ascending order. */
async function latenessOf(work: () => Promise<unknown>): Promise<number[]> {
  const late: number[] = []
  let due = performance.now() + 10
  const timer = setInterval(() => {
    late.push(Math.max(0, performance.now() - due))
    due = performance.now() + 10
  }, 10)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return late.sort((a, b) => a - b)
}
