// rates and update rules: updates are compared with their formulas
import { expect } from 'vitest'
import type { TrainingArgumentsOptions } from '../../../src/index'
import { createTrainer, dataset, tinyModel, run, weights } from '../support'
import { type Effects, onlyStep } from './effects'

/** The weight whose updates are compared. */
const weight = 'classifier.weight'
const rate = 0.01
const beta1 = 0.9
const beta2 = 0.999

interface Gradients {
  readonly first: number
  readonly second: number
}

/** What an update rule subtracts from a number at its second update, in units of the rate, by its two gradients. */
type Rule = (gradients: Gradients) => number

/** AdamW's rule, of Loshchilov & Hutter. */
function adam(b1: number, b2: number, epsilon: number): Rule {
  return ({ first, second }) => {
    const mean = ((1 - b1) * (b1 * first + second)) / (1 - b1 ** 2)
    const square = ((1 - b2) * (b2 * first ** 2 + second ** 2)) / (1 - b2 ** 2)
    return mean / (Math.sqrt(square) + epsilon)
  }
}

const rules: Partial<Record<NonNullable<TrainingArgumentsOptions['optim']>, Rule>> = {
  adamw_torch: adam(beta1, beta2, 1e-8),
  sgd: ({ second }) => second,
  adagrad: ({ first, second }) => second / (Math.hypot(first, second) + 1e-10),
  rmsprop: ({ first, second }) => second / (Math.sqrt(0.01 * (0.99 * first ** 2 + second ** 2)) + 1e-8),
  lion_32bit: ({ first, second }) => Math.sign(beta1 * (1 - beta2) * first + (1 - beta1) * second),
}

/** How two updates change the weight where only the second one has a rate: both gradients are of the first weights. */
async function changesBy(args: TrainingArgumentsOptions): Promise<number[]> {
  const warmup = { lrSchedulerType: 'constant_with_warmup', warmupSteps: 1, maxSteps: 2 } as const
  const before = weights(tinyModel())[weight]!
  const { trainer } = await run({ ...warmup, maxGradNorm: 0, learningRate: rate, ...args })
  return weights(trainer.model)[weight]!.map((value, i) => value - before[i]!)
}

/** Both gradients: gradient descent at rate 1 subtracts them. */
async function gradientsOfTwo(): Promise<Gradients[]> {
  const descent = { optim: 'sgd', learningRate: 1 } as const
  const first = await changesBy({ ...descent, lrSchedulerType: 'constant', warmupSteps: 0, maxSteps: 1 })
  const second = await changesBy(descent)
  return first.map((change, i) => ({ first: -change, second: -second[i]! }))
}

async function expectUpdate(args: TrainingArgumentsOptions, rule: Rule): Promise<void> {
  const changes = await changesBy(args)
  const gradients = await gradientsOfTwo()
  const size = args.learningRate ?? rate
  changes.forEach((change, i) => expect(change / size, `${weight} ${i}`).toBeCloseTo(-rule(gradients[i]!), 4))
}

/** Rates of the first four updates, as they are logged. */
async function ratesWith(args: TrainingArgumentsOptions): Promise<unknown[]> {
  return (await run(args)).history.slice(0, 4).map(entry => entry.learning_rate)
}

