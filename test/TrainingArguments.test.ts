import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { argumentsDocument } from '../scripts/argumentsTable'
import { parseTrainingArguments } from '../src/arguments/commandLine'
import { optimizerKinds } from '../src/arguments/optimizers'
import { renamedArguments } from '../src/arguments/renamed'
import { camelCase, snakeCase } from '../src/arguments/spelling'
import { argumentNames, argumentRow } from '../src/arguments/table'
import { TrainerError } from '../src/errors'
import { TrainingArguments, type TrainingArgumentsOptions } from '../src/TrainingArguments'

/** As JavaScript would call it, with anything. */
const make = (options: Record<string, unknown>): TrainingArguments =>
  new TrainingArguments(options as TrainingArgumentsOptions)
const refusal = (options: Record<string, unknown>): string => {
  try {
    make(options)
  } catch (error) {
    expect(error).toBeInstanceOf(TrainerError)
    return (error as TrainerError).message
  }
  return 'accepted'
}

/** What transformers 5.23's `TrainingArguments(...).to_dict()` gives. */
const python = readFileSync(join(import.meta.dirname, 'fixtures/training_args.python.json'), 'utf8')
const pythonDict = JSON.parse(python) as Record<string, unknown>

describe('defaults', () => {
  it('are those of Hugging Face, field by field', () => {
    const ours = new TrainingArguments({ useCpu: true }).toDict()
    const differing: Record<string, unknown> = {
      output_dir: 'trainer_output',
      optim: 'adamw_torch', // the same rule as adamw_torch_fused
      eval_accumulation_steps: 1,
      restore_callback_states_from_checkpoint: true,
      accelerator_config: null, // Python builds it from null
    }
    // The fixture sets these; the values here are Python's defaults as its documentation has them.
    const set: Record<string, unknown> = {
      learning_rate: 5e-5,
      eval_strategy: 'no',
      eval_steps: null,
      save_steps: 500,
      load_best_model_at_end: false,
      metric_for_best_model: null,
      greater_is_better: null,
      lr_scheduler_type: 'linear',
      lr_scheduler_kwargs: null,
      optim_args: null,
      warmup_steps: 0,
      label_names: null,
      include_num_input_tokens_seen: 'no',
      save_total_limit: null,
      train_sampling_strategy: 'random',
      do_eval: false,
      run_name: null,
    }
    expect(ours).toEqual({ ...pythonDict, ...set, ...differing })
  })

  it('leave nothing out: every name is a property', () => {
    expect(Object.keys(new TrainingArguments())).toEqual(argumentNames)
  })
})

