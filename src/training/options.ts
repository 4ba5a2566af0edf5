import { PreTrainedModel } from '../auto/PreTrainedModel'
import type { CallbackOrClass } from '../callbacks/CallbackHandler'
import { type Dataset, DatasetDict } from '../data/dataset'
import type { LoaderRows } from '../data/loader'
import type { Tokenizer } from '../tokenizers/tokenizer'
import { refuseUnknown, TrainerError } from '../errors'
import type { Batch } from '../models/packing'
import type { Optimizer } from '../optim/Optimizer'
import type { Schedule } from '../optim/schedules'
import type { Tensor } from '../tensor'
import type { TrainingArguments, TrainingArgumentsOptions } from '../TrainingArguments'
import type { LossFunction } from '../TrainingGraph'
import type { Metrics } from '../metrics/Metrics'
import type { ComputeMetrics, PreprocessLogits } from './evaluation'
import type { LossName } from './losses'
import type { Profile } from './profile'

/** Turns rows into a batch; `indices` are the rows' places in the dataset, for errors. */
export type DataCollator = (
  rows: readonly Readonly<Record<string, unknown>>[],
  indices?: readonly number[],
) => Batch | Promise<Batch>

/** Rows to train on: a dataset, or anything that can be iterated (then `maxSteps` says how long). */
export type TrainData = Dataset<object> | LoaderRows<object>

/** Rows to evaluate on, or several sets by name. */
export type EvalData = TrainData | Readonly<Record<string, TrainData>>

/** What a Trainer is made of: Hugging Face's parameters, in camelCase. */
export interface TrainerOptions {
  /** The model; or give `modelInit`. */
  readonly model?: PreTrainedModel
  /** Makes a model, anew at every `train()`; gets a trial's values in a hyperparameter search. */
  readonly modelInit?: (trial?: Readonly<Record<string, unknown>>) => PreTrainedModel | Promise<PreTrainedModel>
  /** Default: all defaults, in the folder `tmp_trainer`. */
  readonly args?: TrainingArguments | TrainingArgumentsOptions
  /** Default: padding to the longest row with `processingClass`, else none. */
  readonly dataCollator?: DataCollator
  readonly trainDataset?: TrainData
  readonly evalDataset?: EvalData
  /** The tokenizer: pads batches, and is saved with the model. */
  readonly processingClass?: Tokenizer
  /** A loss of one's own as graph code, or one of the known by its name. Default: the head's. */
  readonly computeLossFunc?: LossFunction | LossName
  /**
   * One weight per class for cross-entropy; 'balanced': by the training dataset's labels, so that each class weighs the
   * same in all.
   */
  readonly classWeights?: readonly number[] | 'balanced'
  readonly computeMetrics?: ComputeMetrics
  readonly callbacks?: readonly CallbackOrClass[]
  /** An optimizer and a schedule of one's own; either may be undefined. */
  readonly optimizers?: readonly [Optimizer | undefined, Schedule | undefined]
  /** What makes the optimizer, with its options, as in `[adamw, { beta1: 0.8 }]`: instead of `optim`. */
  readonly optimizerClsAndKwargs?: readonly [create: (options: never) => Optimizer, options: object]
  readonly preprocessLogitsForMetrics?: PreprocessLogits
  /** Takes note of where the time goes; see `createProfile`. */
  readonly profile?: Profile
}

