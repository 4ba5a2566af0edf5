import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
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
import { modelCard, resultsTable } from '../../src/hub/modelCard'
import { collate, createTrainer, dataset, model, rows, run, told } from './support'
import { temporaryFolder } from '../helpers/temporaryFolder'

describe('results', () => {
  it('prints metrics in columns', () => {
    const written: string[] = []
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation(text => (written.push(String(text)), true))
    onTestFinished(() => spy.mockRestore())
    createTrainer().logMetrics('train', { train_loss: 0.123456789, train_runtime: 3723.456, total_flos: 3.3e15 })
    expect(written.join('')).toBe(
      '***** train metrics *****\n  total_flos    =  3073364GF\n  train_loss    =     0.1235\n  train_runtime = 1:02:03.45\n',
    )
  })

  it('formats metrics for people, and leaves the given ones alone', () => {
    const metrics = { eval_runtime: 0.999, eval_mem_cpu_alloc_delta: 5 * 2 ** 20 + 7 }
    expect(createTrainer().metricsFormat(metrics)).toEqual({
      eval_runtime: '0:00:00.99',
      eval_mem_cpu_alloc_delta: '5MB',
    })
    expect(metrics.eval_runtime).toBe(0.999)
  })

  it('saves metrics as numbers, sorted, and all of them together', async () => {
    const trainer = createTrainer({ outputDir: join(temporaryFolder(), 'new') })
    const read = (name: string): string => readFileSync(join(trainer.args.outputDir, name), 'utf8')
    await trainer.saveMetrics('train', { train_loss: 0.5, epoch: 2 })
    await trainer.saveMetrics('eval', { eval_loss: NaN, epoch: 3 })
    await trainer.saveMetrics('test', { test_loss: 1 }, false)
    expect(read('train_results.json').trimEnd()).toBe('{\n    "epoch": 2,\n    "train_loss": 0.5\n}')
    expect(JSON.parse(read('all_results.json'))).toEqual({ epoch: 3, eval_loss: null, train_loss: 0.5 })
    expect(existsSync(join(trainer.args.outputDir, 'test_results.json'))).toBe(true)
  })

  it('saves the state', async () => {
    const { trainer, outputDir } = await run({ maxSteps: 2 })
    await trainer.saveState()
    expect(JSON.parse(readFileSync(join(outputDir, 'trainer_state.json'), 'utf8'))).toMatchObject({
      global_step: 2,
      max_steps: 2,
    })
  })
})

