import { describe, expect, it } from 'vitest'
import {
  Dataset,
  type LossFunction,
  meanSquaredError,
  type ModelOutputs,
  type Optimizer,
  sgd,
  Tensor,
  Trainer,
} from '../../src/index'
import type { GraphBuilder, Value } from '../../src/index'
import { crossEntropy } from '../../src/losses/crossEntropy'
import { collate, createTrainer, dataset, tinyModel, rows, run, logged } from './support'

describe('hooks', () => {
  const doubled: LossFunction = (outputs, labels, _count, graph) => {
    const { sum, count } = crossEntropy(graph, outputs.logits, labels)
    return { sum: graph.mul(sum, 2), count }
  }

  it('takes a loss of a subclass, which may ask for the usual one', async () => {
    let calls = 0
    class Doubled extends Trainer {
      override computeLoss(outputs: ModelOutputs, labels: Value, count: Value, graph: GraphBuilder) {
        calls++
        const usual = super.computeLoss(outputs, labels, count, graph) as { sum: Value; count: Value }
        return { sum: graph.mul(usual.sum, 2), count: usual.count }
      }
    }
    const trainer = createTrainer({ maxSteps: 1 }, {}, [], Doubled)
    const usual = await run({ maxSteps: 1 })
    await trainer.train()
    expect(trainer.state.logHistory[0]!.loss).toBeCloseTo(2 * usual.losses[0]!, 5)
    expect(trainer.state.logHistory[0]!.grad_norm).toBeCloseTo(2 * (usual.history[0]!.grad_norm as number), 4)
    expect(calls).toBe(1) // while the graph is built, not for each batch
    expect((await trainer.evaluate()).eval_loss).toBeCloseTo(2 * (await usual.trainer.evaluate()).eval_loss!, 1)
  })

  it('takes a function, which becomes part of the graph', async () => {
    const own = await run({ maxSteps: 1 }, { computeLossFunc: doubled })
    const usual = await run({ maxSteps: 1 })
    expect(own.losses[0]).toBeCloseTo(2 * usual.losses[0]!, 5)
  })

  it('refuses a function that returns a number', async () => {
    // @ts-expect-error a number is no graph value
    const numeric: LossFunction = () => 0.5
    await expect(run({ maxSteps: 1 }, { computeLossFunc: numeric })).rejects.toThrow(
      /returned 0.5.*operators of `graph`/s,
    )
  })

  it('picks a loss by its name', async () => {
    const { losses } = await run({ maxSteps: 1 }, { computeLossFunc: 'cross_entropy' })
    expect(losses).toEqual((await run({ maxSteps: 1 })).losses)
    const several = {
      model: tinyModel({}, { numLabels: 3 }),
      trainDataset: Dataset.fromRows(rows(4).map(row => ({ ...row, label: [row.label, 1, 0] }))),
    }
    const switches = (given: readonly Readonly<Record<string, unknown>>[]) => ({
      ...collate(given.map(row => ({ ...row, label: 0 }))),
      labels: Tensor.from(
        'int32',
        given.map(row => [...(row.label as number[])]),
      ),
    })
    const binary = await run(
      { maxSteps: 1 },
      { ...several, dataCollator: switches, computeLossFunc: 'binary_cross_entropy' },
    )
    expect(binary.trainer.model.config.problem_type).toBe('multi_label_classification')
    const values = await run(
      { maxSteps: 1 },
      { model: tinyModel({}, { numLabels: 1 }), computeLossFunc: 'mean_squared_error' },
    )
    const same = await run(
      { maxSteps: 1 },
      {
        model: tinyModel({}, { numLabels: 1 }),
        computeLossFunc: (outputs, labels, _count, graph) => meanSquaredError(graph, outputs.logits, labels),
      },
    )
    expect(values.losses).toEqual(same.losses)
    await expect(run({}, { computeLossFunc: 'cross_entropie' as 'cross_entropy' })).rejects.toThrow(
      /Did you mean "cross_entropy"/,
    )
  })

  it('weighs classes', async () => {
    const trainDataset = Dataset.fromRows(rows(12).map((row, i) => ({ ...row, label: i < 3 ? 1 : 0 })))
    const given = await run({ maxSteps: 2 }, { trainDataset, classWeights: [12 / 18, 12 / 6] })
    const balanced = await run({ maxSteps: 2 }, { trainDataset, classWeights: 'balanced' })
    const none = await run({ maxSteps: 2 }, { trainDataset })
    expect(balanced.losses).toEqual(given.losses)
    expect(balanced.losses).not.toEqual(none.losses)
    await expect(run({}, { classWeights: [1, 2, 3] })).rejects.toThrow(/classWeights should be 2 numbers/)
    await expect(run({}, { classWeights: [1, 2], computeLossFunc: doubled })).rejects.toThrow(
      /classWeights belong to the loss of the head/,
    )
    await expect(run({}, { classWeights: [1], model: tinyModel({}, { numLabels: 1 }) })).rejects.toThrow(
      /head is for regression/,
    )
  })

  it('says that smoothing has no effect on other heads', async () => {
    const messages = logged()
    await run({ maxSteps: 1, labelSmoothingFactor: 0.1 }, { model: tinyModel({}, { numLabels: 1 }) })
    expect(messages).toContain('labelSmoothingFactor has no effect on regression.')
  })

  it('makes optimizer, schedule and loaders as a subclass says', async () => {
    const made: string[] = []
    class Own extends Trainer {
      override createOptimizer(): Optimizer {
        return (made.push('optimizer'), sgd())
      }
      override createScheduler(total: number) {
        return (made.push(`schedule of ${total}`), (step: number) => 1 / (step + 1))
      }
      override getTrainDataloader() {
        return (made.push('training'), super.getTrainDataloader())
      }
      override getEvalDataloader(...given: Parameters<Trainer['getEvalDataloader']>) {
        return (made.push('evaluation'), super.getEvalDataloader(...given))
      }
      override getTestDataloader(...given: Parameters<Trainer['getTestDataloader']>) {
        return (made.push('test'), super.getTestDataloader(...given))
      }
      override getDecayParameterNames(): string[] {
        return []
      }
    }
    const trainer = createTrainer({ maxSteps: 2, evalStrategy: 'epoch', weightDecay: 0.1 }, {}, [], Own)
    await trainer.train()
    await trainer.predict(dataset(3))
    expect(made).toEqual(['training', 'optimizer', 'schedule of 2', 'evaluation', 'test'])
    expect(trainer.state.logHistory.slice(0, 2).map(entry => entry.learning_rate)).toEqual([0.01, 0.005])
    expect(trainer.getOptimizerGroup('classifier.weight').weightDecay).toBe(0)
  })

  it('gives the loader of an evaluation set by its name', () => {
    const several = createTrainer({}, { evalDataset: { a: dataset(3), b: dataset(5) } })
    expect(several.numExamples(several.getEvalDataloader('b'))).toBe(5)
    expect(() => several.getEvalDataloader()).toThrow(/several.*"a", "b"/s)
    expect(() => several.getEvalDataloader('c')).toThrow(/named "c"/)
    const single = createTrainer()
    expect(single.numExamples(single.getEvalDataloader())).toBe(7)
  })

  it('lets callbacks go when training throws', async () => {
    const events: string[] = []
    const callbacks = [
      {
        onStepEnd: () => {
          throw new Error('mine')
        },
        dispose: () => void events.push('disposed'),
        onTrainEnd: () => void events.push('ended'),
      },
    ]
    await expect(run({}, { callbacks })).rejects.toThrow('mine')
    expect(events).toEqual(['disposed'])
  })
})

