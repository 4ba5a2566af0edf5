import { describe, expect, it } from 'vitest'
import { optimizerKinds } from '../../src/arguments/optimizers'
import { argumentNames, argumentRow } from '../../src/arguments/table'
import { TrainingArguments } from '../../src/TrainingArguments'
import { make, refusal } from './make'

describe('values', () => {
  it.each([
    [{ learningRate: NaN }, 'learningRate should be a number of at least 0, but is NaN.'],
    [{ learningRate: -1 }, 'learningRate should be a number of at least 0, but is -1.'],
    [{ learningRate: '5e-5' }, "learningRate should be a number of at least 0, but is '5e-5' (a text)."],
    [{ perDeviceTrainBatchSize: 0 }, 'perDeviceTrainBatchSize should be a whole number of at least 1, but is 0.'],
    [{ gradientAccumulationSteps: 1.5 }, 'gradientAccumulationSteps should be a whole number of at least 1'],
    [{ adamBeta2: 1 }, 'adamBeta2 should be a number of at least 0 and below 1, but is 1.'],
    [{ warmupSteps: -1 }, 'warmupSteps should be a number of at least 0, but is -1.'],
    [{ seed: null }, 'seed should be a whole number of at least 0 and at most 4294967295, but is null.'],
    [
      { includeForMetrics: ['input'] },
      "includeForMetrics should be a list of any of 'inputs', 'loss', but is [\"input\"].",
    ],
    [{ lrSchedulerType: 'linaer' }, "Did you mean 'linear'?"],
    [{ saveStrategy: 'bset' }, "one of 'no', 'steps', 'epoch', 'best', but is 'bset'. Did you mean 'best'?"],
    [{ optim: 'adamw_8bit' }, "optim 'adamw_8bit' is refused: it keeps its state in 8 bits"],
    [{ optim: 'adamw_trch' }, "optim 'adamw_trch' is unknown"],
    [{ optim: 'adamw_hf' }, "use 'adamw_torch'"],
    [
      { reportTo: 'tensorbord' },
      "reportTo should be 'all', 'none', or any of 'tensorboard', 'wandb', 'mlflow', 'trackio', 'jsonl', 'html', but is 'tensorbord'. Did you mean 'tensorboard'?",
    ],
    [{ reportTo: ['mlflow', 'WandB'] }, "but is 'WandB'. Did you mean 'wandb'?"],
    [{ reportTo: 'comet_ml' }, "reportTo 'comet_ml' is refused: it has a client for Python only. Use 'all', "],
    [{ reportTo: ['none', 'mlflow'] }, "reportTo has 'none' beside other names. Leave one of them out."],
    [{ reportTo: '' }, "'html', but is ''."],
    [{ reportTo: [1] }, "'html', but is [1]."],
    [{ project: '' }, 'project should be a text that is not empty'],
    [{ onNonFinite: 'ignore' }, "onNonFinite should be 'error', 'skip' or 'continue'"],
  ])('%j', (options, message) => {
    expect(refusal(options)).toContain(message)
  })

  it('of the wrong kind are refused in every field', () => {
    for (const name of argumentNames)
      expect([name, refusal({ [name]: Symbol.iterator })]).not.toEqual([name, 'accepted'])
  })

  it('anything but one object is refused', () => {
    expect(() => new TrainingArguments('out' as never)).toThrow("Write new TrainingArguments({ outputDir: 'out' }).")
  })

  it('cannot be changed, but copied', () => {
    const args = make({ evalStrategy: 'steps', loggingSteps: 10 })
    expect(() => {
      ;(args as { seed: number }).seed = 1
    }).toThrow(TypeError)
    expect(args.with({ loggingSteps: 20, seed: 1 })).toMatchObject({
      evalStrategy: 'steps',
      loggingSteps: 20,
      evalSteps: 20,
      seed: 1,
    })
    expect(args).toMatchObject({ evalSteps: 10, seed: 42 })
    expect(() => args.with({ seed: -1 })).toThrow('seed')
  })
})

