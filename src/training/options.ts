import type { PreTrainedModel } from '../auto/PreTrainedModel'
import type { PredictionOf, TrainableModel } from '../auto/TrainableModel'
import type { CallbackOrClass } from '../callbacks/CallbackHandler'
import type { Dataset } from '../data/dataset'
import type { LoaderRows } from '../data/loader'
import type { Tokenizer } from '../tokenizers/tokenizer'
import type { LabelsOf } from '../heads/OwnHead'
import type { LossFunction } from '../losses/LossFunction'
import type { LossSpelling } from '../losses/lossNames'
import type { Optimizer } from '../optim/Optimizer'
import type { Schedule } from '../optim/schedules'
import type { Batch, Tensor } from '../tensor'
import type { TrainingArguments, TrainingArgumentsOptions } from '../TrainingArguments'
import type { Metrics } from '../metrics/Metrics'
import type { ComputeMetrics, PreprocessLogits } from './evaluation'
import type { ParameterGroup } from './parameterGroups'
import type { Profile } from './profile'

/**
 * Turns rows into a batch; `indices` are the rows' places in the dataset, `epoch` that of training, `labelNames` those of
 * the arguments.
 */
export interface DataCollator {
  (
    rows: readonly Readonly<Record<string, unknown>>[],
    indices?: readonly number[],
    epoch?: number,
    labelNames?: readonly string[],
  ): Batch | Promise<Batch>
  /** The side on which it pads: an evaluation sorts rows by length where this is 'right', as it is of our collators. */
  readonly paddingSide?: 'left' | 'right'
  /** Columns that it reads beside those that the model takes: `removeUnusedColumns` leaves them. */
  readonly columns?: readonly string[]
}

/** Rows to train on: a dataset, or anything that can be iterated (then `maxSteps` says how long). */
export type TrainData = Dataset<object> | LoaderRows<object>

/** Rows to evaluate on, or several sets by name. */
export type EvalData = TrainData | Readonly<Record<string, TrainData>>

/** What a Trainer is made of: Hugging Face's parameters, in camelCase. */
export interface TrainerOptions<Model extends TrainableModel = PreTrainedModel> {
  /** The model; or give `modelInit`. */
  readonly model?: Model
  /** Makes a model, anew at every `train()`; gets a trial's values in a hyperparameter search. */
  readonly modelInit?: (trial?: Readonly<Record<string, unknown>>) => Model | Promise<Model>
  /** Default: all defaults, in the folder `tmp_trainer`. */
  readonly args?: TrainingArguments | TrainingArgumentsOptions
  /** Default: padding to the longest row with `processingClass`, else none. */
  readonly dataCollator?: DataCollator
  readonly trainDataset?: TrainData
  readonly evalDataset?: EvalData
  /** The tokenizer: pads batches, and is saved with the model. */
  readonly processingClass?: Tokenizer
  /** A custom loss as graph code, or a known one by its name. Default: the head's. */
  readonly computeLossFunc?: LossFunction | LossSpelling
  /**
   * One weight per class for cross-entropy; 'balanced': by the training dataset's labels, so that each class weighs the
   * same in all.
   */
  readonly classWeights?: readonly number[] | 'balanced'
  readonly computeMetrics?: ComputeMetrics<PredictionOf<Model>>
  readonly callbacks?: readonly CallbackOrClass[]
  /** A custom optimizer and schedule; either may be undefined. */
  readonly optimizers?: readonly [Optimizer | undefined, Schedule | undefined]
  /** What makes the optimizer, with its options, as in `[adamw, { beta1: 0.8 }]`: instead of `optim`. */
  readonly optimizerClsAndKwargs?: readonly [create: (options: never) => Optimizer, options: object]
  /**
   * Parameters with a learning rate or a weight decay of their own; of several groups that mean one the first counts that
   * says a rate, or a decay. `layerwiseDecay` makes those of a rate that falls from layer to layer.
   */
  readonly parameterGroups?: readonly ParameterGroup[]
  readonly preprocessLogitsForMetrics?: PreprocessLogits<PredictionOf<Model>>
  /** Takes note of where the time goes; see `createProfile`. */
  readonly profile?: Profile
}

/** How `train()` goes. */
export interface TrainOptions {
  /** Resumes from the newest checkpoint of `outputDir` (true), or from a folder. */
  readonly resumeFromCheckpoint?: boolean | string | undefined
  /** Values of a hyperparameter search's trial: training arguments, and what else `modelInit` gets. */
  readonly trial?: Readonly<Record<string, unknown>>
  /** Ends training after the current update, with a checkpoint. */
  readonly signal?: AbortSignal
}

/** What `train()` returns. */
export interface TrainOutput {
  readonly globalStep: number
  readonly trainingLoss: number
  readonly metrics: Metrics
  /** Whether Ctrl-C, SIGTERM or the signal ended it before its last update. */
  readonly interrupted: boolean
}

/** What `predict()` returns. */
export interface PredictionOutput<Prediction = Tensor> {
  /** In the dataset's order. */
  readonly predictions: Prediction
  readonly labels: LabelsOf<Prediction> | undefined
  /** The labels under Python's name. */
  readonly labelIds: LabelsOf<Prediction> | undefined
  readonly metrics: Metrics
}

/** How `evaluate()` and `predict()` name their metrics. */
export interface EvaluateOptions {
  /** Default 'eval' for `evaluate`, 'test' for `predict`. */
  readonly metricKeyPrefix?: string
}