describe('what follows from other values', () => {
  it('evalSteps from loggingSteps', () => {
    expect(make({ evalStrategy: 'steps', loggingSteps: 20 }).evalSteps).toBe(20)
    expect(make({ evalStrategy: 'steps', loggingSteps: 20, evalSteps: 0 }).evalSteps).toBe(20)
    expect(make({ evalStrategy: 'epoch' }).evalSteps).toBeUndefined()
    expect(refusal({ evalStrategy: 'steps', loggingStrategy: 'no', loggingSteps: 0 })).toContain(
      'needs evalSteps or loggingSteps above 0',
    )
  })

  it('the metric for the best model and its direction', () => {
    const best = { evalStrategy: 'epoch', saveStrategy: 'epoch', loadBestModelAtEnd: true } as const
    expect(make(best)).toMatchObject({ metricForBestModel: 'loss', greaterIsBetter: false })
    expect(make({ ...best, metricForBestModel: 'eval_accuracy' })).toMatchObject({ greaterIsBetter: true })
    expect(make({ ...best, metricForBestModel: 'eval_b_loss' })).toMatchObject({ greaterIsBetter: false })
    expect(make({ ...best, metricForBestModel: 'wer', greaterIsBetter: false })).toMatchObject({
      greaterIsBetter: false,
    })
    expect(make({ evalStrategy: 'epoch', lrSchedulerType: 'greedy' }).metricForBestModel).toBe('loss')
    expect(make({ evalStrategy: 'epoch', saveStrategy: 'best' }).metricForBestModel).toBeUndefined()
  })

  it('doEval, tokens seen, reporters, progress bar, device', () => {
    expect(make({ evalStrategy: 'epoch', doEval: true }).doEval).toBe(true)
    expect(make({ evalStrategy: 'epoch' }).doEval).toBe(true)
    expect(make({ useCpu: true, dataloaderPinMemory: false }).dataloaderPinMemory).toBe(false)
    expect(
      [true, false, 'non_padding'].map(
        includeNumInputTokensSeen => make({ includeNumInputTokensSeen }).includeNumInputTokensSeen,
      ),
    ).toEqual(['all', 'no', 'non_padding'])
    expect(['none', ['none'], [], null].map(reportTo => make({ reportTo }).reportTo)).toEqual([[], [], [], []])
    expect(['passive', 'warning', 'error', 'critical'].map(logLevel => make({ logLevel }).disableTqdm)).toEqual([
      false,
      false,
      true,
      true,
    ])
    expect(make({ logLevel: 'error', disableTqdm: false }).disableTqdm).toBe(false)
    expect(['passive', 'detail', 'info'].map(logLevel => make({ logLevel }).getProcessLogLevel())).toEqual([
      undefined,
      'debug',
      'info',
    ])
    expect(make({ useCpu: true, device: 'auto' }).device).toBe('cpu')
    expect(refusal({ useCpu: true, device: 'cuda' })).toContain('contradict')
  })

  it('warm-up steps, from a number or a share', () => {
    expect([0, 0.1, 0.5, 1, 7, 7.9].map(warmupSteps => make({ warmupSteps }).getWarmupSteps(5))).toEqual([
      0, 1, 3, 1, 7, 7,
    ])
  })

  it('batch sizes', () => {
    expect(make({ perDeviceTrainBatchSize: 3, perDeviceEvalBatchSize: 5 })).toMatchObject({
      trainBatchSize: 3,
      evalBatchSize: 5,
    })
  })
})