export const optimizing: Effects = {
  learningRate: async () => {
    expect((await run({ learningRate: 0.05 })).history[0]!.learning_rate).toBe(0.05)
    await expectUpdate({ optim: 'sgd', learningRate: 0.05 }, rules.sgd!)
  },
  lrSchedulerType: async () => {
    const { history } = await run({ lrSchedulerType: 'constant' })
    expect(history.slice(0, 6).map(entry => entry.learning_rate)).toEqual([0.01, 0.01, 0.01, 0.01, 0.01, 0.01])
    const followed = await run(
      {
        lrSchedulerType: 'reduce_lr_on_plateau',
        lrSchedulerKwargs: { patience: 0, factor: 0.5 },
        evalStrategy: 'steps',
        evalSteps: 1,
        metricForBestModel: 'score',
        maxSteps: 4,
      },
      { computeMetrics: () => ({ score: 1 }) },
    )
    expect(followed.history.filter(entry => entry.loss !== undefined).map(entry => entry.learning_rate)).toEqual([
      0.01, 0.01, 0.005, 0.0025,
    ])
    const greedy = await run({ lrSchedulerType: 'greedy', evalStrategy: 'steps', evalSteps: 1, maxSteps: 2 })
    expect(greedy.output.globalStep).toBe(2)
  },
  lrSchedulerKwargs: async () => {
    const { history } = await run({ lrSchedulerType: 'polynomial', lrSchedulerKwargs: { power: 2 } })
    expect(history[3]!.learning_rate).toBeCloseTo(1e-7 + (0.01 - 1e-7) * 0.25)
  },
  warmupSteps: async () => {
    expect(await ratesWith({ warmupSteps: 2 })).toEqual([0, 0.005, 0.01, 0.0075])
    expect(await ratesWith({ warmupSteps: 0.3 })).toEqual([0, 0.005, 0.01, 0.0075]) // ⌈0.3 · 6⌉ updates
  },
  optim: async () => {
    for (const [optim, rule] of Object.entries(rules)) await expectUpdate({ optim: optim as 'sgd' }, rule)
    // Adafactor limits the root mean square of an update's directions to 1
    const changes = await changesBy({ optim: 'adafactor' })
    expect(Math.hypot(...changes.map(change => change / rate)) / Math.sqrt(changes.length)).toBeLessThanOrEqual(
      1 + 1e-5,
    )
    expect(changes.map(Math.sign)).toEqual((await gradientsOfTwo()).map(({ second }) => -Math.sign(second)))
  },
  optimArgs: () =>
    expectUpdate({ optim: 'sgd', optimArgs: { momentum: 0.9 } }, ({ first, second }) => 0.9 * first + second),
  weightDecay: async () => {
    const still = {
      learningRate: 0.1,
      optim: 'sgd',
      maxGradNorm: 1e-30,
      lrSchedulerType: 'constant',
      maxSteps: 1,
    } as const
    const before = weights(tinyModel())
    const { trainer } = await run({ ...still, weightDecay: 0.5 })
    const after = weights(trainer.model)
    expect(after['classifier.weight']![0]! / before['classifier.weight']![0]!).toBeCloseTo(1 - 0.1 * 0.5)
    expect(after['bert.embeddings.LayerNorm.weight']).toEqual(before['bert.embeddings.LayerNorm.weight'])
  },
  adamBeta1: () => expectUpdate({ adamBeta1: 0.5 }, adam(0.5, beta2, 1e-8)),
  adamBeta2: () => expectUpdate({ adamBeta2: 0.5 }, adam(beta1, 0.5, 1e-8)),
  adamEpsilon: () => expectUpdate({ adamEpsilon: 0.1 }, adam(beta1, beta2, 0.1)),
  maxGradNorm: async () => {
    const descent = { optim: 'sgd', learningRate: 1, lrSchedulerType: 'constant', maxSteps: 1 } as const
    const norms = async (maxGradNorm: number): Promise<{ moved: number; logged: unknown }> => {
      const before = weights(tinyModel())
      const { trainer, history } = await run({ ...descent, maxGradNorm })
      const changes = Object.entries(weights(trainer.model)).flatMap(([name, values]) =>
        values.map((value, i) => value - before[name]![i]!),
      )
      return { moved: Math.hypot(...changes), logged: history[0]!.grad_norm }
    }
    const free = await norms(0)
    expect(free.moved).toBeCloseTo(Number(free.logged), 4)
    expect(free.moved).toBeGreaterThan(0.02)
    const clipped = await norms(0.01)
    expect(clipped.moved).toBeCloseTo(0.01, 5)
    expect(clipped.logged).toBe(free.logged)
  },
  labelSmoothingFactor: async () => {
    const { predictions, labelIds } = await createTrainer().predict(dataset(4))
    const losses = (predictions.tolist() as number[][]).map((logits, row) => {
      const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
      const surprise = logits.map(logit => logSum - logit)
      // of the label 0.8, and of all labels alike 0.2
      return 0.8 * surprise[Number(labelIds!.data[row])]! + (0.2 * surprise.reduce((a, b) => a + b)) / surprise.length
    })
    const smoothed = await run({ ...onlyStep, labelSmoothingFactor: 0.2, trainSamplingStrategy: 'sequential' })
    expect(smoothed.losses[0]).toBeCloseTo(losses.reduce((a, b) => a + b) / 4, 5)
  },
}
