import { expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { broken, onlyStep, spoilAfter } from './arguments/effects'
import { checkpointsIn, tinyModel, run, weights } from './support'

it('a loss that is not finite stops the run by default, and the message names the step and the fix', async () => {
  await expect(run(onlyStep, { model: broken() })).rejects.toThrow(
    /loss is NaN at step 1 .*learning rate.*Look for numbers that are not finite in the inputs.*onNonFinite/s,
  )
})

it('updates are skipped and counted where onNonFinite says so', async () => {
  const spoiled = broken()
  const before = weights(spoiled)['bert.pooler.dense.weight']
  const { trainer, history } = await run({ maxSteps: 2, onNonFinite: 'skip' }, { model: spoiled })
  expect(history[1]).toMatchObject({ skipped_updates: 2, step: 2 })
  expect(weights(trainer.model)['bert.pooler.dense.weight']).toEqual(before)
})

it('nothing of a skipped update is left in later gradients', async () => {
  const spoilt = tinyModel()
  const whole = spoilt.parameter('classifier.bias').data.slice()
  const spoil = {
    onStepBegin: (
      _args: unknown,
      { globalStep }: { readonly globalStep: number },
      _control: unknown,
      context: { readonly model?: unknown },
    ) => {
      ;(context.model as typeof spoilt).parameter('classifier.bias').data.set(globalStep === 1 ? [NaN, 0] : whole)
    },
  }
  // 130 words: a table whose gradient comes as rows
  const { trainer } = await run(
    { maxSteps: 4, onNonFinite: 'skip', learningRate: 0 },
    { model: tinyModel({ vocab_size: 130 }), callbacks: [spoil] },
  )
  const updates = trainer.state.logHistory.filter(entry => entry.loss !== undefined)
  expect(updates.map(({ skipped_updates: skipped = 0 }) => skipped)).toEqual([0, 1, 1, 1])
  expect(updates.slice(2).every(({ grad_norm: norm }) => Number.isFinite(norm))).toBe(true)
})

it('a NaN loss stops the run, and the run resumes from its last checkpoint', async () => {
  const outputDir = temporaryFolder()
  const failed = run({ outputDir, saveStrategy: 'steps', saveSteps: 2 }, { callbacks: [spoilAfter(4)] })
  await expect(failed).rejects.toThrow(/loss is NaN at step 5 .*last finite loss 0\.\d+.*onNonFinite/s)
  expect(checkpointsIn(outputDir)).toEqual(['checkpoint-2', 'checkpoint-4'])
  const resumed = await run({ outputDir }, { resumeFromCheckpoint: true })
  expect(resumed.losses).toEqual((await run()).losses)
})
