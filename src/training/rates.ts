import type { JsonObject } from '../json'
import { quoted, TrainerError } from '../errors'
import { shown } from '../options'
import { createMetricSchedule, type MetricScheduleState } from '../optim/metricSchedule'
import { createSchedule, isMetricSchedule, type Schedule } from '../optim/schedules'
import type { TrainingArguments } from '../TrainingArguments'
import type { Metrics } from '../metrics/Metrics'

/** Where an update's learning rate comes from. */
export interface RateSource {
  /** The rate of the update after `steps` others. */
  rate(steps: number): number
  /** An update was left out because float16 overflowed: the next one has its rate. */
  repeat(): void
  /** Takes note of every evaluation in the loop. @throws TrainerError when the metric that it follows is not among them. */
  evaluated(metrics: Metrics): void
  /** What a checkpoint keeps. */
  state(steps: number): JsonObject
  /**
   * Continues after `steps` updates with what a checkpoint kept; starts from scratch there if it kept nothing
   * (`save_only_model`), as Hugging Face does.
   */
  restore(state: JsonObject | undefined, steps: number): void
}

/** The schedule that the arguments name, or a custom one: from the number of updates made to a factor. */
export function rateSource(args: TrainingArguments, totalSteps: number, own: Schedule | undefined): RateSource {
  const base = args.learningRate
  if (own === undefined && isMetricSchedule(args.lrSchedulerType)) return metricRates(args)
  const schedule = createSchedule({
    type: own ?? (args.lrSchedulerType as Exclude<typeof args.lrSchedulerType, 'reduce_lr_on_plateau' | 'greedy'>),
    baseRate: base,
    warmupSteps: args.getWarmupSteps(totalSteps),
    totalSteps,
    kwargs: own === undefined ? args.lrSchedulerKwargs : undefined,
  })
  let begun = 0
  const rate = (steps: number): number => base * schedule(steps - begun)
  return {
    rate,
    repeat: () => void begun++,
    evaluated: () => {},
    state: steps => ({
      type: own === undefined ? args.lrSchedulerType : 'function',
      last_epoch: steps - begun,
      base_lrs: [base],
      last_lr: [rate(steps)],
    }),
    restore: (state, steps) => void (begun = steps - Number(state?.last_epoch ?? 0)),
  }
}

function metricRates(args: TrainingArguments): RateSource {
  const type = args.lrSchedulerType as 'reduce_lr_on_plateau' | 'greedy'
  const schedule = createMetricSchedule({
    type,
    baseRates: [args.learningRate],
    greaterIsBetter: args.greaterIsBetter ?? false,
    kwargs: args.lrSchedulerKwargs,
  })
  return {
    rate: () => schedule.rates[0]!,
    repeat: () => {},
    evaluated: metrics => schedule.step(metricNamed(metrics, args.metricForBestModel ?? 'loss')),
    state: () => schedule.state() as unknown as JsonObject,
    restore: state => {
      if (state !== undefined) schedule.restore(state as unknown as MetricScheduleState)
    },
  }
}

/** An evaluation's metric by its name with or without `eval_`. @throws TrainerError listing what there is. */
export function metricNamed(metrics: Metrics, name: string): number {
  const key = name.startsWith('eval_') ? name : `eval_${name}`
  const value: unknown = metrics[key]
  if (typeof value === 'number') return value
  if (value !== undefined) {
    throw new TrainerError(
      'argument',
      `metricForBestModel is "${name}", but "${key}" is ${shown(value)}, not a number.`,
      {
        fix: 'Return the number that counts under a name of its own from computeMetrics, and name that.',
      },
    )
  }
  const found = quoted(Object.keys(metrics))
  throw new TrainerError(
    'argument',
    `metricForBestModel is "${name}", but the evaluation has no "${key}", only ${found}.`,
    {
      fix: 'Name one of these, or return it from computeMetrics.',
    },
  )
}
