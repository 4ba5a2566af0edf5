import { describe, expect, it } from 'vitest'
import { type Optimizer, sgd, Trainer } from '../../src/index'
import { createTrainer, dataset, tinyModel, run } from './support'

describe('a Trainer', () => {
  it('makes its optimizer, schedule and loaders by the methods of a subclass', async () => {
    const made: string[] = []
    class Custom extends Trainer {
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
    const trainer = createTrainer({ maxSteps: 2, evalStrategy: 'epoch', weightDecay: 0.1 }, {}, [], Custom)
    await trainer.train()
    await trainer.predict(dataset(3))
    expect(made).toEqual(['training', 'optimizer', 'schedule of 2', 'evaluation', 'test'])
    expect(trainer.state.logHistory.slice(0, 2).map(entry => entry.learning_rate)).toEqual([0.01, 0.005])
    expect(trainer.getOptimizerGroup('classifier.weight').weightDecay).toBe(0)
  })

  it('finds the loader of an evaluation dataset by its name', () => {
    const several = createTrainer({}, { evalDataset: { a: dataset(3), b: dataset(5) } })
    expect(several.numExamples(several.getEvalDataloader('b'))).toBe(5)
    expect(() => several.getEvalDataloader()).toThrow(/several.*"a", "b"/s)
    expect(() => several.getEvalDataloader('c')).toThrow(/named "c"/)
    const single = createTrainer()
    expect(single.numExamples(single.getEvalDataloader())).toBe(7)
  })

  it('disposes of its callbacks when training throws', async () => {
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

describe('what would have no effect under another name', () => {
  it('a loader may be overridden under either spelling', async () => {
    const called: string[] = []
    class Custom extends Trainer {
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
    const trainer = createTrainer({ maxSteps: 1 }, {}, [], Custom)
    await trainer.train()
    await trainer.evaluate()
    expect(called).toEqual(['train', 'eval'])
  })

  it("a method of Python's that this Trainer does not have is refused", () => {
    class Custom extends Trainer {
      trainingStep(): void {}
    }
    expect(() => createTrainer({}, {}, [], Custom)).toThrow(/no method trainingStep to override.*computeLoss/s)
  })

  it('misspelt options of methods are refused', async () => {
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

  it('the optimizer may be given as its maker and options', async () => {
    const given = await run({ maxSteps: 2 }, { optimizerClsAndKwargs: [sgd, { momentum: 0.9 }] })
    expect(given.losses).toEqual(
      (await run({ maxSteps: 2 }, { optimizers: [sgd({ momentum: 0.9 }), undefined] })).losses,
    )
    expect(() => createTrainer({}, { optimizerClsAndKwargs: [sgd, {}], optimizers: [sgd(), undefined] })).toThrow(
      /both given/,
    )
  })

  it('callbacks have the model from the beginning, and logits may be reduced asynchronously', async () => {
    const seen: unknown[] = []
    const given = tinyModel()
    const trainer = createTrainer(
      {},
      {
        model: given,
        computeMetrics: ({ predictions }) => ({ columns: predictions.dims[1] ?? 1 }),
        preprocessLogitsForMetrics: async logits => logits.argmax(-1),
        callbacks: [{ onInitEnd: (_args, _state, _control, context) => void seen.push(context.model) }],
      },
    )
    expect((await trainer.evaluate()).eval_columns).toBe(1)
    expect(seen).toEqual([given])
  })
})
