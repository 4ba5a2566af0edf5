// whole runs of artifacts in the Trainer: against the official runtime, and resumed against uninterrupted ones
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkpointDifference } from '../../scripts/verify/checkpointDifference'
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { EarlyStoppingCallback, type Trainer, type TrainingArtifacts } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { folder, logged, official, open, trainerOf } from './officialRuns'

/** Parameters, moments and step, as saveCheckpoint() writes them. */
async function saved(model: TrainingArtifacts): Promise<Checkpoint> {
  const file = join(temporaryFolder(), 'checkpoint')
  await model.saveCheckpoint(file)
  return readCheckpointFile(file)
}

async function expectOfficial(model: TrainingArtifacts, name: 'whole' | 'halves'): Promise<void> {
  const theirs = await readCheckpointFile(join(folder, `checkpoint.${name}`))
  expect(checkpointDifference(await saved(model), theirs)).toBeLessThan(1e-6)
}

const checkpoints = (path: string): string[] =>
  readdirSync(path)
    .filter(name => name.startsWith('checkpoint-'))
    .sort()

describe('going on from a checkpoint with moments, by a linear schedule with warm-up', () => {
  it('has the losses, rates, parameters and moments of the official runtime', async () => {
    const model = await open({ checkpoint: 'checkpoint.after' })
    const trainer = trainerOf(model)
    await trainer.train()
    expect(logged(trainer, 'learning_rate')).toEqual(official.rates)
    const losses = logged(trainer, 'loss')
    expect(losses).toHaveLength(official.whole.losses.length)
    for (const [i, loss] of official.whole.losses.entries()) expect(losses[i]).toBeCloseTo(loss, 5)
    expect((await trainer.evaluate()).eval_loss).toBeCloseTo(official.whole.evaluation, 5)
    await expectOfficial(model, 'whole')
  })

  it('adds gradients up over batches as the official runtime does, where that is asked for', async () => {
    const model = await open({ checkpoint: 'checkpoint.after', accumulation: 'sum' })
    const trainer = trainerOf(model, { perDeviceTrainBatchSize: 3, gradientAccumulationSteps: 2 })
    await trainer.train()
    const losses = logged(trainer, 'loss')
    for (const [i, loss] of losses.entries()) {
      const both = official.halves.losses.slice(2 * i, 2 * i + 2)
      expect(loss).toBeCloseTo((both[0]! + both[1]!) / 2, 5)
    }
    expect((await trainer.evaluate()).eval_loss).toBeCloseTo(official.halves.evaluation, 5)
    await expectOfficial(model, 'halves')
  })

  it('takes their mean unless asked, so that k batches are one that is k times as large', async () => {
    const model = await open({ checkpoint: 'checkpoint.after' })
    const trainer = trainerOf(model, { perDeviceTrainBatchSize: 2, gradientAccumulationSteps: 3 })
    await trainer.train()
    for (const [i, loss] of logged(trainer, 'loss').entries()) expect(loss).toBeCloseTo(official.whole.losses[i]!, 5)
    await expectOfficial(model, 'whole')
  })
})

/** What has to be the same after a run, wherever it lay. */
const outcome = async (trainer: Trainer<TrainingArtifacts>): Promise<unknown> => ({
  step: trainer.state.globalStep,
  losses: logged(trainer, 'loss'),
  norms: logged(trainer, 'grad_norm'),
  checkpoint: await saved(trainer.model),
})

