import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkpointFiles, trainElsewhere, trainHere, type TrainingTask, twentySteps } from './helpers/trainingProcess'
import { temporaryFolder } from './helpers/temporaryFolder'

const args: TrainingTask['args'] = { ...twentySteps, maxSteps: 10, saveSteps: 10, loggingSteps: 1 }

it('the same seed gives the same bits in every process: losses, gradient norms, weights and optimizer state', async () => {
  const first = temporaryFolder()
  const second = temporaryFolder()
  const here = temporaryFolder()
  const elsewhere = [trainElsewhere({ outputDir: first, args }), trainElsewhere({ outputDir: second, args })] as const
  const reports = await Promise.all([...elsewhere, trainHere({ outputDir: here, args })])
  expect(reports[1]).toEqual(reports[0])
  expect(reports[2]).toEqual(reports[0])
  expect(checkpointFiles(join(second, 'checkpoint-10'))).toEqual(checkpointFiles(join(first, 'checkpoint-10')))
  expect(reports[0].logHistory.filter(entry => 'loss' in entry && 'grad_norm' in entry)).toHaveLength(10)
})

it('two threads give the same bits each time', async () => {
  const first = temporaryFolder()
  const second = temporaryFolder()
  const two = { ...args, threads: 2 }
  expect(await trainHere({ outputDir: second, args: two })).toEqual(
    await trainElsewhere({ outputDir: first, args: two }),
  )
  expect(checkpointFiles(join(second, 'checkpoint-10'))).toEqual(checkpointFiles(join(first, 'checkpoint-10')))
})

it('another seed draws other rows and masks', async () => {
  const run = (seed: number, dataSeed?: number): ReturnType<typeof trainHere> =>
    trainHere({
      outputDir: temporaryFolder(),
      args: { ...args, maxSteps: 1, saveStrategy: 'no', seed, ...(dataSeed !== undefined && { dataSeed }) },
    })
  const a = await run(7)
  const masks = await run(8, 7)
  const rows = await run(7, 8)
  expect(new Set([a.trainingLoss, masks.trainingLoss, rows.trainingLoss]).size).toBe(3)
})
