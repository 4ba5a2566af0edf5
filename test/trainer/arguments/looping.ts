// rows, updates and epochs, stopping and resuming
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createProfile, TrainerCallback } from '../../../src/index'
import { temporaryFolder } from '../../helpers/temporaryFolder'
import { createTrainer, tinyModel, run } from '../support'
import { type Effects, onlyStep } from './effects'

export const looping: Effects = {
  outputDir: async () => {
    const outputDir = join(temporaryFolder(), 'deep', 'er')
    const { trainer } = await run({ outputDir, saveStrategy: 'steps', saveSteps: 3, maxSteps: 3 })
    expect(existsSync(join(outputDir, 'checkpoint-3', 'model.safetensors'))).toBe(true)
    expect(createTrainer({ outputDir: '~/nowhere' }).args.outputDir).toBe(`${homedir()}/nowhere`)
    expect(trainer.args.outputDir).toBe(outputDir)
  },
  perDeviceTrainBatchSize: async () => {
    const { batches, output } = await run({ perDeviceTrainBatchSize: 6 })
    expect(batches.map(batch => batch.length)).toEqual([6, 6, 6, 6])
    expect(output.globalStep).toBe(4)
  },
  numTrainEpochs: async () => {
    const { output, trainer } = await run({ numTrainEpochs: 1.5 })
    expect(output.globalStep).toBe(5) // ⌈1.5 · 3⌉
    expect(trainer.state.epoch).toBeCloseTo(5 / 3)
  },
  maxSteps: async () => expect((await run({ maxSteps: 4 })).output.globalStep).toBe(4),
  gradientAccumulationSteps: async () => {
    const grouped = await run({ gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 4 })
    const whole = await run({ perDeviceTrainBatchSize: 8 })
    expect(grouped.output.globalStep).toBe(4) // 3 micro-batches an epoch: 2 and 1
    grouped.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i]!, 5))
  },
  gradientCheckpointing: async () => {
    const ran = async (gradientCheckpointing: boolean) => {
      const profile = createProfile({ operators: join(temporaryFolder(), 'operators') })
      const { trainer, losses } = await run(
        { ...onlyStep, gradientCheckpointing },
        { model: tinyModel({ num_hidden_layers: 2, hidden_dropout_prob: 0.3 }), profile },
      )
      await trainer.dispose()
      const events = JSON.parse(readFileSync(profile.programs[0]!.file, 'utf8')) as {
        name: string
        args?: { op_name?: string }
      }[]
      return {
        losses,
        products: events.filter(({ name, args }) => name.endsWith('_kernel_time') && args?.op_name === 'Gemm').length,
      }
    }
    const kept = await ran(false)
    const again = await ran(true)
    expect(again.losses).toEqual(kept.losses)
    expect(again.products).toBe(kept.products + 6) // the first of two layers
  },
  seed: async () => {
    // torch.randperm(12) by generators of the seeds 1 and 2, as accelerate's sampler seeds them for two epochs
    const order = [1, 4, 6, 8, 11, 0, 5, 3, 2, 9, 10, 7, 0, 9, 3, 2, 10, 5, 6, 7, 8, 1, 4, 11]
    expect((await run({ seed: 1 })).batches.flat()).toEqual(order)
    // dropout is drawn by the seed too
    const losses = async (seed: number): Promise<readonly number[]> =>
      (await run({ ...onlyStep, seed, dataSeed: 1 }, { model: tinyModel({ hidden_dropout_prob: 0.3 }) })).losses
    expect(await losses(1)).toEqual(await losses(1))
    expect(await losses(2)).not.toEqual(await losses(1))
  },
  dataSeed: async () => {
    const drawn = (await run({ seed: 3, dataSeed: 1 })).batches.flat()
    expect(drawn.slice(0, 12)).toEqual([1, 4, 6, 8, 11, 0, 5, 3, 2, 9, 10, 7])
    const losses = async (dataSeed: number): Promise<readonly number[]> => {
      const sequential = { ...onlyStep, dataSeed, trainSamplingStrategy: 'sequential' } as const
      return (await run(sequential, { model: tinyModel({ hidden_dropout_prob: 0.3 }) })).losses
    }
    expect(await losses(2)).toEqual(await losses(1)) // dropout is not drawn by it
  },
  ignoreDataSkip: async () => {
    const outputDir = temporaryFolder()
    const first = await run({ outputDir, saveStrategy: 'steps', saveSteps: 4, maxSteps: 4 })
    const resumed = async (ignoreDataSkip: boolean) =>
      (await run({ outputDir, ignoreDataSkip }, { resumeFromCheckpoint: join(outputDir, 'checkpoint-4') })).batches
    const whole = (await run()).batches
    expect(first.batches.slice(0, 4)).toEqual(whole.slice(0, 4))
    expect(await resumed(false)).toEqual(whole.slice(4))
    expect((await resumed(true)).slice(0, 2)).toEqual(whole.slice(3, 5))
  },
  restoreCallbackStatesFromCheckpoint: async () => {
    class Counting extends TrainerCallback {
      count = 0
      restored: unknown
      override onStepEnd(): void {
        this.count++
      }
      override state() {
        return { args: {}, attributes: { count: this.count } }
      }
      override restore({ attributes }: { attributes: Readonly<Record<string, unknown>> }): void {
        this.restored = attributes.count
      }
    }
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
    expect([await restored(true), await restored(false)]).toEqual([2, undefined])
  },
  enableJitCheckpoint: async () => {
    const stopped = async (enableJitCheckpoint: boolean) => {
      const before = process.listenerCount('SIGTERM')
      const onStepBegin = (_args: unknown, { globalStep }: { readonly globalStep: number }): void => {
        if (globalStep === 2 && process.listenerCount('SIGTERM') > before)
          process.listeners('SIGTERM').at(-1)!('SIGTERM')
      }
      const { output, checkpoints } = await run({ enableJitCheckpoint }, { callbacks: [{ onStepBegin }] })
      expect(process.listenerCount('SIGTERM')).toBe(before)
      return [output.globalStep, ...checkpoints]
    }
    expect(await stopped(true)).toEqual([3, 'checkpoint-3'])
    expect(await stopped(false)).toEqual([6])
  },
}