/** How `train()` goes. */
export interface TrainOptions {
  /** Go on from the newest checkpoint of `outputDir` (true), or from a folder. */
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
export interface PredictionOutput {
  /** In the dataset's order. */
  readonly predictions: Tensor
  readonly labels: Tensor | undefined
  /** The labels under Python's name. */
  readonly labelIds: Tensor | undefined
  readonly metrics: Metrics
}

/** How `evaluate()` and `predict()` name their metrics. */
export interface EvaluateOptions {
  /** Default 'eval' for `evaluate`, 'test' for `predict`. */
  readonly metricKeyPrefix?: string
}

/** The names of {@link EvaluateOptions}. */
export const evaluateOptions = ['metricKeyPrefix']

/** @throws TrainerError for what evaluate() is given in one object, as Python's keywords are. */
export function checkEvaluated(dataset: unknown, options: object): void {
  refuseUnknown(options, evaluateOptions, 'evaluate()')
  const name =
    typeof dataset !== 'object' || dataset === null
      ? undefined
      : ['evalDataset', 'metricKeyPrefix', 'ignoreKeys'].find(key => Object.hasOwn(dataset, key))
  if (name === undefined) return
  throw new TrainerError(
    'argument',
    `evaluate() takes a dataset, or several by name, and "${name}" is the name of an option.`,
    {
      fix: 'Write evaluate(dataset, { metricKeyPrefix }).',
    },
  )
}

/** The names of {@link TrainerOptions}; the type makes sure that there is none too few. */
const trainerOptions = Object.keys({
  model: 1,
  modelInit: 1,
  args: 1,
  dataCollator: 1,
  trainDataset: 1,
  evalDataset: 1,
  processingClass: 1,
  computeLossFunc: 1,
  classWeights: 1,
  computeMetrics: 1,
  callbacks: 1,
  optimizers: 1,
  optimizerClsAndKwargs: 1,
  preprocessLogitsForMetrics: 1,
  profile: 1,
} satisfies Record<keyof TrainerOptions, 1>)

/** @throws TrainerError for what `train()` does not take, as Python's positional checkpoint. */
export function checkTrainOptions(options: TrainOptions): void {
  if (typeof options === 'object' && options !== null)
    return refuseUnknown(options, ['resumeFromCheckpoint', 'trial', 'signal'], 'train()')
  throw new TrainerError('argument', 'train() takes an object.', {
    fix: `Write train({ resumeFromCheckpoint: ${JSON.stringify(options)} }).`,
  })
}

/** Methods of Hugging Face's Trainer that there are none of here: to override them would change nothing. */
const otherMethods = [
  'trainingStep',
  'predictionStep',
  'evaluationLoop',
  'predictionLoop',
  'optimizerStep',
  'getBatchSamples',
  'computeLossContextManager',
  'autocastSmartContextManager',
  'createAcceleratorAndPostprocess',
]

/** @throws TrainerError for a method of a subclass that would never be called. */
export function checkOverrides(trainer: object): void {
  const name = otherMethods.find(method => method in trainer)
  if (name === undefined) return
  throw new TrainerError('argument', `The Trainer has no method ${name} to override: it would never be called.`, {
    fix: 'A step is one graph here: override computeLoss, createOptimizer or createScheduler, or use a callback.',
  })
}

/**
 * The mistakes that a program without types makes with datasets.
 * @throws TrainerError naming the option and the fix.
 */
function checkDataset(option: 'trainDataset' | 'evalDataset', dataset: unknown): void {
  if (dataset instanceof Promise)
    throw new TrainerError('argument', `${option} is a Promise.`, { fix: 'Write await before map() or loadDataset().' })
  if (option === 'trainDataset' && dataset instanceof DatasetDict) {
    const splits = Object.keys(dataset).join(', ')
    throw new TrainerError('argument', `trainDataset is a dictionary of datasets (${splits}).`, {
      fix: 'Give one of them, such as encoded.train.',
    })
  }
}

/** Checks what options say of each other. @throws TrainerError naming the option and the fix. */
export function checkOptions(options: TrainerOptions, args: TrainingArguments): void {
  const refuse = (message: string, fix: string): never => {
    throw new TrainerError('argument', message, { fix })
  }
  if ('tokenizer' in options) refuse('Trainer has no option "tokenizer".', "Today's name is processingClass.")
  refuseUnknown(options, trainerOptions, 'Trainer')
  if (options.model !== undefined && !(options.model instanceof PreTrainedModel)) {
    const waited = (options.model as unknown) instanceof Promise
    refuse(
      '`model` is no model.',
      waited ? 'Write await before fromPretrained(…).' : 'Give what AutoModelForSequenceClassification makes.',
    )
  }
  checkDataset('trainDataset', options.trainDataset)
  checkDataset('evalDataset', options.evalDataset)
  if ((options.processingClass as unknown) instanceof Promise)
    refuse('`processingClass` is a Promise.', 'Write await before AutoTokenizer.fromPretrained(…).')
  if (options.model === undefined && options.modelInit === undefined)
    refuse('A Trainer needs a model.', 'Give `model`, or `modelInit`.')
  if (options.model !== undefined && options.modelInit !== undefined)
    refuse('`model` and `modelInit` were both given.', 'Give only one of them.')
  if (options.modelInit !== undefined && options.optimizers !== undefined)
    refuse('`modelInit` and `optimizers` do not go together.', 'Override createOptimizer instead.')
  if (options.optimizerClsAndKwargs !== undefined && options.optimizers?.[0] !== undefined) {
    refuse('`optimizerClsAndKwargs` and `optimizers` were both given.', 'Give only one of them.')
  }
  if (args.evalStrategy !== 'no' && options.evalDataset === undefined) {
    refuse(
      `evalStrategy is "${args.evalStrategy}", but there is no evalDataset.`,
      'Give one, or set evalStrategy to "no".',
    )
  }
  if ((args.saveStrategy === 'best' || args.loadBestModelAtEnd) && args.metricForBestModel === undefined) {
    refuse(
      'saveStrategy "best" and loadBestModelAtEnd need metricForBestModel.',
      'Set it to "loss", or to a metric that computeMetrics returns.',
    )
  }
  if (args.batchEvalMetrics && options.computeMetrics !== undefined && options.computeMetrics.length < 2) {
    refuse(
      'With batchEvalMetrics, computeMetrics is called batch by batch, and needs its second parameter to know the last one.',
      'Declare it as (prediction, computeResult) => …: add up each batch, and return the metrics where computeResult is true.',
    )
  }
  if (options.dataCollator !== undefined && typeof options.dataCollator !== 'function') {
    refuse(
      '`dataCollator` has to be a function from rows to a batch.',
      'Give DataCollatorWithPadding(tokenizer), or a function.',
    )
  }
}
