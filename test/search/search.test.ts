import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type PreTrainedModel,
  type SearchBackend,
  TrainingArguments,
  type TrainingArgumentsOptions,
  type TrialValues,
} from '../../src/index'
import { defaultObjective, type Searched, searchHyperparameters, trialArguments } from '../../src/search/search'
import { createTrainer, tinyModel, logged } from '../trainer/support'
import { temporaryFolder } from '../helpers/temporaryFolder'

describe('the default objective', () => {
  const speed = { epoch: 1, eval_runtime: 2, eval_samples_per_second: 3, eval_steps_per_second: 4 }

  it('is the sum of the metrics without the loss, or the loss', () => {
    expect(defaultObjective({ eval_loss: 0.3, eval_accuracy: 0.9, eval_f1: 0.8, ...speed })).toBeCloseTo(1.7)
    expect(defaultObjective({ eval_loss: 0.3, ...speed })).toBe(0.3)
  })
})

describe('searching', () => {
  /** Runs nothing: a trial's loss is a function of its values. */
  const pretend = (
    loss: (values: TrialValues) => number,
    seen: TrialValues[] = [],
    args: TrainingArgumentsOptions = {},
  ): Searched => ({
    args: new TrainingArguments({ seed: 1, ...args }),
    hasMetrics: false,
    runTrial: async (values, _name, evaluated) => {
      seen.push(values)
      await evaluated({ eval_loss: loss(values) }, 1)
      return true
    },
  })
  const distance = ({ x }: TrialValues): number => (Number(x) - 0.7) ** 2

  it('goes through every point of a grid', async () => {
    const seen: TrialValues[] = []
    const best = await searchHyperparameters(
      pretend(({ a, b }) => Number(a) + Number(b), seen),
      { hpSpace: { a: [3, 1], b: [20, 10, 30] }, backend: 'grid' },
    )
    expect(seen).toEqual([
      { a: 3, b: 20 },
      { a: 3, b: 10 },
      { a: 3, b: 30 },
      { a: 1, b: 20 },
      { a: 1, b: 10 },
      { a: 1, b: 30 },
    ])
    expect(best).toMatchObject({ runId: '4', objective: 11, hyperparameters: { a: 1, b: 10 } })
    await expect(searchHyperparameters(pretend(distance), { backend: 'grid' })).rejects.toThrow(
      /learningRate is a range/,
    )
  })

  it('draws at random: within the ranges, alike for the same seed', async () => {
    const draws = async (seed: number): Promise<TrialValues[]> => {
      const seen: TrialValues[] = []
      await searchHyperparameters(
        pretend(() => 0, seen),
        { nTrials: 200, seed },
      )
      return seen
    }
    const first = await draws(5)
    const again = await draws(5)
    const other = await draws(6)
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    const rates = first.map(({ learningRate }) => Number(learningRate))
    expect(rates.every(rate => rate >= 1e-6 && rate <= 1e-4)).toBe(true)
    expect(rates.filter(rate => rate < 1e-5).length / 200).toBeGreaterThan(0.35) // even in the logarithm: half
    expect(new Set(first.map(({ numTrainEpochs }) => numTrainEpochs))).toEqual(new Set([1, 2, 3, 4, 5]))
    expect(new Set(first.map(({ perDeviceTrainBatchSize }) => perDeviceTrainBatchSize))).toEqual(
      new Set([4, 8, 16, 32, 64]),
    )
    expect(Math.max(...first.map(({ seed: drawn }) => Number(drawn)))).toBeLessThanOrEqual(40)
  })

  it('draws by a function', async () => {
    const best = await searchHyperparameters(pretend(distance), {
      hpSpace: trial => ({
        x: trial.suggestFloat('x', 0, 1),
        n: trial.suggestInt('n', 1, 3),
        kind: trial.suggestCategorical('kind', ['a', 'b']),
      }),
      nTrials: 60,
    })
    expect(best.objective).toBeLessThan(0.01)
    expect(best.trials).toHaveLength(60)
  })

  it('asks a custom search, which receives evaluations and may end trials', async () => {
    const reports: unknown[] = []
    const ended: boolean[] = []
    const halving: SearchBackend = {
      suggest: ({ number, finished }) =>
        number < 3 ? { x: number === 0 ? 0 : Number(finished.at(-1)!.hyperparameters.x) + 0.5 } : undefined,
      report: ({ number, objective }) => (reports.push([number, objective]), number === 1),
    }
    const searched: Searched = {
      ...pretend(distance),
      runTrial: async (values, _name, evaluated) => ended.push(await evaluated({ eval_loss: distance(values) }, 1)) > 0,
    }
    const best = await searchHyperparameters(searched, { backend: halving })
    expect(best.hyperparameters).toEqual({ x: 0.5 })
    expect(reports).toHaveLength(3)
    expect(ended).toEqual([false, true, false])
  })

  it('ends with an interrupted trial, which does not count', async () => {
    const seen: TrialValues[] = []
    const searched = pretend(distance, seen)
    const best = await searchHyperparameters(
      { ...searched, runTrial: async (...given) => (await searched.runTrial(...given)) && seen.length < 3 },
      {
        hpSpace: { x: [0, 0.5, 0.7, 1] },
        backend: 'grid',
      },
    )
    expect([seen.length, best.trials.length, best.hyperparameters]).toEqual([3, 2, { x: 0.5 }])
  })

  it('infers its direction, and asks for it if it cannot', async () => {
    const space = { x: [0, 0.5, 1] }
    const found = async (
      change: Partial<Searched>,
      args: TrainingArgumentsOptions = {},
      direction?: 'minimize' | 'maximize',
    ) =>
      (
        await searchHyperparameters(
          { ...pretend(({ x }) => Number(x), [], args), ...change },
          { hpSpace: space, backend: 'grid', ...(direction && { direction }) },
        )
      ).hyperparameters.x
    expect([await found({}), await found({ hasMetrics: true })]).toEqual([0, 1])
    expect([
      await found({}, { metricForBestModel: 'mse', greaterIsBetter: false }),
      await found({}, { metricForBestModel: 'f1' }),
    ]).toEqual([0, 1])
    expect([await found({}, {}, 'maximize'), await found({ hasMetrics: true }, {}, 'minimize')]).toEqual([1, 0])
    await expect(searchHyperparameters(pretend(distance), { computeObjective: () => 1 })).rejects.toThrow(
      /Set direction to "maximize" or "minimize"/,
    )
  })
})