describe('names', () => {
  it.each(Object.keys(renamedArguments))('%s is refused with what to do instead, in both spellings', name => {
    expect(refusal({ [name]: 1 })).toContain(renamedArguments[name])
    expect(refusal({ [snakeCase(name)]: 1 })).toContain(renamedArguments[name])
  })

  it('names in renamedArguments are not arguments themselves, and what they point to exists', () => {
    for (const [name, why] of Object.entries(renamedArguments)) {
      expect(argumentNames).not.toContain(name)
      const today = /(?:today's|its) name is (\w+)/.exec(why)?.[1]
      if (today !== undefined && today !== 'processingClass') expect(argumentNames).toContain(today)
    }
  })

  it('misspelt ones get the nearest, all problems at once', () => {
    expect(refusal({ learnignRate: 1 })).toBe('learnignRate is not a training argument. Did you mean learningRate?')
    expect(refusal({ completelyElsewhere: 1 })).toBe('completelyElsewhere is not a training argument.')
    expect(refusal({ learning_rate: 1 })).toContain('learning_rate is spelt learningRate here')
    expect(refusal({ evaluationStrategy: 'epoch', seed: 'x' })).toBe(
      '2 training arguments are wrong:\n' +
        "- evaluationStrategy is not a training argument: today's name is evalStrategy.\n" +
        "- seed should be a whole number of at least 0 and at most 4294967295, but is 'x' (a text).",
    )
  })

  it('do not compile if misspelt, or with a value of another kind', () => {
    // @ts-expect-error a misspelt name
    expect(() => new TrainingArguments({ learnignRate: 1 })).toThrow(TrainerError)
    // @ts-expect-error a value that evalStrategy does not have
    expect(() => new TrainingArguments({ evalStrategy: 'step' })).toThrow(
      "evalStrategy should be 'no' or 'steps' or 'epoch', but is 'step'.",
    )
  })

  it('go from camelCase to snake_case and back', () => {
    for (const name of argumentNames) expect(camelCase(snakeCase(name))).toBe(name)
    expect(argumentNames.filter(name => argumentRow(name).mark !== 'own').map(snakeCase)).toEqual(
      Object.keys(pythonDict),
    )
  })
})

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
      "includeForMetrics should be a list out of 'inputs', 'loss', but is [\"input\"].",
    ],
    [{ lrSchedulerType: 'linaer' }, "Did you mean 'linear'?"],
    [{ optim: 'adamw_8bit' }, "optim 'adamw_8bit' is refused: it keeps its state in 8 bits"],
    [{ optim: 'adamw_trch' }, "optim 'adamw_trch' is unknown"],
    [{ optim: 'adamw_hf' }, "use 'adamw_torch'"],
    [{ reportTo: 'wandb' }, 'trackers are not part of ts-trainer yet'],
    [{ reportTo: ['tensorboard'] }, 'reportTo should be \'none\', but is ["tensorboard"].'],
    [{ onNonFinite: 'ignore' }, "onNonFinite should be 'error' or 'skip' or 'continue'"],
  ])('%j', (options, message) => {
    expect(refusal(options)).toContain(message)
  })

  it('of the wrong kind are refused in every field', () => {
    for (const name of argumentNames)
      expect([name, refusal({ [name]: Symbol.iterator })]).not.toEqual([name, 'accepted'])
  })

  it('everything that is not one object is refused', () => {
    expect(() => new TrainingArguments('out' as never)).toThrow("Write new TrainingArguments({ outputDir: 'out' }).")
  })

  it('can not be changed afterwards, but copied', () => {
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

describe('fields that are not supported', () => {
  const unsupported = argumentNames.filter(name => argumentRow(name).refused !== undefined)
  const others: Readonly<Record<string, readonly unknown[]>> = {
    boolean: [true, false],
    number: [7],
    string: ['x'],
    object: [['x']],
    undefined: ['x', true, 1],
  }

  it.each(unsupported)('%s is accepted at its default only', name => {
    const { default: initial, refused } = argumentRow(name)
    expect(refusal({ [name]: initial })).toBe('accepted')
    const different = others[typeof initial]!.filter(value => value !== initial)
    for (const value of different) expect(refusal({ [name]: value })).toContain(`is refused: ${refused}`)
  })

  it('are never fields that users of Hugging Face must have', () => {
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

describe('files', () => {
  const options: TrainingArgumentsOptions = {
    outputDir: 'out/mrpc',
    useCpu: true,
    learningRate: 2e-5,
    evalStrategy: 'steps',
    evalSteps: 50,
    saveSteps: 100,
    loadBestModelAtEnd: true,
    metricForBestModel: 'accuracy',
    lrSchedulerType: 'cosine_with_min_lr',
    lrSchedulerKwargs: { minLrRate: 0.1 },
    optim: 'sgd',
    optimArgs: { momentum: 0.9, nesterov: true },
    warmupSteps: 0.1,
    labelNames: ['labels'],
    includeNumInputTokensSeen: true,
    saveTotalLimit: 2,
    trainSamplingStrategy: 'group_by_length',
    runName: 'first',
  }

  it('takes what Python wrote, and writes the same', () => {
    const read = TrainingArguments.fromJSON(python)
    const ours = new TrainingArguments({ ...options, restoreCallbackStatesFromCheckpoint: false })
    expect(read.toDict()).toEqual(ours.toDict())
    expect(ours.toDict()).toEqual({ ...pythonDict, accelerator_config: null, eval_accumulation_steps: 1 })
  })

  it('goes to JSON and back, own arguments too', () => {
    const args = new TrainingArguments({ ...options, device: 'auto', useCpu: false, onNonFinite: 'skip', threads: 2 })
    expect(TrainingArguments.fromJSON(args.toJsonString())).toEqual(args)
    expect(TrainingArguments.fromJSON(JSON.parse(JSON.stringify(args)) as object)).toEqual(args)
    expect(args.toDict()).toMatchObject({ on_non_finite: 'skip', threads: 2, device: 'auto' })
    expect(new TrainingArguments().toDict()).not.toHaveProperty('device') // Python would not know it
  })

  it('writes placeholders for tokens, and reads them as none', () => {
    expect(new TrainingArguments().toDict().hub_token).toBe('<HUB_TOKEN>')
    expect(TrainingArguments.fromJSON({ hub_token: '<HUB_TOKEN>' }).hubToken).toBeUndefined()
    expect(() => TrainingArguments.fromJSON({ hub_token: 'hf_x' })).toThrow('refused')
  })

  it('reads YAML in snake_case and camelCase', () => {
    const yaml =
      'learning_rate: 5e-5\neval_strategy: no # a word in YAML 1.2\nnumTrainEpochs: 1.5\nlr_scheduler_type: cosine\nlr_scheduler_kwargs:\n' +
      '  num_cycles: 2\noptim: sgd\noptim_args: momentum=0.9, dampening=1e-1\n'
    expect(TrainingArguments.fromFile('args.yaml', path => (path === 'args.yaml' ? yaml : ''))).toMatchObject({
      learningRate: 5e-5,
      evalStrategy: 'no',
      numTrainEpochs: 1.5,
      lrSchedulerKwargs: { numCycles: 2 },
      optimArgs: { momentum: 0.9, dampening: 0.1 },
    })
  })

  it("reads options of the schedule given as JSON text, with Python's types", () => {
    const read = TrainingArguments.fromJSON({
      lr_scheduler_type: 'warmup_stable_decay',
      lr_scheduler_kwargs: '{"num_decay_steps": "3", "min_lr_ratio": ".5"}',
    })
    expect(read.lrSchedulerKwargs).toEqual({ numDecaySteps: 3, minLrRatio: 0.5 })
  })

  it('refuses what it can not read', () => {
    expect(() => TrainingArguments.fromJSON('{"seed": ')).toThrow('neither JSON nor YAML')
    expect(() => TrainingArguments.fromJSON('[1]')).toThrow('this is a list')
    expect(() => TrainingArguments.fromJSON({ learning_rate: 1, learningRate: 2 })).toThrow('given twice')
    expect(() => TrainingArguments.fromJSON({ learning_rat: 1 })).toThrow('Did you mean learningRate?')
  })

  it('makes a plain dict for trackers', () => {
    const plain = new TrainingArguments({ labelNames: ['a'] }).toSanitizedDict()
    expect(plain).toMatchObject({
      train_batch_size: 8,
      eval_batch_size: 8,
      label_names: '["a"]',
      seed: 42,
      bf16: false,
    })
  })
})

describe('the command line', () => {
  const parse = (...argv: string[]) =>
    parseTrainingArguments(argv, {
      extra: {
        task: { type: 'text', help: 'GLUE task', default: 'mrpc' },
        seeds: { type: 'list', help: 'Seeds' },
        quick: { type: 'flag', help: 'Less of it', default: false },
      },
      readText: () => 'learning_rate: 1e-3\nseed: 7\ntask: rte\n',
    })

  it('takes every argument as a flag in three spellings', () => {
    for (const name of argumentNames) {
      const { default: initial, refused } = argumentRow(name)
      if (refused !== undefined || typeof initial !== 'number') continue
      for (const flag of [name, snakeCase(name), snakeCase(name).replaceAll('_', '-')]) {
        expect(parse(`--${flag}`, String(initial)).args[name]).toBe(initial)
        expect(parse(`--${flag}=${initial}`).args[name]).toBe(initial)
      }
    }
  })

  it('reads switches, lists, numbers, options, and keeps the rest', () => {
    const { args, extra, rest } = parse(
      'first',
      '--learning_rate',
      '5e-5',
      '--eval-on-start',
      '--no_remove_unused_columns',
      '--loggingFirstStep',
      'true',
      '--max_steps',
      '-1',
      '--label_names',
      'a',
      'b',
      '--include_for_metrics=inputs,loss',
      '--lr_scheduler_type',
      'cosine',
      '--lr_scheduler_kwargs',
      '{"num_cycles": "2"}',
      '--optim',
      'sgd',
      '--optim_args',
      'momentum=0.9',
      '--save_total_limit',
      'none',
      '--task',
      'sst2',
      '--seeds',
      '1',
      '2',
      '--quick',
      '--',
      '--left',
    )
    expect(args).toMatchObject({
      learningRate: 5e-5,
      evalOnStart: true,
      removeUnusedColumns: false,
      loggingFirstStep: true,
      maxSteps: -1,
      labelNames: ['a', 'b'],
      includeForMetrics: ['inputs', 'loss'],
      lrSchedulerKwargs: { numCycles: 2 },
      optimArgs: { momentum: 0.9 },
      saveTotalLimit: undefined,
    })
    expect(extra).toEqual({ task: 'sst2', seeds: ['1', '2'], quick: true })
    expect(rest).toEqual(['first', '--left'])
  })

  it('lets flags beat the file, and the file the defaults', () => {
    const { args, extra } = parse('--config', 'a.yaml', '--seed', '9')
    expect([args.learningRate, args.seed, args.weightDecay, extra.task]).toEqual([1e-3, 9, 0, 'rte'])
    expect(parseTrainingArguments(['--seed', '1'], { defaults: { seed: 5, learningRate: 1 } }).args).toMatchObject({
      seed: 1,
      learningRate: 1,
    })
  })

  it('refuses unknown flags and wrong values', () => {
    expect(() => parse('--learning_rat', '1')).toThrow(
      '--learning_rat: learningRat is not a training argument. Did you mean learningRate?',
    )
    expect(() => parse('--evaluation_strategy', 'epoch')).toThrow("today's name is evalStrategy")
    expect(() => parse('--tas', 'x')).toThrow('Did you mean --task?')
    expect(() => parse('--learning_rate', 'fast')).toThrow("--learning_rate should be a number, but is 'fast'.")
    expect(() => parse('--learning_rate')).toThrow('--learning_rate needs a value.')
    expect(() => parse('--eval_on_start=maybe')).toThrow('should be true or false')
    expect(() => parse('--fp16')).toThrow('fp16: true is refused')
    expect(parse('--no_fp16', '--bf16', 'false').args.fp16).toBe(false)
    expect(() => parse('--bf16', '--device', 'cuda')).toThrow("bfloat16 on 'cuda' is not part of ts-trainer yet")
    expect(() =>
      parseTrainingArguments([], { extra: { model: { type: 'text', help: 'Folder', required: true } } }),
    ).toThrow('--model is missing: Folder')
    expect(() => parseTrainingArguments(['--config', 'x'])).toThrow('reads no configuration files')
  })

  it('writes the help from the table', () => {
    const { help } = parse('--help')
    expect(help).toContain('--task TEXT')
    for (const name of argumentNames) {
      if (argumentRow(name).refused === undefined) expect(help).toContain(`--${snakeCase(name)}`)
      else expect(help).not.toContain(`--${snakeCase(name)} `)
    }
    expect(parse('-h').help).toBe(help)
    expect(parseTrainingArguments(['--help'], { defaults: { learningRate: 0.25 } }).help).toMatch(
      /--learning_rate NUMBER.* \[0\.25\]/,
    )
    expect(parse().help).toBeUndefined()
  })
})

describe('docs/arguments.md', () => {
  it('is what the table gives', () => {
    expect(readFileSync(join(import.meta.dirname, '../docs/arguments.md'), 'utf8')).toBe(argumentsDocument())
  })
})
