import { describe, expect, it } from 'vitest'
import { isElementwise } from '../../src/engine/fused/compile'
import { adamw, type Optimizer, type TrainingArgumentsOptions } from '../../src/index'
import { updateGraph } from '../../src/programs/update'
import { tinyModel, run, weights } from './support'

/** Momentum: m ← 0.9 m + g, p ← p − rate (m + decay p). */
const momentum: Optimizer = {
  name: 'mine',
  init: ({ shape }) => ({ velocity: { shape } }),
  update: (graph, { gradient, parameter, slots, scalars }) => {
    const velocity = graph.add(graph.mul(slots.velocity!, 0.9), gradient)
    const step = graph.add(velocity, graph.mul(parameter, scalars.weight_decay!))
    return { parameter: graph.sub(parameter, graph.mul(step, scalars.rate!)), slots: { velocity } }
  },
}

/** A step of length 1 along each parameter's gradient: no element is independent of the others. */
const normalized: Optimizer = {
  name: 'normalized',
  init: () => ({ steps: { shape: [1], fill: 5 } }),
  scalars: step => ({ half: step === 1 ? 1 : 0.5 }),
  update: (graph, { gradient, parameter, slots, scalars }) => {
    const length = graph.sqrt(graph.add(graph.sum(graph.mul(gradient, gradient)), 1e-30))
    return {
      parameter: graph.sub(parameter, graph.mul(graph.div(gradient, length), graph.mul(scalars.rate!, scalars.half!))),
      slots: { steps: graph.add(slots.steps!, 1) },
    }
  },
}

const still: TrainingArgumentsOptions = {
  maxGradNorm: 0,
  lrSchedulerType: 'constant',
  trainSamplingStrategy: 'sequential',
}
const site = { name: 'p', shape: [3, 2] }

describe('a custom optimizer', () => {
  it('is a pair of functions, which become one loop if they are elementwise', async () => {
    expect([
      isElementwise(updateGraph(momentum, site, true)),
      isElementwise(updateGraph(normalized, site, false)),
    ]).toEqual([true, false])
    const custom = await run({ ...still, weightDecay: 0.1 }, { optimizers: [momentum, undefined] })
    const builtIn = await run({ ...still, weightDecay: 0.1, optim: 'sgd', optimArgs: { momentum: 0.9 } })
    expect(custom.losses[0]).toBe(builtIn.losses[0])
    expect(custom.losses[1]).toBeCloseTo(builtIn.losses[1]!, 3) // PyTorch adds the decay to the gradient: nearly the same after one step
    expect(custom.losses[5]).not.toBe(custom.losses[0])
  })

  it('changes parameters by an elementwise rule', async () => {
    const before = weights(tinyModel())
    const { trainer } = await run(
      { ...still, maxSteps: 1, weightDecay: 0.5, learningRate: 0.01 },
      {
        optimizers: [
          {
            ...momentum,
            update: (graph, { parameter, slots }) => ({
              parameter: graph.mul(parameter, 3),
              slots: { velocity: slots.velocity! },
            }),
          },
          undefined,
        ],
      },
    )
    for (const [name, values] of Object.entries(weights(trainer.model)))
      values.forEach((value, i) => expect(value).toBeCloseTo(3 * before[name]![i]!, 5))
  })

  it('changes parameters by a rule that is not elementwise, on the engine', async () => {
    const snapshots: Record<string, number[]>[] = [weights(tinyModel())]
    await run(
      { ...still, maxSteps: 2, learningRate: 0.01 },
      {
        optimizers: [normalized, undefined],
        callbacks: [
          { onStepEnd: (_args, _state, _control, context) => void snapshots.push(weights(context.model as never)) },
        ],
      },
    )
    for (const name of [
      'classifier.weight',
      'bert.encoder.layer.0.attention.self.value.weight',
      'bert.embeddings.word_embeddings.weight',
    ]) {
      const moved = [1, 2].map(step =>
        Math.hypot(...snapshots[step]![name]!.map((value, i) => value - snapshots[step - 1]![name]![i]!)),
      )
      expect(moved[0]).toBeCloseTo(0.01, 5)
      expect(moved[1]).toBeCloseTo(0.005, 5)
    }
  })

  it('is saved and resumed', async () => {
    for (const optimizer of [momentum, normalized]) {
      const whole = await run({ saveStrategy: 'steps', saveSteps: 2 }, { optimizers: [optimizer, undefined] })
      const resumed = await run(
        { outputDir: whole.outputDir },
        { optimizers: [optimizer, undefined], resumeFromCheckpoint: `${whole.outputDir}/checkpoint-2` },
      )
      expect(resumed.losses).toEqual(whole.losses)
      await expect(
        run(
          { outputDir: whole.outputDir },
          { optimizers: [adamw(), undefined], resumeFromCheckpoint: `${whole.outputDir}/checkpoint-2` },
        ),
      ).rejects.toThrow(/state of the optimizer "(mine|normalized)"/)
    }
  })
})

describe('a custom schedule', () => {
  it('is a function from the number of updates so far to a factor', async () => {
    const asked: number[] = []
    const { history } = await run(
      { maxSteps: 3, warmupSteps: 2 },
      { optimizers: [undefined, step => (asked.push(step), 1 / (1 + step))] },
    )
    expect(history.slice(0, 3).map(entry => entry.learning_rate)).toEqual([0.01, 0.01 * 0.5, 0.01 * (1 / 3)])
    expect(asked).toEqual(expect.arrayContaining([0, 1, 2]))
  })

  it('is refused together with modelInit', async () => {
    await expect(run({}, { modelInit: () => tinyModel(), optimizers: [undefined, () => 1] })).rejects.toThrow(
      /modelInit.*optimizers/,
    )
  })
})
