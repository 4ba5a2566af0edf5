import type { TrainingArguments } from '../TrainingArguments'
import type { CallbackState } from './CallbackState'
import type { EvaluatedBatch } from './EvaluatedBatch'
import type { ControlFlags, TrainerControl } from './TrainerControl'
import type { LogEntry, TrainerState } from './TrainerState'

/** Every event, in the order of a run. */
export const callbackEvents = [
  'onInitEnd',
  'onTrainBegin',
  'onEpochBegin',
  'onStepBegin',
  'onSubstepEnd',
  'onPreOptimizerStep',
  'onOptimizerStep',
  'onStepEnd',
  'onLog',
  'onPredictionStep',
  'onEvaluate',
  'onSave',
  'onEpochEnd',
  'onTrainEnd',
  'onPredict',
  'onPushBegin',
] as const satisfies readonly (keyof TrainerCallback)[]

/** The name of an event. */
export type CallbackEvent = (typeof callbackEvents)[number]

/** What an event brings besides arguments, state and control. */
export interface CallbackContext {
  /** The model being trained. */
  readonly model?: unknown
  /** The tokenizer. */
  readonly processingClass?: unknown
  readonly optimizer?: unknown
  readonly lrScheduler?: unknown
  readonly trainDataloader?: unknown
  /** The loader of the present evaluation; `length` is its number of batches, if that is known. */
  readonly evalDataloader?: unknown
  /** What computes: the provider of the device, and the library with its version. */
  readonly engine?: { readonly provider: string; readonly version: string; readonly library: string }
  /** In `onLog`: a copy of what was logged. */
  readonly logs?: LogEntry
  /** In `onEvaluate` and `onPredict`: a copy of the metrics. */
  readonly metrics?: LogEntry
  /** In `onPredictionStep` of an evaluation, where a callback `readsPredictions`. */
  readonly evaluated?: EvaluatedBatch
}

/** What one event brings, which others do not. */
export type EventContext = Pick<CallbackContext, 'logs' | 'metrics' | 'evaluated'>

/** A callback's answer: some of the control's flags, or nothing. Flags can also be set on `control` itself. */
export type CallbackAnswer = Partial<ControlFlags> | undefined | void

type Answer = CallbackAnswer | Promise<CallbackAnswer>

/** What every event's method is given. */
type EventParameters = [
  args: TrainingArguments,
  state: Readonly<TrainerState>,
  control: TrainerControl,
  context: CallbackContext,
]

/**
 * A callback: an object with some of these methods, sync or async; training waits for each. It reads state and
 * arguments, and answers through the control.
 */
export interface TrainerCallback {
  /** The end of the Trainer's construction. */
  onInitEnd?(...given: EventParameters): Answer
  /** The beginning of training. */
  onTrainBegin?(...given: EventParameters): Answer
  /** The end of training. */
  onTrainEnd?(...given: EventParameters): Answer
  /** The beginning of an epoch. */
  onEpochBegin?(...given: EventParameters): Answer
  /** The end of an epoch, even if it was stopped. */
  onEpochEnd?(...given: EventParameters): Answer
  /** Before the first micro-batch of an update. */
  onStepBegin?(...given: EventParameters): Answer
  /** After a micro-batch that is not the update's last. */
  onSubstepEnd?(...given: EventParameters): Answer
  /** After the update's last micro-batch, before its gradients are clipped and the update is made. */
  onPreOptimizerStep?(...given: EventParameters): Answer
  /** After the update, before the schedule's step. */
  onOptimizerStep?(...given: EventParameters): Answer
  /** After an update was counted. */
  onStepEnd?(...given: EventParameters): Answer
  /** After something was logged: `context.logs`. */
  onLog?(...given: EventParameters): Answer
  /** After an evaluation was logged, for each evaluation set: `context.metrics`. */
  onEvaluate?(...given: EventParameters): Answer
  /** The end of `predict()`: `context.metrics`. */
  onPredict?(...given: EventParameters): Answer
  /** After a checkpoint was written completely. */
  onSave?(...given: EventParameters): Answer
  /** After a batch of evaluation or prediction. */
  onPredictionStep?(...given: EventParameters): Answer
  /**
   * Whether `onPredictionStep` is to have the predictions of evaluations: `context.evaluated`. They are computed then
   * though no metric asks for them; with the argument `predictionLossOnly` they are not.
   */
  readsPredictions?(model: unknown): boolean
  /** Before a checkpoint is pushed to the Hub, and at the beginning of `pushToHub()`. */
  onPushBegin?(...given: EventParameters): Answer
  /** What a checkpoint keeps of this callback, for {@link TrainerCallback.restore}. */
  state?(): CallbackState
  /** Takes over the state of a checkpoint. */
  restore?(state: CallbackState): void
  /**
   * Training has thrown: releases what the callback holds, such as the terminal. Not called after `onTrainEnd`.
   * @param startsOver whether the same run begins again, as `autoFindBatchSize` has it where memory ran out.
   */
  dispose?(startsOver?: boolean): void | Promise<void>
}

/* oxlint-disable typescript/no-unsafe-declaration-merging -- every method is optional */

/**
 * A base for callbacks that are classes. Its methods are those of the interface of the same name; a subclass overrides
 * the ones it needs.
 *
 * @example
 * class Loud extends TrainerCallback {
 *   override onLog(args: TrainingArguments, state: TrainerState, control: TrainerControl, { logs }: CallbackContext) {
 *     console.log(logs)
 *   }
 * }
 */
export class TrainerCallback {}

/** A class of callbacks that needs no arguments. */
export type TrainerCallbackClass = abstract new (...args: never[]) => TrainerCallback
