// checkpoints, and the best model
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { run, weights } from '../support'
import { type Effects, onlyStep, threeScores } from './effects'

export const saving: Effects = {
  saveOnlyModel: async () => {
    const saved = async (saveOnlyModel: boolean) =>
      existsSync(
        join(
          (await run({ ...onlyStep, saveStrategy: 'steps', saveOnlyModel })).outputDir,
          'checkpoint-1',
          'optimizer.safetensors',
        ),
      )
    expect([await saved(false), await saved(true)]).toEqual([true, false])
  },
  saveStrategy: async () => {
    expect((await run({ saveStrategy: 'epoch' })).checkpoints).toEqual(['checkpoint-3', 'checkpoint-6'])
    expect((await run({ saveStrategy: 'steps', saveSteps: 4 })).checkpoints).toEqual(['checkpoint-4', 'checkpoint-6'])
    expect((await run({ saveStrategy: 'no' })).checkpoints).toEqual([])
    const best = await run(
      { saveStrategy: 'best', evalStrategy: 'steps', evalSteps: 2, metricForBestModel: 'score' },
      { computeMetrics: threeScores() },
    )
    expect(best.checkpoints).toEqual(['checkpoint-2', 'checkpoint-4'])
  },
  saveSteps: async () => {
    expect((await run({ saveStrategy: 'steps', saveSteps: 0.5 })).checkpoints).toEqual(['checkpoint-3', 'checkpoint-6'])
    expect((await run({ saveStrategy: 'steps', saveSteps: 0 })).checkpoints).toEqual(['checkpoint-6'])
  },
  saveTotalLimit: async () => {
    expect((await run({ saveStrategy: 'steps', saveSteps: 1, saveTotalLimit: 2 })).checkpoints).toEqual([
      'checkpoint-5',
      'checkpoint-6',
    ])
  },
  loadBestModelAtEnd: async () => {
    const kept = async (loadBestModelAtEnd: boolean) => {
      const { trainer } = await run(
        {
          loadBestModelAtEnd,
          evalStrategy: 'steps',
          evalSteps: 2,
          saveStrategy: 'steps',
          saveSteps: 2,
          metricForBestModel: 'score',
        },
        { computeMetrics: threeScores() },
      )
      return { best: trainer.state.bestGlobalStep, weights: weights(trainer.model) }
    }
    const atFour: number[][] = []
    const best = await kept(true)
    const last = await kept(false)
    await run(
      {},
      {
        callbacks: [
          {
            onStepEnd: (_args, { globalStep }, _control, context) =>
              void (globalStep === 4 && atFour.push(weights(context.model as never)['classifier.weight']!)),
          },
        ],
      },
    )
    expect(best.best).toBe(4)
    expect(best.weights['classifier.weight']).toEqual(atFour[0])
    expect(last.weights).not.toEqual(best.weights)
  },
  metricForBestModel: async () => {
    const best = async (metricForBestModel: string) => {
      const { trainer } = await run(
        {
          metricForBestModel,
          evalStrategy: 'steps',
          evalSteps: 2,
          saveStrategy: 'steps',
          saveSteps: 2,
          logLevel: 'error',
        },
        {
          computeMetrics: (
            (scores = [1, 2, 3]) =>
            () => {
              const a = scores.shift()!
              return { a, b: -a }
            }
          )(),
        },
      )
      return [trainer.state.bestMetric, trainer.state.bestGlobalStep]
    }
    expect(await best('a')).toEqual([3, 6])
    expect(await best('eval_b')).toEqual([-1, 2])
  },
  greaterIsBetter: async () => {
    const best = async (greaterIsBetter: boolean) =>
      (
        await run(
          {
            metricForBestModel: 'score',
            greaterIsBetter,
            evalStrategy: 'steps',
            evalSteps: 2,
            saveStrategy: 'steps',
            saveSteps: 2,
          },
          { computeMetrics: threeScores() },
        )
      ).trainer.state.bestGlobalStep
    expect([await best(true), await best(false)]).toEqual([4, 6])
  },
}
