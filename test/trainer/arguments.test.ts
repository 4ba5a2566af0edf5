import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { argumentNames, argumentRow, type ArgumentName } from '../../src/arguments/table'
import { checkBfloat16 } from '../../src/engine/bfloat16'
import {
  createProfile,
  Dataset,
  JsonlLogCallback,
  type LogLevel,
  PrinterCallback,
  ProgressCallback,
  setLogLevel,
  type Tensor,
  TrainerCallback,
  TrainingArguments,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { collate, createTrainer, dataset, model, plain, rows, run, told, weights } from './support'
import { temporaryFolder } from '../helpers/temporaryFolder'

const accuracy = ({ predictions, labels }: { predictions: Tensor; labels: Tensor }): Record<string, number> => {
  const chosen = predictions.argmax(-1)
  return {
    accuracy:
      labels.data.filter((label: unknown, i: number) => Number(label) === Number(chosen.data[i])).length / labels.size,
  }
}
const steps = (entries: readonly Readonly<Record<string, unknown>>[]): unknown[] => entries.map(entry => entry.step)
/** Metrics that go 2, 3, 1: the second evaluation is the highest, the third the lowest. */
const rising = () => {
  const scores = [2, 3, 1]
  return () => ({ score: scores.shift()! })
}
/** Whether a run's losses are others than those of the plain run with some arguments. */
async function expectOtherLosses(
  args: TrainingArgumentsOptions,
  than: TrainingArgumentsOptions = {},
  options: Parameters<typeof run>[1] = {},
): Promise<void> {
  const [changed, same] = [
    await run({ ...than, ...args }, options),
    await run(than, options.model === undefined ? options : { ...options, model: model({ hidden_dropout_prob: 0.3 }) }),
  ]
  expect(changed.losses).not.toEqual(same.losses)
  expect(changed.losses.every(Number.isFinite)).toBe(true)
}
const onlyStep = { maxSteps: 1, loggingSteps: 1 } as const
const broken = () => {
  const made = model()
  made.parameter('classifier.bias').data[0] = NaN
  return made
}

/** For every argument a run that changes with it. */
const effects: Partial<Record<ArgumentName, () => Promise<void> | void>> = {
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
  learningRate: async () => {
    expect((await run({ learningRate: 0.05 })).history[0]!.learning_rate).toBe(0.05)
    await expectOtherLosses({ learningRate: 0.05 })
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
    const rate = ({ history }: Awaited<ReturnType<typeof run>>): unknown[] =>
      history.slice(0, 4).map(entry => entry.learning_rate)
    expect(rate(await run({ warmupSteps: 2 }))).toEqual([0, 0.005, 0.01, 0.0075])
    expect(rate(await run({ warmupSteps: 0.3 }))).toEqual([0, 0.005, 0.01, 0.0075]) // ⌈0.3 · 6⌉ updates
  },
  optim: async () => {
    for (const optim of ['sgd', 'adagrad', 'rmsprop', 'adafactor', 'lion_32bit'] as const)
      await expectOtherLosses({ optim, maxSteps: 2 }, { maxSteps: 2 })
  },
  optimArgs: () => expectOtherLosses({ optimArgs: { momentum: 0.9 } }, { optim: 'sgd' }),
  weightDecay: async () => {
    const still = {
      learningRate: 0.1,
      optim: 'sgd',
      maxGradNorm: 1e-30,
      lrSchedulerType: 'constant',
      maxSteps: 1,
    } as const
    const [before, { trainer }] = [weights(model()), await run({ ...still, weightDecay: 0.5 })]
    const after = weights(trainer.model)
    expect(after['classifier.weight']![0]! / before['classifier.weight']![0]!).toBeCloseTo(1 - 0.1 * 0.5)
    expect(after['bert.embeddings.LayerNorm.weight']).toEqual(before['bert.embeddings.LayerNorm.weight'])
  },
  adamBeta1: () => expectOtherLosses({ adamBeta1: 0.5 }),
  adamBeta2: () => expectOtherLosses({ adamBeta2: 0.5 }),
  adamEpsilon: () => expectOtherLosses({ adamEpsilon: 0.1 }),
  gradientAccumulationSteps: async () => {
    const [grouped, whole] = [
      await run({ gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 4 }),
      await run({ perDeviceTrainBatchSize: 8 }),
    ]
    expect(grouped.output.globalStep).toBe(4) // 3 micro-batches an epoch: 2 and 1
    grouped.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i]!, 5))
  },
  maxGradNorm: () => expectOtherLosses({ maxGradNorm: 0.01 }, { optim: 'sgd', learningRate: 0.5 }),
  gradientCheckpointing: async () => {
    const ran = async (gradientCheckpointing: boolean) => {
      const profile = createProfile({ operators: join(temporaryFolder(), 'operators') })
      const { trainer, losses } = await run(
        { ...onlyStep, gradientCheckpointing },
        { model: model({ num_hidden_layers: 2, hidden_dropout_prob: 0.3 }), profile },
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
    const [kept, again] = [await ran(false), await ran(true)]
    expect(again.losses).toEqual(kept.losses)
    expect(again.products).toBe(kept.products + 6) // the first of two layers
  },
  labelSmoothingFactor: () => expectOtherLosses({ labelSmoothingFactor: 0.2 }),
  loggingStrategy: async () => {
    expect(steps((await run({ loggingStrategy: 'epoch' })).history)).toEqual([3, 6, 6])
    expect(steps((await run({ loggingStrategy: 'no' })).history)).toEqual([6])
  },
  loggingSteps: async () => {
    expect(steps((await run({ loggingSteps: 2 })).history)).toEqual([2, 4, 6, 6])
    expect(steps((await run({ loggingSteps: 0.5 })).history)).toEqual([3, 6, 6])
  },
  loggingFirstStep: async () =>
    expect(steps((await run({ loggingSteps: 4, loggingFirstStep: true })).history)).toEqual([1, 4, 6]),
  loggingNanInfFilter: async () => {
    const first = async (loggingNanInfFilter: boolean) =>
      (await run({ ...onlyStep, onNonFinite: 'continue', loggingNanInfFilter }, { model: broken() })).losses[0]
    expect(await first(true)).toBe(0)
    expect(await first(false)).toBeNaN()
  },
  includeNumInputTokensSeen: async () => {
    const seen = async (includeNumInputTokensSeen: 'no' | 'all' | 'non_padding') =>
      (await run({ ...onlyStep, trainSamplingStrategy: 'sequential', includeNumInputTokensSeen })).history[0]!
    const lengths = rows(4).map(row => row.input_ids.length)
    expect(await seen('no')).not.toHaveProperty('num_input_tokens_seen')
    expect((await seen('all')).num_input_tokens_seen).toBe(4 * Math.max(...lengths))
    expect(await seen('non_padding')).toMatchObject({
      num_input_tokens_seen: lengths.reduce((a, b) => a + b),
      train_tokens_per_second: expect.any(Number),
    })
  },
  logLevel: async () => {
    const heard = async (logLevel: LogLevel): Promise<boolean> => {
      const messages = told()
      await run({
        ...onlyStep,
        logLevel,
        labelSmoothingFactor: 0,
        saveStrategy: 'steps',
        evalStrategy: 'steps',
        loadBestModelAtEnd: true,
        evalSteps: 1,
        saveSteps: 1,
      })
      return messages.some(message => message.includes('The model is that of step 1'))
    }
    onTestFinished(() => setLogLevel('warning'))
    expect([await heard('info'), await heard('warning')]).toEqual([true, false])
  },
  disableTqdm: () => {
    const printers = (disableTqdm: boolean): boolean[] =>
      [PrinterCallback, ProgressCallback].map(kind =>
        createTrainer({ disableTqdm }).callbackHandler.callbacks.some(one => one instanceof kind),
      )
    expect(printers(true)).toEqual([true, false])
    expect(printers(false)).toEqual([false, true])
  },
  reportTo: () => {
    expect(createTrainer({ reportTo: 'none' }).callbackHandler.callbacks).toHaveLength(1) // the flow of the loop alone
    expect(() => createTrainer({ reportTo: 'wandb' })).toThrow(/reportTo.*wandb/s)
  },
  runName: async () => {
    const lines: string[] = []
    await run({ ...onlyStep, runName: 'mine' }, { callbacks: [new JsonlLogCallback(line => void lines.push(line))] })
    expect(JSON.parse(lines[0]!)).toMatchObject({ run_name: 'mine', step: 1 })
  },
  evalStrategy: async () => {
    expect(steps((await run({ evalStrategy: 'epoch' })).evaluations)).toEqual([3, 6])
    expect(steps((await run({ evalStrategy: 'steps', loggingSteps: 4 })).evaluations)).toEqual([4, 6])
    expect((await run()).evaluations).toEqual([])
  },
  evalSteps: async () => {
    expect(steps((await run({ evalStrategy: 'steps', evalSteps: 2 })).evaluations)).toEqual([2, 4, 6])
    expect(steps((await run({ evalStrategy: 'steps', evalSteps: 0.5 })).evaluations)).toEqual([3, 6])
  },
  evalDelay: async () => {
    expect(steps((await run({ evalStrategy: 'steps', evalSteps: 1, evalDelay: 4 })).evaluations)).toEqual([4, 5, 6])
    expect(steps((await run({ evalStrategy: 'epoch', evalDelay: 1.5 })).evaluations)).toEqual([6])
  },
  perDeviceEvalBatchSize: async () => {
    const predicted = async (perDeviceEvalBatchSize: number): Promise<number> => {
      let count = 0
      await createTrainer(
        { perDeviceEvalBatchSize },
        { callbacks: [{ onPredictionStep: () => void count++ }] },
      ).evaluate()
      return count
    }
    expect([await predicted(2), await predicted(7)]).toEqual([4, 1])
  },
  predictionLossOnly: async () => {
    const keys = async (predictionLossOnly: boolean) =>
      Object.keys(await createTrainer({ predictionLossOnly }, { computeMetrics: accuracy }).evaluate())
    expect(await keys(false)).toContain('eval_accuracy')
    expect(await keys(true)).not.toContain('eval_accuracy')
  },
  evalOnStart: async () => expect(steps((await run({ evalOnStart: true })).evaluations)).toEqual([0]),
  evalAccumulationSteps: async () => {
    const order = async (evalAccumulationSteps: number): Promise<string> => {
      let seen = ''
      await createTrainer(
        { perDeviceEvalBatchSize: 2, evalAccumulationSteps },
        {
          computeMetrics: accuracy,
          callbacks: [{ onPredictionStep: () => void (seen += 's') }],
          preprocessLogitsForMetrics: logits => ((seen += 'p'), logits),
        },
      ).evaluate()
      return seen
    }
    expect(await order(1)).toBe('pspspsps')
    expect(await order(3)).toBe('sspppsps') // fetched together: after three batches, and at the end
  },
  includeForMetrics: async () => {
    const given = async (
      includeForMetrics: ('inputs' | 'loss')[],
    ): Promise<{ inputs?: Tensor; losses?: Float64Array }> => {
      let seen: { inputs?: Tensor; losses?: Float64Array } = {}
      await createTrainer(
        { includeForMetrics, perDeviceEvalBatchSize: 3 },
        { computeMetrics: prediction => ((seen = prediction), {}) },
      ).evaluate()
      return seen
    }
    const both = await given(['inputs', 'loss'])
    expect(both.inputs!.dims).toEqual([7, 7])
    // batches in the dataset's order, as in Hugging Face: zeros up to a batch's longest row, -100 up to the longest of
    // all
    const ids = rows(7).map(({ input_ids }) => input_ids)
    const widths = [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)].map(batch =>
      Math.max(...batch.map(row => row.length)),
    )
    const expected = ids.map((row, i) =>
      Array.from({ length: 7 }, (_, at) => row[at] ?? (at < widths[Math.floor(i / 3)]! ? 0 : -100)),
    )
    expect(both.inputs!.tolist()).toEqual(expected)
    expect(expected.flat()).toContain(-100)
    expect(both.losses).toHaveLength(7)
    const none = await given([])
    expect([none.inputs, none.losses]).toEqual([undefined, undefined])
  },
  batchEvalMetrics: async () => {
    const sizes: [number, boolean][] = []
    await createTrainer(
      { batchEvalMetrics: true, perDeviceEvalBatchSize: 3 },
      { computeMetrics: ({ labels }, last) => (sizes.push([labels.size, last]), { seen: sizes.length }) },
    ).evaluate()
    expect(sizes).toEqual([
      [3, false],
      [3, false],
      [1, true],
    ])
  },
  saveOnlyModel: async () => {
    const saved = async (saveOnlyModel: boolean) =>
      existsSync(
        join(
          (await run({ ...onlyStep, saveStrategy: 'steps', saveOnlyModel })).outputDir,
          'checkpoint-1',
          'optimizer.safetensors',
        ),
      )
    expect([await saved(false), await saved(true)]).toEqual([true, false])
  },
  saveStrategy: async () => {
    expect((await run({ saveStrategy: 'epoch' })).checkpoints).toEqual(['checkpoint-3', 'checkpoint-6'])
    expect((await run({ saveStrategy: 'steps', saveSteps: 4 })).checkpoints).toEqual(['checkpoint-4', 'checkpoint-6'])
    expect((await run({ saveStrategy: 'no' })).checkpoints).toEqual([])
    const best = await run(
      { saveStrategy: 'best', evalStrategy: 'steps', evalSteps: 2, metricForBestModel: 'score' },
      { computeMetrics: rising() },
    )
    expect(best.checkpoints).toEqual(['checkpoint-2', 'checkpoint-4'])
  },
  saveSteps: async () => {
    expect((await run({ saveStrategy: 'steps', saveSteps: 0.5 })).checkpoints).toEqual(['checkpoint-3', 'checkpoint-6'])
    expect((await run({ saveStrategy: 'steps', saveSteps: 0 })).checkpoints).toEqual(['checkpoint-6'])
  },
  saveTotalLimit: async () => {
    expect((await run({ saveStrategy: 'steps', saveSteps: 1, saveTotalLimit: 2 })).checkpoints).toEqual([
      'checkpoint-5',
      'checkpoint-6',
    ])
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
  loadBestModelAtEnd: async () => {
    const kept = async (loadBestModelAtEnd: boolean) => {
      const { trainer } = await run(
        {
          loadBestModelAtEnd,
          evalStrategy: 'steps',
          evalSteps: 2,
          saveStrategy: 'steps',
          saveSteps: 2,
          metricForBestModel: 'score',
        },
        { computeMetrics: rising() },
      )
      return { best: trainer.state.bestGlobalStep, weights: weights(trainer.model) }
    }
    const atFour: number[][] = []
    const [best, last] = [await kept(true), await kept(false)]
    await run(
      {},
      {
        callbacks: [
          {
            onStepEnd: (_args, { globalStep }, _control, context) =>
              void (globalStep === 4 && atFour.push(weights(context.model as never)['classifier.weight']!)),
          },
        ],
      },
    )
    expect(best.best).toBe(4)
    expect(best.weights['classifier.weight']).toEqual(atFour[0])
    expect(last.weights).not.toEqual(best.weights)
  },
  metricForBestModel: async () => {
    const best = async (metricForBestModel: string) => {
      const { trainer } = await run(
        {
          metricForBestModel,
          evalStrategy: 'steps',
          evalSteps: 2,
          saveStrategy: 'steps',
          saveSteps: 2,
          logLevel: 'error',
        },
        {
          computeMetrics: (
            (scores = [1, 2, 3]) =>
            () => {
              const a = scores.shift()!
              return { a, b: -a }
            }
          )(),
        },
      )
      return [trainer.state.bestMetric, trainer.state.bestGlobalStep]
    }
    expect(await best('a')).toEqual([3, 6])
    expect(await best('eval_b')).toEqual([-1, 2])
  },
  greaterIsBetter: async () => {
    const best = async (greaterIsBetter: boolean) =>
      (
        await run(
          {
            metricForBestModel: 'score',
            greaterIsBetter,
            evalStrategy: 'steps',
            evalSteps: 2,
            saveStrategy: 'steps',
            saveSteps: 2,
          },
          { computeMetrics: rising() },
        )
      ).trainer.state.bestGlobalStep
    expect([await best(true), await best(false)]).toEqual([4, 6])
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
  seed: async () => {
    expect((await run({ seed: 1 })).batches).not.toEqual((await run()).batches)
    const dropout = { trainSamplingStrategy: 'sequential' } as const
    await expectOtherLosses({ seed: 1 }, dropout, { model: model({ hidden_dropout_prob: 0.3 }) })
  },
  dataSeed: async () => {
    const [own, other] = [await run({ dataSeed: 1 }), await run({ seed: 1 })]
    expect(own.batches).toEqual(other.batches)
    expect(own.batches).not.toEqual((await run()).batches)
  },
  useCpu: async () => {
    expect(new TrainingArguments({ device: 'auto', useCpu: true }).device).toBe('cpu')
    expect(() => createTrainer({ device: 'cuda', useCpu: true })).toThrow(/useCpu and device 'cuda'/)
    expect((await run({ ...onlyStep, device: 'auto', useCpu: true })).output.globalStep).toBe(1)
  },
  bf16: () => expectBfloat16({ bf16: true }),
  bf16FullEval: () => expectBfloat16({ bf16FullEval: true }),
  pluginLibrary: async () => {
    await expect(run({ ...onlyStep, device: 'other:cpu', pluginLibrary: '/nowhere/plugin.so' })).rejects.toThrow(
      /plug-in provider \/nowhere\/plugin\.so does not load/,
    )
  },
  providerOptions: async () => {
    await expect(run({ ...onlyStep, providerOptions: { use_tf32: '0' } })).rejects.toThrow(
      /provider 'cpu' takes no options.*use_tf32/s,
    )
  },
  dataloaderDropLast: async () => {
    const { batches } = await run({ perDeviceTrainBatchSize: 5, dataloaderDropLast: true, numTrainEpochs: 1 })
    expect(batches.map(batch => batch.length)).toEqual([5, 5])
    expect(
      (await createTrainer({ dataloaderDropLast: true, perDeviceEvalBatchSize: 4 }).predict(dataset(7))).predictions
        .dims,
    ).toEqual([4, 2])
  },
  removeUnusedColumns: async () => {
    const columns = async (removeUnusedColumns: boolean) => {
      let seen: string[] = []
      const trainDataset = Dataset.fromRows(rows(4).map(row => ({ ...row, note: 7 })))
      await run(
        { ...onlyStep, removeUnusedColumns },
        { trainDataset, dataCollator: given => ((seen = Object.keys(given[0]!)), collate(given)) },
      )
      return seen
    }
    expect(await columns(true)).not.toContain('note')
    expect(await columns(false)).toContain('note')
  },
  labelNames: async () => {
    const trainDataset = Dataset.fromRows(rows(4).map(({ label, ...row }) => ({ ...row, target: label })))
    expect((await run({ ...onlyStep, labelNames: ['target'] }, { trainDataset })).losses[0]).toBeGreaterThan(0)
    await expect(run(onlyStep, { trainDataset })).rejects.toThrow(/no labels.*labelNames/s)
  },
  trainSamplingStrategy: async () => {
    expect((await run({ trainSamplingStrategy: 'sequential', numTrainEpochs: 1 })).batches.flat()).toEqual(
      Array.from({ length: 12 }, (_, i) => i),
    )
    const grouped = (await run({ trainSamplingStrategy: 'group_by_length', numTrainEpochs: 1 })).batches
    expect(rows(12)[grouped[0]![0]!]!.input_ids).toHaveLength(7) // the longest row first
    expect(grouped).not.toEqual((await run({ numTrainEpochs: 1 })).batches)
  },
  lengthColumnName: async () => {
    const trainDataset = Dataset.fromRows(rows(12).map((row, i) => ({ ...row, weight: i === 5 ? 99 : 1 })))
    const { batches } = await run(
      { trainSamplingStrategy: 'group_by_length', lengthColumnName: 'weight', numTrainEpochs: 1 },
      { trainDataset },
    )
    expect(batches[0]![0]).toBe(5)
  },
}

/**
 * bfloat16 trains where the processor has AMX and the plug-in is there, and is refused elsewhere, before anything is
 * done.
 */
async function expectBfloat16(args: TrainingArgumentsOptions): Promise<void> {
  try {
    checkBfloat16()
  } catch (error) {
    expect(() => new TrainingArguments(args)).toThrow((error as Error).message)
    return
  }
  await expectOtherLosses(args)
}

describe('every argument that a user must or should have', () => {
  const wanted = argumentNames.filter(
    name => ['M', 'S'].includes(argumentRow(name).mark) && argumentRow(name).refused === undefined,
  )

  it('has a test', () => {
    expect(wanted.filter(name => effects[name] === undefined)).toEqual([])
  })

  it.each(Object.entries(effects))('%s', async (_name, effect) => {
    await effect()
  })
})

describe('onNonFinite', () => {
  it('stops the run by default, naming the step and the fix', async () => {
    await expect(run(onlyStep, { model: broken() })).rejects.toThrow(
      /loss is NaN at step 1 .*learning rate.*onNonFinite/s,
    )
  })

  it('skips such updates and counts them', async () => {
    const spoiled = broken()
    const before = weights(spoiled)['bert.pooler.dense.weight']
    const { trainer, history } = await run({ maxSteps: 2, onNonFinite: 'skip' }, { model: spoiled })
    expect(history[1]).toMatchObject({ skipped_updates: 2, step: 2 })
    expect(weights(trainer.model)['bert.pooler.dense.weight']).toEqual(before)
  })

  it('goes on after one bad update: nothing of it is left in later gradients', async () => {
    const spoilt = model()
    const whole = spoilt.parameter('classifier.bias').data.slice()
    const spoil = {
      onStepBegin: (
        _args: unknown,
        { globalStep }: { readonly globalStep: number },
        _control: unknown,
        context: { readonly model?: unknown },
      ) => {
        ;(context.model as typeof spoilt).parameter('classifier.bias').data.set(globalStep === 1 ? [NaN, 0] : whole)
      },
    }
    // 130 words: a table whose gradient comes as rows
    const { trainer } = await run(
      { maxSteps: 4, onNonFinite: 'skip', learningRate: 0 },
      { model: model({ vocab_size: 130 }), callbacks: [spoil] },
    )
    expect(
      trainer.state.logHistory
        .filter(entry => entry.loss !== undefined)
        .map(({ skipped_updates: skipped = 0 }) => skipped),
    ).toEqual([0, 1, 1, 1])
    expect(
      trainer.state.logHistory
        .filter(entry => entry.loss !== undefined)
        .slice(2)
        .every(({ grad_norm: norm }) => Number.isFinite(norm)),
    ).toBe(true)
  })
})

it('what is written of the arguments is read again', async () => {
  const { outputDir } = await run({ ...onlyStep, saveStrategy: 'steps' })
  const read = TrainingArguments.fromJSON(readFileSync(join(outputDir, 'checkpoint-1', 'training_args.json'), 'utf8'))
  expect(read.toDict()).toEqual(
    new TrainingArguments({ ...plain, ...onlyStep, saveStrategy: 'steps', outputDir }).toDict(),
  )
})
