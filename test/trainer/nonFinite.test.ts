import { describe, expect, it } from 'vitest'
import { tinyModel, run, weights } from './support'
import { brokenModel, onlyStep } from './arguments/effects'

describe('onNonFinite', () => {
  it('stops the run by default, naming the step and the fix', async () => {
    await expect(run(onlyStep, { model: brokenModel() })).rejects.toThrow(
      /loss is NaN at step 1 .*learning rate.*onNonFinite/s,
    )
  })

  it('skips such updates and counts them', async () => {
    const spoiled = brokenModel()
    const before = weights(spoiled)['bert.pooler.dense.weight']
    const { trainer, history } = await run({ maxSteps: 2, onNonFinite: 'skip' }, { model: spoiled })
    expect(history[1]).toMatchObject({ skipped_updates: 2, step: 2 })
    expect(weights(trainer.model)['bert.pooler.dense.weight']).toEqual(before)
  })

  it('continues after one bad update: nothing of it is left in later gradients', async () => {
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
    expect(
      trainer.state.logHistory
        .filter(entry => entry.loss !== undefined)
        .map(({ skipped_updates: skipped = 0 }) => skipped),
    ).toEqual([0, 1, 1, 1])
    expect(
      trainer.state.logHistory
        .filter(entry => entry.loss !== undefined)
        .slice(2)
        .every(({ grad_norm: norm }) => Number.isFinite(norm)),
    ).toBe(true)
  })
})