describe('a run that is resumed', () => {
  it.each([
    ['from the first checkpoint', { checkpoint: undefined }, {}],
    ['of one that started from moments', { checkpoint: 'checkpoint.after' }, {}],
    [
      'with an update of two batches',
      { checkpoint: 'checkpoint.after' },
      { gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 3 },
    ],
    ['in random order, within the second epoch', {}, { trainSamplingStrategy: 'random', maxSteps: 10, saveSteps: 7 }],
  ] as const)('%s has the same losses, parameters, moments and step, bit for bit', async (_, options, more) => {
    const args = { saveStrategy: 'steps', saveSteps: 3, ...more } as const
    const [whole, part] = [temporaryFolder(), temporaryFolder()]
    const first = trainerOf(await open(options), { ...args, outputDir: whole })
    await first.train()
    const name = `checkpoint-${args.saveSteps}`
    cpSync(join(whole, name), join(part, name), { recursive: true })
    const second = trainerOf(await open(options), { ...args, outputDir: part })
    await second.train({ resumeFromCheckpoint: true })
    expect(await outcome(second)).toEqual(await outcome(first))
  })
})

describe('evaluations in a run', () => {
  // the rate is so high that it soon gets worse
  const worse = {
    learningRate: 0.5,
    lrSchedulerType: 'constant',
    warmupSteps: 0,
    evalStrategy: 'steps',
    evalSteps: 1,
    saveStrategy: 'steps',
    saveSteps: 1,
    metricForBestModel: 'loss',
    loadBestModelAtEnd: true,
  } as const

  it('load the best model at the end, and keep it beside the newest of save_total_limit', async () => {
    const outputDir = temporaryFolder()
    const model = await open()
    const trainer = trainerOf(model, { ...worse, saveTotalLimit: 2, outputDir })
    await trainer.train()
    const evaluations = logged(trainer, 'eval_loss')
    const best = Math.min(...evaluations)
    const step = evaluations.indexOf(best) + 1
    expect(step).toBeLessThan(6)
    expect(trainer.state).toMatchObject({ bestMetric: best, bestGlobalStep: step })
    expect(checkpoints(outputDir)).toEqual([...new Set([`checkpoint-${step}`, 'checkpoint-6'])].sort())
    expect((await trainer.evaluate()).eval_loss).toBe(best)
    const stopped = await open()
    await trainerOf(stopped, { ...worse, loadBestModelAtEnd: false, maxSteps: step }).train()
    expect([...model.parameters]).toEqual([...stopped.parameters])
  })

  it('stop it early', async () => {
    const trainer = trainerOf(
      await open(),
      { ...worse, maxSteps: 30 },
      { callbacks: [new EarlyStoppingCallback({ earlyStoppingPatience: 2 })] },
    )
    await trainer.train()
    const evaluations = logged(trainer, 'eval_loss')
    expect(trainer.state.globalStep).toBeLessThan(30)
    expect(trainer.state.globalStep).toBe(evaluations.indexOf(Math.min(...evaluations)) + 1 + 2)
  })
})

describe('frozen parameters of artifacts', () => {
  it('stay, and get moments again where they are trained once more', async () => {
    const model = await open()
    const before = model.parameter('0.weight').data.slice()
    model.freeze(/^0\./)
    await trainerOf(model, { maxSteps: 2 }).train()
    expect(model.parameter('0.weight').data).toEqual(before)
    const file = join(temporaryFolder(), 'checkpoint')
    await model.saveCheckpoint(file)
    const { trained, optimizer } = await readCheckpointFile(file)
    expect([...optimizer!.states.keys()].sort()).toEqual([...trained.keys()].sort()) // as the official runtime wants it
    const again = await open({ checkpoint: file })
    await trainerOf(again, { maxSteps: 3 }).train()
    expect(again.parameter('0.weight').data).not.toEqual(before)
  })

  it('that were frozen keep the moments that they had', async () => {
    const model = await open({ checkpoint: 'checkpoint.after' })
    const { optimizer: had } = await readCheckpointFile(join(folder, 'checkpoint.after'))
    model.freeze('2')
    await trainerOf(model).train()
    const { optimizer } = await saved(model)
    expect(optimizer!.step).toBe(had!.step + 6)
    expect(optimizer!.states.get('2.weight')).toEqual(had!.states.get('2.weight'))
    expect(optimizer!.states.get('0.weight')).not.toEqual(had!.states.get('0.weight'))
  })
})
