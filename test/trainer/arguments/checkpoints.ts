import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { TrainerCallback, type TrainingArgumentsOptions } from '../../../src/index'
import type { CallbackState } from '../../../src/callbacks/CallbackState'
import { temporaryFolder } from '../../helpers/temporaryFolder'
import { createTrainer, run, weights } from '../support'
import { type Effects, onlyStep, rising } from './effects'

/** The names of the checkpoints that a run leaves. */
async function left(
  args: TrainingArgumentsOptions,
  options: Parameters<typeof run>[1] = {},
): Promise<readonly string[]> {
  return (await run(args, options)).checkpoints
}

/** A run that gets SIGTERM while its third update is made: its last step, and the checkpoints that it leaves. */
async function terminated(enableJitCheckpoint: boolean): Promise<unknown[]> {
  const before = process.listenerCount('SIGTERM')
  const onStepBegin = (_args: unknown, { globalStep }: { readonly globalStep: number }): void => {
    if (globalStep === 2 && process.listenerCount('SIGTERM') > before) process.listeners('SIGTERM').at(-1)!('SIGTERM')
  }
  const { output, checkpoints } = await run({ enableJitCheckpoint }, { callbacks: [{ onStepBegin }] })
  await vi.waitFor(() => expect(process.listenerCount('SIGTERM')).toBe(before), 3000) // a second after the signal
  return [output.globalStep, ...checkpoints]
}

/** A callback that counts updates, and keeps what it is restored from. */
class Counting extends TrainerCallback {
  count = 0
  restored: unknown

  override onStepEnd(): void {
    this.count++
  }

  override state(): CallbackState {
    return { args: {}, attributes: { count: this.count } }
  }

  override restore({ attributes }: { attributes: Readonly<Record<string, unknown>> }): void {
    this.restored = attributes.count
  }
}

export const checkpoints: Effects = {
  outputDir: async () => {
    const outputDir = join(temporaryFolder(), 'deep', 'er')
    const { trainer } = await run({ outputDir, saveStrategy: 'steps', saveSteps: 3, maxSteps: 3 })
    expect(readdirSync(outputDir)).toEqual(['checkpoint-3'])
    expect(existsSync(join(outputDir, 'checkpoint-3', 'model.safetensors'))).toBe(true)
    expect(createTrainer({ outputDir: '~/nowhere' }).args.outputDir).toBe(`${homedir()}/nowhere`)
    expect(trainer.args.outputDir).toBe(outputDir)
    await trainer.saveModel()
    expect(readdirSync(outputDir)).toEqual(expect.arrayContaining(['config.json', 'model.safetensors']))
  },
  saveOnlyModel: async () => {
    const files = async (saveOnlyModel: boolean): Promise<string[]> => {
      const { outputDir } = await run({ ...onlyStep, saveStrategy: 'steps', saveOnlyModel })
      return readdirSync(join(outputDir, 'checkpoint-1')).toSorted()
    }
    const model = ['config.json', 'model.safetensors', 'trainer_state.json', 'training_args.json']
    expect(await files(true)).toEqual(model)
    expect(await files(false)).toEqual([...model, 'optimizer.safetensors', 'rng.json', 'scheduler.json'].toSorted())
  },
  saveStrategy: async () => {
    expect(await left({ saveStrategy: 'epoch' })).toEqual(['checkpoint-3', 'checkpoint-6'])
    expect(await left({ saveStrategy: 'steps', saveSteps: 4 })).toEqual(['checkpoint-4', 'checkpoint-6'])
    expect(await left({ saveStrategy: 'no' })).toEqual([])
    const best = { saveStrategy: 'best', evalStrategy: 'steps', evalSteps: 2, metricForBestModel: 'score' } as const
    expect(await left(best, { computeMetrics: rising() })).toEqual(['checkpoint-2', 'checkpoint-4'])
  },
  saveSteps: async () => {
    expect(await left({ saveStrategy: 'steps', saveSteps: 2 })).toEqual([
      'checkpoint-2',
      'checkpoint-4',
      'checkpoint-6',
    ])
    expect(await left({ saveStrategy: 'steps', saveSteps: 0.5 })).toEqual(['checkpoint-3', 'checkpoint-6'])
    expect(await left({ saveStrategy: 'steps', saveSteps: 0 })).toEqual(['checkpoint-6'])
  },
  saveTotalLimit: async () => {
    const each = { saveStrategy: 'steps', saveSteps: 1 } as const
    expect(await left({ ...each, saveTotalLimit: 2 })).toEqual(['checkpoint-5', 'checkpoint-6'])
    expect(await left({ ...each, saveTotalLimit: 0 })).toHaveLength(6)
    const best = { evalStrategy: 'steps', evalSteps: 2, metricForBestModel: 'score' } as const
    expect(
      await left(
        { ...each, ...best, saveSteps: 2, saveTotalLimit: 2, greaterIsBetter: false },
        {
          computeMetrics: (
            (scores = [1, 2, 3]) =>
            () => ({ score: scores.shift()! })
          )(),
        },
      ),
    ).toEqual(['checkpoint-2', 'checkpoint-6']) // the best and the last
  },
  enableJitCheckpoint: async () => {
    expect(await terminated(true)).toEqual([3, 'checkpoint-3'])
    expect(await terminated(false)).toEqual([6])
  },
  ignoreDataSkip: async () => {
    const outputDir = temporaryFolder()
    const first = await run({ outputDir, saveStrategy: 'steps', saveSteps: 4, maxSteps: 4 })
    const resumed = async (ignoreDataSkip: boolean) =>
      (await run({ outputDir, ignoreDataSkip }, { resumeFromCheckpoint: join(outputDir, 'checkpoint-4') })).batches
    const whole = (await run()).batches
    expect(first.batches.slice(0, 4)).toEqual(whole.slice(0, 4))
    expect(await resumed(false)).toEqual(whole.slice(4))
    expect((await resumed(true)).slice(0, 2)).toEqual(whole.slice(3, 5)) // the second epoch from its beginning
  },
  restoreCallbackStatesFromCheckpoint: async () => {
    const outputDir = temporaryFolder()
    await run({ outputDir, maxSteps: 2, saveStrategy: 'steps' }, { callbacks: [new Counting()] })
    const restored = async (restoreCallbackStatesFromCheckpoint: boolean) => {
      const counting = new Counting()
      await run(
        { outputDir, maxSteps: 3, restoreCallbackStatesFromCheckpoint },
        { callbacks: [counting], resumeFromCheckpoint: join(outputDir, 'checkpoint-2') },
      )
      return counting.restored
    }
    expect(await restored(true)).toBe(2)
    expect(await restored(false)).toBeUndefined()
  },
}

