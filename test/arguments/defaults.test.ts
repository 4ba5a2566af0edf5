import { describe, expect, it } from 'vitest'
import { argumentNames } from '../../src/arguments/table'
import { TrainingArguments } from '../../src/TrainingArguments'
import { make, pythonDict, refusal } from './make'

describe('defaults', () => {
  it('are those of Hugging Face, field by field', () => {
    const ours = new TrainingArguments({ useCpu: true }).toDict()
    const differing: Record<string, unknown> = {
      output_dir: 'trainer_output',
      optim: 'adamw_torch', // the same rule as adamw_torch_fused
      eval_accumulation_steps: 1,
      restore_callback_states_from_checkpoint: true,
      enable_jit_checkpoint: true, // SIGTERM loses nothing
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

  it('doEval, tokens seen, trackers, progress bar, device', () => {
    expect(make({ evalStrategy: 'epoch', doEval: true }).doEval).toBe(true)
    expect(make({ evalStrategy: 'epoch' }).doEval).toBe(true)
    expect(make({ useCpu: true, dataloaderPinMemory: false }).dataloaderPinMemory).toBe(false)
    expect(
      [true, false, 'non_padding'].map(
        includeNumInputTokensSeen => make({ includeNumInputTokensSeen }).includeNumInputTokensSeen,
      ),
    ).toEqual(['all', 'no', 'non_padding'])
    expect(['none', ['none'], [], null].map(reportTo => make({ reportTo }).reportTo)).toEqual([[], [], [], []])
    expect(make({ reportTo: 'mlflow' }).reportTo).toEqual(['mlflow'])
    expect(make({ reportTo: ['jsonl', 'all', 'jsonl'] }).reportTo).toEqual(['jsonl', 'all'])
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
