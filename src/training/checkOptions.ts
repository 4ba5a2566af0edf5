import { TrainableModel } from '../auto/TrainableModel'
import { DatasetDict } from '../data/dataset'
import { type LoaderRows, rowCount } from '../data/loader'
import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import type { TrainingArguments } from '../TrainingArguments'
import { isDatasets } from './datasets'
import type { EvalData, EvaluateOptions, TrainerOptions, TrainOptions } from './options'

/** The names of options; the types see to it that none is missing. */
const names = {
  Trainer: Object.keys({
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
    parameterGroups: 1,
    preprocessLogitsForMetrics: 1,
    profile: 1,
  } satisfies Record<keyof TrainerOptions, 1>),
  train: Object.keys({ resumeFromCheckpoint: 1, trial: 1, signal: 1 } satisfies Record<keyof TrainOptions, 1>),
  evaluate: Object.keys({ metricKeyPrefix: 1 } satisfies Record<keyof EvaluateOptions, 1>),
}

/** @throws TrainerError ('argument') for what `train()` does not take, as Python's positional checkpoint. */
export function checkTrainOptions(options: TrainOptions): void {
  if (typeof options === 'object' && options !== null) return checkOptions(options, names.train, 'train()')
  throw new TrainerError('argument', 'train() takes an object.', {
    fix: `Write train({ resumeFromCheckpoint: ${JSON.stringify(options)} }).`,
  })
}

/** @throws TrainerError ('argument') for an option that `evaluate()` and `predict()` do not have. */
export function checkEvaluateOptions(options: EvaluateOptions, where: 'evaluate()' | 'predict()'): void {
  checkOptions(options, names.evaluate, where)
}

/** @throws TrainerError ('argument') for options of evaluate() in place of a dataset, as Python's keywords are given. */
export function checkEvaluated(dataset: unknown): void {
  if (typeof dataset !== 'object' || dataset === null) return
  const name = ['evalDataset', 'metricKeyPrefix', 'ignoreKeys'].find(key => Object.hasOwn(dataset, key))
  if (name === undefined) return
  throw new TrainerError(
    'argument',
    `evaluate() takes a dataset, or several by name, and "${name}" is the name of an option.`,
    { fix: 'Write evaluate(dataset, { metricKeyPrefix }).' },
  )
}

/** Methods that Hugging Face's Trainer has and this one does not: overriding them would change nothing. */
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

/** Checks a Trainer's options, and what they say of each other. @throws TrainerError ('argument') with the fix. */
export function checkTrainerOptions(options: TrainerOptions<TrainableModel>, args: TrainingArguments): void {
  if ('tokenizer' in options) refuse('Trainer has no option "tokenizer".', "Today's name is processingClass.")
  checkOptions(options, names.Trainer, 'Trainer')
  checkModel(options)
  checkDataset('trainDataset', options.trainDataset)
  checkDataset('evalDataset', options.evalDataset)
  checkTools(options)
  checkEvaluation(options, args)
}

function checkModel({ model, modelInit, optimizers }: TrainerOptions<TrainableModel>): void {
  if (model !== undefined && !(model instanceof TrainableModel)) {
    const fix = (model as unknown) instanceof Promise ? 'Write await before fromPretrained(…).' : `Give ${makers}.`
    refuse('`model` is not a model.', fix)
  }
  if (model === undefined && modelInit === undefined)
    refuse('A Trainer needs a model.', 'Give `model`, or `modelInit`.')
  if (model !== undefined && modelInit !== undefined)
    refuse('`model` and `modelInit` were both given.', 'Give only one of them.')
  if (modelInit !== undefined && optimizers !== undefined)
    refuse('`modelInit` and `optimizers` do not go together.', 'Override createOptimizer instead.')
}

const makers = 'what AutoModelForSequenceClassification (or …TokenClassification, …) makes'

function checkTools(options: TrainerOptions<TrainableModel>): void {
  if ((options.processingClass as unknown) instanceof Promise)
    refuse('`processingClass` is a Promise.', 'Write await before AutoTokenizer.fromPretrained(…).')
  if (options.optimizerClsAndKwargs !== undefined && options.optimizers?.[0] !== undefined)
    refuse('`optimizerClsAndKwargs` and `optimizers` were both given.', 'Give only one of them.')
  if (options.dataCollator !== undefined && typeof options.dataCollator !== 'function') {
    refuse(
      '`dataCollator` has to be a function from rows to a batch.',
      'Give DataCollatorWithPadding(tokenizer), or a function.',
    )
  }
}

function checkEvaluation(options: TrainerOptions<TrainableModel>, args: TrainingArguments): void {
  const { evalDataset, computeMetrics } = options
  if (args.evalStrategy !== 'no' && evalDataset === undefined) {
    if ('evalDataset' in options)
      refuse(`evalStrategy is "${args.evalStrategy}", but evalDataset is undefined.`, 'Has the dataset no such split?')
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
  if (args.batchEvalMetrics && computeMetrics !== undefined && computeMetrics.length < 2) {
    refuse(
      'With batchEvalMetrics, computeMetrics is called batch by batch, and needs its second parameter to know the last one.',
      'Declare it as (prediction, computeResult) => …: add up each batch, and return the metrics where computeResult is true.',
    )
  }
}

function refuse(message: string, fix: string): never {
  throw new TrainerError('argument', message, { fix })
}

/** @throws TrainerError ('model') for a model all of whose parameters are frozen. */
export function checkTrainable({ definition }: TrainableModel): void {
  if (definition.parameters.some(({ trainable }) => trainable)) return
  throw new TrainerError('model', `All parameters of ${definition.name} are frozen, so there is nothing to train.`, {
    fix: 'Call unfreeze() of the model with the names to train.',
  })
}

/** The arguments that say how many rows are in a batch. */
const batchSizes = {
  training: ['perDeviceTrainBatchSize', 'trainBatchSize'],
  evaluation: ['perDeviceEvalBatchSize', 'evalBatchSize'],
} as const

/**
 * @throws TrainerError ('argument') for a dataset of which `dataloaderDropLast` leaves nothing, because it has fewer rows
 * than a batch. Python asks for max_steps then, or trains for no step, or returns metrics without a loss.
 */
export function checkFullBatch(
  use: keyof typeof batchSizes,
  rows: number | undefined,
  args: TrainingArguments,
  name = '',
): void {
  const [option, size] = batchSizes[use]
  if (!args.dataloaderDropLast || rows === undefined || rows === 0 || rows >= args[size]) return
  const dataset = `The ${use} dataset${name === '' ? '' : ` "${name}"`}`
  refuse(
    `${dataset} has ${rows} ${rows === 1 ? 'row' : 'rows'}, fewer than a batch (${option} is ${args[size]}), and ` +
      'dataloaderDropLast leaves out a batch that is not full: no batch is left.',
    `Set dataloaderDropLast to false, or ${option} to at most ${rows}.`,
  )
}

/** The same for what a run trains on and what it will evaluate on. */
export function checkFullBatches(
  rows: number | undefined,
  evaluated: EvalData | undefined,
  args: TrainingArguments,
): void {
  checkFullBatch('training', rows, args)
  if (evaluated === undefined || (args.evalStrategy === 'no' && !args.evalOnStart)) return
  const several = isDatasets(evaluated) ? evaluated : { '': evaluated }
  for (const [name, one] of Object.entries(several))
    checkFullBatch('evaluation', rowCount(one as LoaderRows<object>), args, name)
}