/** An evaluation and a checkpoint after every second update, judged by the score. */
const judged = {
  evalStrategy: 'steps',
  evalSteps: 2,
  saveStrategy: 'steps',
  saveSteps: 2,
  metricForBestModel: 'score',
} as const satisfies TrainingArgumentsOptions

/** The best metric and its step, where `a` goes 1, 2, 3 and `b` is its negative. */
async function bestBy(metricForBestModel: string): Promise<unknown[]> {
  const values = [1, 2, 3]
  const computeMetrics = (): { a: number; b: number } => {
    const a = values.shift()!
    return { a, b: -a }
  }
  const { trainer } = await run({ ...judged, logLevel: 'error', metricForBestModel }, { computeMetrics })
  return [trainer.state.bestMetric, trainer.state.bestGlobalStep]
}

export const bestModel: Effects = {
  loadBestModelAtEnd: async () => {
    const ended = async (loadBestModelAtEnd: boolean) => {
      const atStep: Record<string, number[]>[] = []
      const { trainer } = await run(
        { ...judged, loadBestModelAtEnd },
        {
          computeMetrics: rising(),
          callbacks: [
            { onStepEnd: (_args, _state, _control, context) => void atStep.push(weights(context.model as never)) },
          ],
        },
      )
      return { step: trainer.state.bestGlobalStep, weights: weights(trainer.model), atStep }
    }
    const best = await ended(true)
    expect(best.step).toBe(4)
    expect(best.weights).toEqual(best.atStep[3])
    const last = await ended(false)
    expect(last.weights).toEqual(last.atStep[5])
    expect(last.weights).not.toEqual(best.weights)
  },
  metricForBestModel: async () => {
    expect(await bestBy('a')).toEqual([3, 6])
    expect(await bestBy('eval_b')).toEqual([-1, 2])
  },
  greaterIsBetter: async () => {
    const best = async (greaterIsBetter?: boolean) =>
      (
        await run(
          { ...judged, ...(greaterIsBetter === undefined ? {} : { greaterIsBetter }) },
          { computeMetrics: rising() },
        )
      ).trainer.state.bestGlobalStep
    expect(await best(true)).toBe(4)
    expect(await best(false)).toBe(6)
    expect(await best()).toBe(4) // "score" does not end in "loss"
  },
}
