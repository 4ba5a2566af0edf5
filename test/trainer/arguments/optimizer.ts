import { expect } from 'vitest'
import { optimizerKinds, type OptimizerKind } from '../../../src/arguments/optimizers'
import type { TrainingArgumentsOptions } from '../../../src/index'
import { createTrainer, dataset, tinyModel, rows, run, weights } from '../support'
import type { Effects } from './effects'
import { adafactor, adagrad, adam, biasByUpdate, lion, path, rmsprop, sgd } from './knownGradients'
import { crossEntropies, mean } from './reference'

const rules = { adamw: adam, sgd, adagrad, rmsprop, adafactor, lion } as const satisfies Record<OptimizerKind, unknown>

/** One update of plain gradient descent: each weight moves by the rate times its gradient. */
const descent = {
  optim: 'sgd',
  learningRate: 0.5,
  lrSchedulerType: 'constant',
  trainSamplingStrategy: 'sequential',
  maxSteps: 1,
} as const satisfies TrainingArgumentsOptions

async function expectBias(args: TrainingArgumentsOptions, expected: readonly number[]): Promise<void> {
  expectNear(await biasByUpdate(args), expected, 6, JSON.stringify(args))
}

function expectNear(given: readonly number[], expected: readonly number[], digits: number, what: string): void {
  expect(given, what).toHaveLength(expected.length)
  given.forEach((value, i) => expect(value, `${what}[${i}]`).toBeCloseTo(expected[i]!, digits))
}

/** How far an update moves each weight. */
async function movesOf(args: TrainingArgumentsOptions): Promise<{ moves: Record<string, number[]>; norm: unknown }> {
  const before = weights(tinyModel())
  const { trainer, history } = await run({ ...descent, ...args })
  const moves = Object.entries(weights(trainer.model)).map(
    ([name, after]) => [name, after.map((value, i) => value - before[name]![i]!)] as const,
  )
  return { moves: Object.fromEntries(moves), norm: history[0]!.grad_norm }
}

/** The weights after two updates without gradients: a matrix or an embedding has shrunk twice, the rest has not. */
async function expectDecay(args: TrainingArgumentsOptions, factor: number): Promise<void> {
  const before = weights(tinyModel())
  const { trainer } = await run({ maxGradNorm: 1e-30, lrSchedulerType: 'constant', maxSteps: 2, ...args })
  for (const [name, after] of Object.entries(weights(trainer.model))) {
    const decays = !/bias|layernorm/i.test(name)
    expectNear(
      after,
      before[name]!.map(value => value * (decays ? factor ** 2 : 1)),
      6,
      name,
    )
  }
}

export const optimizer: Effects = {
  optim: async () => {
    for (const [optim, kind] of Object.entries(optimizerKinds))
      await expectBias({ optim: optim as keyof typeof optimizerKinds }, path(rules[kind]()))
  },
  optimArgs: async () => {
    const expected = path(sgd({ momentum: 0.9 }))
    await expectBias({ optim: 'sgd', optimArgs: { momentum: 0.9 } }, expected)
    await expectBias({ optim: 'sgd', optimArgs: 'momentum=0.9' }, expected)
  },
  weightDecay: async () => {
    await expectDecay({ weightDecay: 0.5, learningRate: 0.1, optim: 'sgd' }, 1 - 0.1 * 0.5)
    await expectDecay({ weightDecay: 0.25, learningRate: 0.1 }, 1 - 0.1 * 0.25)
    await expectDecay({ learningRate: 0.1 }, 1)
  },
  adamBeta1: async () => {
    await expectBias({ adamBeta1: 0.5 }, path(adam({ beta1: 0.5 })))
    await expectBias({ optim: 'lion_32bit', adamBeta1: 0, adamBeta2: 0.5 }, path(lion({ beta1: 0, beta2: 0.5 })))
  },
  adamBeta2: async () => {
    await expectBias({ adamBeta2: 0.5 }, path(adam({ beta2: 0.5 })))
    await expectBias({ optim: 'lion_32bit', adamBeta2: 0 }, path(lion({ beta2: 0 })))
  },
  adamEpsilon: () => expectBias({ adamEpsilon: 0.1 }, path(adam({ epsilon: 0.1 }))),
  maxGradNorm: async () => {
    const free = await movesOf({ maxGradNorm: 0 })
    const norm = Math.hypot(...Object.values(free.moves).flat()) / descent.learningRate
    for (const [maxGradNorm, factor] of [
      [norm / 8, norm / 8 / (norm + 1e-6)],
      [norm * 8, 1],
    ] as const) {
      const clipped = await movesOf({ maxGradNorm })
      for (const [name, moves] of Object.entries(clipped.moves))
        expectNear(
          moves,
          free.moves[name]!.map(move => move * factor),
          6,
          name,
        )
      expect(clipped.norm).toBeCloseTo(norm, 5) // logged as it was before clipping
    }
  },
  labelSmoothingFactor: async () => {
    const args = { labelSmoothingFactor: 0.2, learningRate: 0, trainSamplingStrategy: 'sequential' } as const
    const { losses, trainer } = await run({ ...args, numTrainEpochs: 1 })
    const logits = (await createTrainer().predict(dataset(12))).predictions.tolist() as number[][]
    const labels = rows(12).map(({ label }) => label)
    const smoothed = crossEntropies(logits, labels, 0.2)
    expectNear(losses, [smoothed.slice(0, 4), smoothed.slice(4, 8), smoothed.slice(8)].map(mean), 5, 'losses')
    expect((await trainer.evaluate(dataset(12))).eval_loss).toBeCloseTo(mean(smoothed), 5)
    expect(mean(smoothed)).not.toBeCloseTo(mean(crossEntropies(logits, labels)), 3)
  },
}