describe('unsupported arguments', () => {
  const unsupported = argumentNames.filter(name => argumentRow(name).refused !== undefined)
  const others: Readonly<Record<string, readonly unknown[]>> = {
    boolean: [true, false],
    number: [7],
    string: ['x'],
    object: [['x']],
    undefined: ['x', true, 1],
  }

  it.each(unsupported)('%s is only accepted at its default', name => {
    const { default: initial, refused } = argumentRow(name)
    expect(refusal({ [name]: initial })).toBe('accepted')
    const different = others[typeof initial]!.filter(value => value !== initial)
    for (const value of different) expect(refusal({ [name]: value })).toContain(`is refused: ${refused}`)
  })

  it('are never those that users of Hugging Face must have', () => {
    expect(unsupported.filter(name => argumentRow(name).mark === 'M')).toEqual([])
    expect(unsupported.filter(name => argumentRow(name).mark === 'S' && !/^(hub|push)/.test(name))).toEqual([])
  })
})

describe('contradictions', () => {
  const best = { loadBestModelAtEnd: true, evalStrategy: 'steps', saveStrategy: 'steps' }
  it.each([
    [{ loggingSteps: 0 }, "loggingStrategy 'steps' needs loggingSteps above 0"],
    [{ loggingSteps: 2.5 }, 'loggingSteps above 1 should be a whole number of updates, but is 2.5.'],
    [{ evalStrategy: 'steps', evalSteps: 1.5 }, 'evalSteps above 1'],
    [{ saveSteps: 10.5 }, 'saveSteps above 1'],
    [{ ...best, evalStrategy: 'epoch' }, "to be the same, but they are 'epoch' and 'steps'"],
    [{ ...best, evalStrategy: 'no', saveStrategy: 'no' }, "needs evaluations, but evalStrategy is 'no'"],
    [{ ...best, evalSteps: 50, saveSteps: 120 }, 'a multiple of evalSteps, but they are 120 and 50'],
    [{ ...best, evalSteps: 0.1, saveSteps: 100 }, 'a share of the run and a number of updates'],
    [{ ...best, evalSteps: 0.2, saveSteps: 0.3 }, 'a multiple of evalSteps, but they are 0.3 and 0.2'],
    [{ lrSchedulerType: 'reduce_lr_on_plateau' }, "follows a metric, but evalStrategy is 'no'"],
    [{ lrSchedulerType: 'greedy' }, "follows a metric, but evalStrategy is 'no'"],
    [
      { lrSchedulerKwargs: { numCycles: 2 } },
      'lrSchedulerKwargs.numCycles is unknown: the schedule linear takes no options',
    ],
    [{ lrSchedulerType: 'warmup_stable_decay' }, 'needs numDecaySteps'],
    [{ lrSchedulerType: 'polynomial', learningRate: 1e-8 }, 'needs an lrEnd below the learning rate'],
    [{ optimArgs: { momentum: 0.9 } }, 'optimArgs.momentum is unknown: adamw_torch takes no options'],
    [{ optim: 'sgd', optimArgs: { momentun: 0.9 } }, 'Did you mean momentum?'],
    [{ optim: 'sgd', optimArgs: { weightDecay: 0.9 } }, 'Use the training argument weightDecay.'],
    [{ optim: 'sgd', optimArgs: { nesterov: true } }, 'needs a momentum above 0'],
    [{ optim: 'rmsprop', optimArgs: { alpha: 'x' } }, 'optimArgs.alpha should be a number'],
    [{ optim: 'sgd', optimArgs: 'momentum' }, 'like "momentum=0.9,nesterov=True"'],
  ])('%j', (options, message) => {
    expect(refusal(options)).toContain(message)
  })

  it.each([
    { ...best, evalSteps: 50, saveSteps: 100 },
    { ...best, evalSteps: 0.1, saveSteps: 0.3 }, // 0.3 % 0.1 is not 0 in floating point
    { ...best, evalStrategy: 'epoch', saveStrategy: 'epoch' },
    { ...best, evalStrategy: 'epoch', saveStrategy: 'best' },
    { loggingStrategy: 'no', loggingSteps: 0 },
    { saveSteps: -1 },
    { evalStrategy: 'epoch', lrSchedulerType: 'reduce_lr_on_plateau', lrSchedulerKwargs: { patience: 0, minLr: 1e-6 } },
    { optim: 'sgd', optimArgs: { momentum: 0.9, nesterov: true } },
    { optim: 'adagrad', optimArgs: { lrDecay: 0.1 } },
  ])('accepts %j', options => {
    expect(refusal(options)).toBe('accepted')
  })

  it('knows the rule behind every optimizer name', () => {
    expect(Object.keys(optimizerKinds).map(optim => [optim, make({ optim }).optimizerKind])).toEqual(
      Object.entries(optimizerKinds),
    )
  })
})