describe('what a Trainer tells of itself', () => {
  it('counts weights, examples and operations', async () => {
    const trainer = createTrainer({ perDeviceTrainBatchSize: 5 })
    const width = 8
    const embeddings = (30 + 12 + 2) * width
    const others =
      2 * width +
      4 * (width * width + width) +
      2 * width +
      (width * 12 + 12) +
      (12 * width + width) +
      2 * width +
      (width * width + width) +
      (2 * width + 2)
    expect(trainer.getNumTrainableParameters()).toBe(embeddings + others)
    expect(trainer.numExamples(trainer.getTrainDataloader())).toBe(12)
    expect(trainer.floatingPointOps(collate(rows(3).map(row => ({ ...row }))))).toBe(6 * 3 * 7 * others)
    expect([trainer.isLocalProcessZero(), trainer.isWorldProcessZero()]).toEqual([true, true])
  })

  it('groups parameters by weight decay', async () => {
    const trainer = createTrainer({ weightDecay: 0.3, maxSteps: 2, lrSchedulerType: 'constant' })
    expect(trainer.getDecayParameterNames()).toContain('classifier.weight')
    expect(trainer.getDecayParameterNames().filter(name => /bias|LayerNorm/.test(name))).toEqual([])
    expect(() => trainer.getLearningRates()).toThrow(/no optimizer yet/)
    await trainer.train()
    expect(trainer.getLearningRates()).toEqual([0.01, 0.01])
    expect(trainer.getOptimizerGroup('classifier.weight').weightDecay).toBe(0.3)
    expect(trainer.getOptimizerGroup('classifier.bias').weightDecay).toBe(0)
    expect(
      trainer
        .getOptimizerGroup()
        .flatMap(({ parameters }) => parameters)
        .toSorted(),
    ).toEqual([...trainer.model.parameters.keys()].toSorted())
    expect(() => trainer.getOptimizerGroup('nothing')).toThrow(/no parameter "nothing"/)
  })
})

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
    const [trainer, usual] = [createTrainer({ maxSteps: 1 }, {}, [], Doubled), await run({ maxSteps: 1 })]
    await trainer.train()
    expect(trainer.state.logHistory[0]!.loss).toBeCloseTo(2 * usual.losses[0]!, 5)
    expect(trainer.state.logHistory[0]!.grad_norm).toBeCloseTo(2 * (usual.history[0]!.grad_norm as number), 4)
    expect(calls).toBe(1) // while the graph is built, not for each batch
    expect((await trainer.evaluate()).eval_loss).toBeCloseTo(2 * (await usual.trainer.evaluate()).eval_loss!, 1)
  })

  it('takes a function, which becomes part of the graph', async () => {
    const [own, usual] = [await run({ maxSteps: 1 }, { computeLossFunc: doubled }), await run({ maxSteps: 1 })]
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
      model: model({}, { numLabels: 3 }),
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
      { model: model({}, { numLabels: 1 }), computeLossFunc: 'mean_squared_error' },
    )
    const same = await run(
      { maxSteps: 1 },
      {
        model: model({}, { numLabels: 1 }),
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
    const [given, balanced, none] = [
      await run({ maxSteps: 2 }, { trainDataset, classWeights: [12 / 18, 12 / 6] }),
      await run({ maxSteps: 2 }, { trainDataset, classWeights: 'balanced' }),
      await run({ maxSteps: 2 }, { trainDataset }),
    ]
    expect(balanced.losses).toEqual(given.losses)
    expect(balanced.losses).not.toEqual(none.losses)
    await expect(run({}, { classWeights: [1, 2, 3] })).rejects.toThrow(/classWeights should be 2 numbers/)
    await expect(run({}, { classWeights: [1, 2], computeLossFunc: doubled })).rejects.toThrow(
      /classWeights belong to the loss of the head/,
    )
    await expect(run({}, { classWeights: [1], model: model({}, { numLabels: 1 }) })).rejects.toThrow(
      /head is for regression/,
    )
  })

  it('says that smoothing has no effect on other heads', async () => {
    const messages = told()
    await run({ maxSteps: 1, labelSmoothingFactor: 0.1 }, { model: model({}, { numLabels: 1 }) })
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

describe('model card', () => {
  const history = [
    { eval_loss: 0.9, eval_accuracy: 0.5, eval_runtime: 1, epoch: 0.5, step: 1 },
    { loss: 0.71234567, learning_rate: 1, epoch: 1, step: 2 },
    { eval_loss: 0.25, eval_accuracy: 0.75, eval_samples_per_second: 2, epoch: 1, step: 2 },
    { train_runtime: 3, train_loss: 1, epoch: 1, step: 2 },
    { eval_loss: 0.2, eval_accuracy: 0.8, epoch: 2, step: 3 },
  ]

  it('has a row for every evaluation, those after training included', () => {
    expect(resultsTable(history)).toEqual([
      '| Training Loss | Epoch | Step | Validation Loss | Accuracy |',
      '|:-------------:|:-----:|:----:|:---------------:|:--------:|',
      '| No log        | 0.5   | 1    | 0.9             | 0.5      |',
      '| 0.7123        | 1     | 2    | 0.25            | 0.75     |',
      '| 0.7123        | 2     | 3    | 0.2             | 0.8      |',
    ])
  })

  it('has a header that the Hub reads', () => {
    const trainer = createTrainer({
      learningRate: 5e-5,
      labelSmoothingFactor: 0.1,
      gradientAccumulationSteps: 2,
      outputDir: join(temporaryFolder(), 'my-model'),
    })
    const card = modelCard(
      { args: trainer.args, model: trainer.model, logHistory: history, optimizer: 'adamw' },
      {
        language: 'en',
        license: 'apache-2.0',
        tags: ['generated_from_trainer', 'yes'],
        finetunedFrom: 'google/bert',
        datasetTags: 'nyu-mll/glue',
        dataset: 'GLUE MRPC',
        datasetArgs: 'mrpc',
      },
    )
    const [, header, body] = card.split(/^---$/m)
    expect(Object.keys(parse(header!) as object)).toEqual([
      'library_name',
      'language',
      'license',
      'base_model',
      'tags',
      'datasets',
      'metrics',
      'model-index',
    ])
    expect(parse(header!)).toEqual({
      library_name: 'transformers',
      language: ['en'],
      license: 'apache-2.0',
      base_model: 'google/bert',
      tags: ['generated_from_trainer', 'yes'],
      datasets: ['nyu-mll/glue'],
      metrics: ['accuracy'],
      'model-index': [
        {
          name: 'my-model',
          results: [
            {
              task: { name: 'Text Classification', type: 'text-classification' },
              dataset: { name: 'GLUE MRPC', type: 'nyu-mll/glue', config: 'mrpc', args: 'mrpc' },
              metrics: [{ name: 'Accuracy', type: 'accuracy', value: 0.8 }],
            },
          ],
        },
      ],
    })
    expect(body).toContain(
      '# my-model\n\nThis model is a fine-tuned version of [google/bert](https://huggingface.co/google/bert) on the GLUE MRPC dataset.',
    )
    expect(body).toContain('It achieves the following results on the evaluation set:\n- Loss: 0.2\n- Accuracy: 0.8\n')
    expect(body).toContain(
      '- learning_rate: 5e-05\n- train_batch_size: 4\n- eval_batch_size: 4\n- seed: 42\n- gradient_accumulation_steps: 2\n- total_train_batch_size: 8\n- optimizer: Use adamw_torch with betas=(0.9,0.999) and epsilon=1e-08 and optimizer_args=No additional optimizer arguments\n- lr_scheduler_type: linear\n- num_epochs: 2\n- label_smoothing_factor: 0.1\n',
    )
  })

  it('is written after a run, and keeps the tags that were there', async () => {
    const { trainer, outputDir } = await run({ evalStrategy: 'epoch' })
    writeFileSync(join(outputDir, 'README.md'), '---\ntags:\n- mine\n- "own: one"\n---\nold\n')
    await trainer.createModelCard({ modelName: 'true' })
    const card = readFileSync(join(outputDir, 'README.md'), 'utf8')
    const header = parse(card.split(/^---$/m)[1]!) as Record<string, unknown>
    expect(header.tags).toEqual(['mine', 'own: one', 'generated_from_trainer'])
    expect(header['model-index']).toEqual([{ name: 'true', results: [] }])
    expect(card).toContain('This model was trained from scratch on an unknown dataset.')
    expect(card.match(/^\| .*$/gm)).toHaveLength(3)
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

  it("a method of Python's that there is none of here", () => {
    class Own extends Trainer {
      trainingStep(): void {}
    }
    expect(() => createTrainer({}, {}, [], Own)).toThrow(/no method trainingStep to override.*computeLoss/s)
  })

  it('misspelt options of methods', async () => {
    const trainer = createTrainer({}, { modelInit: () => model() })
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
    const own = model()
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