describe('hyperparameterSearch', () => {
  it('trains a new model for every trial, in its own folder, and leaves the arguments unchanged', async () => {
    const outputDir = temporaryFolder()
    const seen: unknown[] = []
    const modelInit = (trial?: TrialValues): PreTrainedModel => (seen.push(trial), tinyModel())
    const trainer = createTrainer(
      {
        outputDir,
        maxSteps: 4,
        saveStrategy: 'steps',
        saveSteps: 4,
        evalStrategy: 'steps',
        evalSteps: 2,
        learningRate: 0.05,
      },
      { modelInit },
    )
    const states: unknown[] = []
    trainer.addCallback({
      onTrainEnd: (args, state) =>
        void states.push([state.isHyperParamSearch, state.trialName, state.trialParams, args.learningRate]),
    })
    const best = await trainer.hyperparameterSearch({ hpSpace: { learningRate: [1e-6, 0.02] }, backend: 'grid' })
    expect(best).toMatchObject({ runId: '1', hyperparameters: { learningRate: 0.02 } })
    expect(seen).toEqual([{ learningRate: 1e-6 }, { learningRate: 0.02 }])
    expect(states).toEqual([
      [true, 'run-0', { learningRate: 1e-6 }, 1e-6],
      [true, 'run-1', { learningRate: 0.02 }, 0.02],
    ])
    expect(best.objective).toBeLessThan(best.trials[0]!.objective) // four updates at 1e-6 learn nothing
    expect(existsSync(join(outputDir, 'run-1', 'checkpoint-4'))).toBe(true)
    expect([trainer.args.learningRate, trainer.args.outputDir]).toEqual([0.05, outputDir])
  })

  it('evaluates at the end if training does not, sums up metrics, and ends trials early for a backend', async () => {
    const computeMetrics = () => ({ accuracy: 0.5, f1: 0.25 })
    const trainer = createTrainer({ maxSteps: 2 }, { modelInit: () => tinyModel(), computeMetrics })
    expect((await trainer.hyperparameterSearch({ nTrials: 1, hpSpace: {} })).objective).toBe(0.75)
    const pruned = createTrainer(
      { maxSteps: 6, evalStrategy: 'steps', evalSteps: 1 },
      { modelInit: () => tinyModel(), computeMetrics },
    )
    await pruned.hyperparameterSearch({
      backend: { suggest: ({ number }) => (number === 0 ? {} : undefined), report: ({ step }) => step === 2 },
    })
    expect(pruned.state.globalStep).toBe(2)
  })

  it("leaves no trial's size of batches behind", async () => {
    const args = { maxSteps: 1, perDeviceTrainBatchSize: 4 }
    const trainer = createTrainer(args, { modelInit: () => tinyModel() })
    await trainer.hyperparameterSearch({ hpSpace: { perDeviceTrainBatchSize: [2, 3] }, backend: 'grid' })
    expect(trainer.trainBatchSize).toBe(4)
    expect(trainer.getTrainDataLoader().length).toBe(3) // of 12 rows
  })

  it('counts a trial that diverges as the worst', async () => {
    const messages = logged()
    const modelInit = (trial?: TrialValues): PreTrainedModel => {
      const made = tinyModel()
      if (trial?.spoiled === true) made.parameter('classifier.bias').data[0] = NaN
      return made
    }
    const best = await createTrainer({ maxSteps: 1 }, { modelInit }).hyperparameterSearch({
      hpSpace: { spoiled: [true, false] },
      backend: 'grid',
    })
    expect(best.runId).toBe('1')
    expect(messages.some(message => message.startsWith('Trial 0 counts as the worst: The loss is NaN at step 1'))).toBe(
      true,
    )
  })

  it('needs modelInit', async () => {
    await expect(createTrainer().hyperparameterSearch()).rejects.toThrow(/Give modelInit in place of model/)
  })

  it('passes on what is not a training argument, with a warning', () => {
    const messages = logged()
    expect(trialArguments(new TrainingArguments({ seed: 3 }), { learningRate: 1, learning_rat: 2 })).toMatchObject({
      learningRate: 1,
      seed: 3,
    })
    expect(messages[0]).toMatch(/learning_rat is not a training argument.*Did you mean learningRate/)
  })
})
