import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { TrainingArguments, type TrainingArgumentsOptions } from '../../src/TrainingArguments'
import { python, pythonDict } from './make'

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

  it('reads what Python wrote, and writes the same', () => {
    const asInPython = { restoreCallbackStatesFromCheckpoint: false, enableJitCheckpoint: false }
    const read = TrainingArguments.fromJSON(python)
    const ours = new TrainingArguments({ ...options, ...asInPython })
    expect(read.toDict()).toEqual(ours.toDict())
    expect(ours.toDict()).toEqual({ ...pythonDict, accelerator_config: null, eval_accumulation_steps: 1 })
  })

  it('goes to JSON and back, also with arguments of ts-trainer alone', () => {
    const args = new TrainingArguments({ ...options, device: 'auto', useCpu: false, onNonFinite: 'skip', threads: 2 })
    expect(TrainingArguments.fromJSON(args.toJsonString())).toEqual(args)
    expect(TrainingArguments.fromJSON(JSON.parse(JSON.stringify(args)) as object)).toEqual(args)
    expect(args.toDict()).toMatchObject({ on_non_finite: 'skip', threads: 2, device: 'auto' })
    expect(new TrainingArguments().toDict()).not.toHaveProperty('device') // Python would not know it
  })

  it('writes placeholders for tokens, and reads them as none', () => {
    expect(new TrainingArguments().toDict().hub_token).toBe('<HUB_TOKEN>')
    expect(TrainingArguments.fromJSON({ hub_token: '<HUB_TOKEN>' }).hubToken).toBeUndefined()
    const args = TrainingArguments.fromJSON({ hub_token: 'hf_x' })
    expect(args.hubToken).toBe('hf_x')
    expect(args.with({ seed: 1 }).hubToken).toBe('hf_x')
    const shown = [
      args.toJsonString(),
      JSON.stringify(args.toSanitizedDict()),
      inspect(args),
      JSON.stringify({ ...args }),
    ]
    for (const text of shown) expect(text).not.toContain('hf_x')
  })

  it('reads YAML in snake_case and camelCase', () => {
    const yaml =
      'learning_rate: 5e-5\neval_strategy: no # a word in YAML 1.2\nnumTrainEpochs: 1.5\n' +
      'lr_scheduler_type: cosine\nlr_scheduler_kwargs:\n' +
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

  it('refuses what it cannot read', () => {
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
