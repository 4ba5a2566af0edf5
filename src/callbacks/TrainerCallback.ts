import type { TrainingArguments } from '../TrainingArguments'
import type { CallbackState } from './CallbackState'
import type { ControlFlags, TrainerControl } from './TrainerControl'
import type { LogEntry, TrainerState } from './TrainerState'

/** Every event, in the order in which a run comes by them. */
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
] as const

/** The name of an event. */
export type CallbackEvent = (typeof callbackEvents)[number]

/** What an event brings besides arguments, state and control. Which of its last two it has, the event says. */
export interface CallbackContext {
  /** The model being trained. */
  readonly model?: unknown
  /** The tokenizer. */
  readonly processingClass?: unknown
  readonly optimizer?: unknown
  readonly lrScheduler?: unknown
  readonly trainDataloader?: unknown
  /** The loader of the evaluation that runs; `length` is its number of batches, where that is known. */
  readonly evalDataloader?: unknown
  /** In `onLog`: a copy of what was logged. */
  readonly logs?: LogEntry
  /** In `onEvaluate` and `onPredict`: a copy of the metrics. */
  readonly metrics?: LogEntry
}

/** A callback's answer: some of the control's flags, or nothing. Flags can also be set on `control` itself. */
export type CallbackAnswer = Partial<ControlFlags> | undefined | void

type Answer = CallbackAnswer | Promise<CallbackAnswer>

/**
 * What may be given as a callback: an object with some of these methods, each sync or async and awaited before training
 * goes on. It reads state and arguments, and answers through the control.
 */
export interface TrainerCallback {
  /** The end of the Trainer's construction. */
  onInitEnd?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** The beginning of training. */
  onTrainBegin?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** The end of training. */
  onTrainEnd?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** The beginning of an epoch. */
  onEpochBegin?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** The end of an epoch, also of one that was stopped. */
  onEpochEnd?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** Before the first micro-batch of an update. */
  onStepBegin?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After a micro-batch that is not the update's last. */
  onSubstepEnd?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After clipping, before the update. */
  onPreOptimizerStep?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After the update, before the schedule's step. */
  onOptimizerStep?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After an update is counted. */
  onStepEnd?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After something was logged: `context.logs`. */
  onLog?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After an evaluation was logged, for each evaluation set: `context.metrics`. */
  onEvaluate?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** The end of `predict()`: `context.metrics`. */
  onPredict?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After a checkpoint was written completely. */
  onSave?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** After a batch of evaluation or prediction. */
  onPredictionStep?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** Before something is pushed to the Hub; as nothing can be pushed yet, it does not come. */
  onPushBegin?(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    context: CallbackContext,
  ): Answer
  /** What a checkpoint is to keep of this callback. With {@link TrainerCallback.restore}. */
  state?(): CallbackState
  /** Takes up the state that a checkpoint kept. */
  restore?(state: CallbackState): void
  /** Training has thrown: lets go of what it holds, such as the terminal. After `onTrainEnd` it is not called. */
  dispose?(): void
}

/* oxlint-disable typescript/no-unsafe-declaration-merging -- every method is optional: there is nothing to initialise */

/**
 * A base for callbacks that are classes. Its methods are those of the interface of the same name; a subclass brings
 * those it wants.
 *
 * @example
 * class Loud extends TrainerCallback {
 *   override onLog(args: TrainingArguments, state: TrainerState, control: TrainerControl, { logs }: CallbackContext) { console.log(logs) }
 * }
 */
export class TrainerCallback {}

/** A class of callbacks that needs no arguments. */
export type TrainerCallbackClass = abstract new (...args: never[]) => TrainerCallback
