import { cpSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TrainingArgumentsOptions } from '../../src/index'
import { collate, createTrainer, dataset, run, logged, weights } from './support'
import { temporaryFolder } from '../helpers/temporaryFolder'

/** Two updates an epoch; learning rates that follow the evaluation at its end. */
const epochs: TrainingArgumentsOptions = {
  perDeviceTrainBatchSize: 6,
  numTrainEpochs: 4,
  evalStrategy: 'epoch',
  loggingStrategy: 'epoch',
  saveStrategy: 'steps',
  saveSteps: 1,
  lrSchedulerType: 'reduce_lr_on_plateau',
  lrSchedulerKwargs: { patience: 0, threshold: 10, factor: 0.1 },
}

describe('a run that was stopped between the last update of an epoch and the end of that epoch', () => {
  it.each([2, 6, 8])('does what is left of the epoch when it resumes: step %i', async step => {
    const whole = await run(epochs)
    const outputDir = temporaryFolder()
    const stop = {
      onSave: (_args: unknown, { globalStep }: { readonly globalStep: number }) => {
        if (globalStep === step) throw new Error('killed')
      },
    }
    await expect(run({ ...epochs, outputDir }, { callbacks: [stop] })).rejects.toThrow('killed')
    const resumed = await run({ ...epochs, outputDir }, { resumeFromCheckpoint: true })
    expect(weights(resumed.trainer.model)).toEqual(weights(whole.trainer.model))
    const lossesOf = (history: typeof whole.history): unknown[] =>
      history
        .filter(entry => entry.train_runtime === undefined)
        .map(entry => [entry.step, entry.loss, entry.eval_loss, entry.grad_norm, entry.learning_rate])
    expect(lossesOf(resumed.history)).toEqual(lossesOf(whole.history))
  })

  it('does not end the epoch twice, and has nothing to warn of', async () => {
    const messages = logged()
    const args = { ...epochs, saveStrategy: 'epoch' } as const
    const whole = await run(args)
    const outputDir = temporaryFolder()
    cpSync(join(whole.outputDir, 'checkpoint-4'), join(outputDir, 'checkpoint-4'), { recursive: true })
    const resumed = await run({ ...args, outputDir }, { resumeFromCheckpoint: true })
    expect(resumed.evaluations.map(({ step }) => step)).toEqual([2, 4, 6, 8])
    expect(weights(resumed.trainer.model)).toEqual(weights(whole.trainer.model))
    expect(messages).toEqual([])
  })
})

describe('what has changed since the checkpoint', () => {
  it('is reported, argument by argument', async () => {
    const { outputDir } = await run({ saveStrategy: 'steps', saveSteps: 2, maxSteps: 2 })
    const messages = logged()
    await run(
      { outputDir, maxSteps: 3, learningRate: 0.5, weightDecay: 0.25, lrSchedulerType: 'constant', dataSeed: 3 },
      { resumeFromCheckpoint: true },
    )
    const changes = messages.filter(message => message.startsWith('Resuming with'))
    for (const change of [
      'learning_rate 0.5, where the checkpoint had 0.01',
      'weight_decay 0.25',
      'lr_scheduler_type constant',
      'data_seed 3',
      'max_steps 3',
    ]) {
      expect(
        changes.filter(message => message.includes(change)),
        change,
      ).toHaveLength(1)
    }
    expect(changes.filter(message => /output_dir|disable_tqdm|adam_beta1/.test(message))).toEqual([])
  })

  it('is reported for a dataset of another length', async () => {
    const { outputDir } = await run({ saveStrategy: 'steps', saveSteps: 2, maxSteps: 2 })
    const messages = logged()
    await run({ outputDir, maxSteps: 3 }, { resumeFromCheckpoint: true, trainDataset: dataset(40) })
    expect(messages.filter(message => /batches in an epoch, where the checkpoint had/.test(message))).toHaveLength(1)
  })
})

describe('the best model', () => {
  const best = {
    evalStrategy: 'steps',
    evalSteps: 1,
    saveStrategy: 'steps',
    saveSteps: 1,
    maxSteps: 3,
    loadBestModelAtEnd: true,
    metricForBestModel: 'score',
    greaterIsBetter: true,
  } as const
  const falling = (): (() => Record<string, number>) => {
    const scores = [3, 2, 1, 0]
    return () => ({ score: scores.shift()! })
  }

  it('is not loaded when its checkpoint is gone, which is a warning and not an error', async () => {
    const outputDir = temporaryFolder()
    const messages = logged()
    const remove = { onSave: () => rmSync(join(outputDir, 'checkpoint-1'), { recursive: true, force: true }) }
    const { output, trainer } = await run({ ...best, outputDir }, { computeMetrics: falling(), callbacks: [remove] })
    expect([output.globalStep, trainer.state.bestGlobalStep]).toEqual([3, 1])
    expect(
      messages.filter(message => /checkpoint-1, is gone, so the model is as it was trained last/.test(message)),
    ).toHaveLength(1)
  })

  it('is found where the folder was moved to', async () => {
    const first = await run(best, { computeMetrics: falling() })
    const moved = join(temporaryFolder(), 'moved')
    renameSync(first.outputDir, moved)
    const resumed = await run({ ...best, outputDir: moved }, { resumeFromCheckpoint: true, computeMetrics: falling() })
    expect(weights(resumed.trainer.model)).toEqual(weights(first.trainer.model))
  })
})

describe('calls that exclude each other', () => {
  it('a second train() before the first has ended', async () => {
    const trainer = createTrainer({ maxSteps: 1 })
    const first = trainer.train()
    await expect(trainer.train()).rejects.toThrow(/another call of it is not done.*await/s)
    expect((await first).globalStep).toBe(1)
    expect((await trainer.train()).globalStep).toBe(1)
  })

  it('evaluate, predict and saveModel before train() has ended, unless a callback calls them', async () => {
    const heard: number[] = []
    const trainer = createTrainer(
      { maxSteps: 2 },
      { callbacks: [{ onStepEnd: async () => void heard.push((await trainer.evaluate()).eval_loss!) }] },
    )
    const training = trainer.train()
    for (const early of [trainer.evaluate(), trainer.predict(dataset(2)), trainer.saveModel()])
      await expect(early).rejects.toThrow(/while train\(\) is not done.*await/s)
    await training
    expect(heard).toHaveLength(2)
    expect((await trainer.evaluate()).eval_loss).toBe(heard[1])
  })

  it('a batch whose labels are not those that labelNames names', async () => {
    await expect(run({ labelNames: ['target'] })).rejects.toThrow(
      /labelNames is "target", but the columns of the training dataset are .*"label"/s,
    )
    expect((await run({ labelNames: ['labels'], maxSteps: 1 }, { dataCollator: collate })).output.globalStep).toBe(1)
  })
})