describe('hooks and options that would change nothing', () => {
  it('a loader may be overridden under either spelling', async () => {
    const called: string[] = []
    class Own extends Trainer {
      override getTrainDataLoader(): ReturnType<Trainer['getTrainDataLoader']> {
        called.push('train')
        return super.getTrainDataLoader()
      }
      override getEvalDataloader(
        given?: Parameters<Trainer['getEvalDataloader']>[0],
      ): ReturnType<Trainer['getEvalDataloader']> {
        called.push('eval')
        return super.getEvalDataloader(given)
      }
    }
    const trainer = createTrainer({ maxSteps: 1 }, {}, [], Own)
    await trainer.train()
    await trainer.evaluate()
    expect(called).toEqual(['train', 'eval'])
  })

  it("a method of Python's that does not exist here", () => {
    class Own extends Trainer {
      trainingStep(): void {}
    }
    expect(() => createTrainer({}, {}, [], Own)).toThrow(/no method trainingStep to override.*computeLoss/s)
  })

  it('misspelt options of methods', async () => {
    const trainer = createTrainer({}, { modelInit: () => tinyModel() })
    await expect(trainer.evaluate(undefined, { metricKeyPrefx: 'x' } as object)).rejects.toThrow(
      /evaluate\(\) has no option "metricKeyPrefx".*metricKeyPrefix/s,
    )
    await expect(trainer.predict(dataset(2), { ignoreKeys: [] } as object)).rejects.toThrow(
      /predict\(\) has no option "ignoreKeys"/,
    )
    await expect(trainer.hyperparameterSearch({ nTrails: 1 } as object)).rejects.toThrow(
      /has no option "nTrails".*nTrials/s,
    )
  })

  it('the optimizer may come as what makes it, with options', async () => {
    const given = await run({ maxSteps: 2 }, { optimizerClsAndKwargs: [sgd, { momentum: 0.9 }] })
    expect(given.losses).toEqual(
      (await run({ maxSteps: 2 }, { optimizers: [sgd({ momentum: 0.9 }), undefined] })).losses,
    )
    expect(() => createTrainer({}, { optimizerClsAndKwargs: [sgd, {}], optimizers: [sgd(), undefined] })).toThrow(
      /both given/,
    )
  })

  it('callbacks have the model from the beginning, and logits may be made smaller asynchronously', async () => {
    const seen: unknown[] = []
    const own = tinyModel()
    const trainer = createTrainer(
      {},
      {
        model: own,
        computeMetrics: ({ predictions }) => ({ columns: predictions.dims[1] ?? 1 }),
        preprocessLogitsForMetrics: async logits => logits.argmax(-1),
        callbacks: [{ onInitEnd: (_args, _state, _control, context) => void seen.push(context.model) }],
      },
    )
    expect((await trainer.evaluate()).eval_columns).toBe(1)
    expect(seen).toEqual([own])
  })
})
