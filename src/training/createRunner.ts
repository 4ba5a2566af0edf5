import { PreTrainedModel } from '../auto/PreTrainedModel'
import type { TrainableModel } from '../auto/TrainableModel'
import { Dataset } from '../data/dataset'
import type { EngineOptions } from '../engine/Engine'
import { TrainerError } from '../errors'
import { ignoredIndex, labelColumn } from '../labelColumn'
import { checkOwnLoss } from '../heads/lossOptions'
import { isCuda } from '../engine/deviceName'
import { refuseLossOptions } from '../heads/customOutputs'
import type { LossFunction } from '../losses/LossFunction'
import { checkedLossName } from '../losses/lossNames'
import type { ReducedType } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import type { TrainerOptions } from './options'
import { Runner } from './Runner'

/**
 * Puts a model on the engine that the arguments name, to be trained by the loss that the options choose.
 * @param overridden the loss of a subclass that brings its own.
 * @throws TrainerError when the engine cannot be had, or class weights do not fit.
 */
export async function createRunner(
  model: TrainableModel,
  args: TrainingArguments,
  options: TrainerOptions<TrainableModel>,
  overridden: LossFunction | undefined,
): Promise<Runner> {
  const { device, library, threads, pluginLibrary } = args
  const { computeLossFunc } = options
  const custom = overridden ?? (typeof computeLossFunc === 'function' ? computeLossFunc : undefined)
  const { ownLoss, name, head } = model.definition
  if (head.own !== undefined) refuseLossOptions(head.own.name, options)
  if (ownLoss !== undefined)
    checkOwnLoss(name, { custom, labelSmoothing: args.labelSmoothingFactor, classWeights: options.classWeights })
  const classWeights = weightsOf(options, head.width, args)
  if (classWeights !== undefined && custom !== undefined) {
    throw new TrainerError('argument', 'classWeights belong to the loss of the head, but a custom loss was given.', {
      fix: 'Weigh the classes in that loss, and leave classWeights out.',
    })
  }
  return Runner.create({
    model,
    batchSize: args.trainBatchSize,
    gradientCheckpointing: args.gradientCheckpointing,
    profile: options.profile,
    engine: defined({ device, library, threads, pluginLibrary, providerOptions: providerOptionsOf(args) }),
    precision: {
      training: reducedType(args.fp16, args.bf16),
      evaluation: reducedType(args.fp16FullEval, args.bf16FullEval),
    },
    objective: { labelSmoothing: args.labelSmoothingFactor, classWeights, custom },
  })
}

/**
 * Gives a model what a Trainer's options say of it: the names of the classes in the training dataset, and a loss that is
 * chosen by name.
 * @throws TrainerError ('argument') for a name that is not one of a loss.
 */
export function prepareModel(
  model: TrainableModel,
  options: TrainerOptions<TrainableModel>,
  { labelNames }: TrainingArguments,
): void {
  const { trainDataset, computeLossFunc } = options
  if (trainDataset instanceof Dataset && model instanceof PreTrainedModel) {
    const names = trainDataset.features[labelColumn(trainDataset.columnNames, labelNames) ?? '']?.names
    if (names !== undefined) model.nameLabels(names)
  }
  if (computeLossFunc === undefined || typeof computeLossFunc === 'function') return
  model.useHead(model.definition.head.withLoss(checkedLossName(computeLossFunc, 'computeLossFunc')))
}

function reducedType(float16: boolean, bfloat16: boolean): ReducedType | undefined {
  return float16 ? 'float16' : bfloat16 ? 'bfloat16' : undefined
}

/** The provider's options; `tf32` is one of CUDA's, and says nothing elsewhere. */
export function providerOptionsOf({
  device,
  tf32,
  providerOptions,
}: TrainingArguments): EngineOptions['providerOptions'] {
  return tf32 === undefined || !isCuda(device) ? providerOptions : { ...providerOptions, use_tf32: tf32 ? '1' : '0' }
}

/** What was given of an engine's options. */
function defined(options: { readonly [Name in keyof EngineOptions]: EngineOptions[Name] | undefined }): EngineOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** A weight for each class. @throws TrainerError ('argument') for too many or too few, or what is not a weight. */
function weightsOf(
  { classWeights: given, trainDataset }: TrainerOptions<TrainableModel>,
  classes: number,
  { labelNames }: TrainingArguments,
): readonly number[] | undefined {
  if (given === undefined) return undefined
  if (classes === 0)
    throw new TrainerError('argument', 'classWeights were given, but how many classes the output has is not known.', {
      fix: 'Leave them out, or export the graph with a fixed number of classes.',
    })
  if (given === 'balanced') return balancedWeights(trainDataset, classes, labelNames)
  if (given.length !== classes || !given.every(weight => Number.isFinite(weight) && weight >= 0)) {
    const wanted = `${classes} numbers of at least 0, one for each label`
    throw new TrainerError('argument', `classWeights should be ${wanted}, but is [${given.join(', ')}].`)
  }
  return given
}

/**
 * Rows / (classes × rows of the class), so that each class weighs the same in all: scikit-learn's rule. A class without
 * rows gets 0.
 */
function balancedWeights(dataset: unknown, classes: number, labelNames: readonly string[] | undefined): number[] {
  const column = dataset instanceof Dataset ? labelColumn(dataset.columnNames, labelNames) : undefined
  if (column === undefined) {
    throw new TrainerError('argument', 'classWeights "balanced" needs a Dataset with a column of labels.', {
      fix: 'Give the weights as numbers.',
    })
  }
  const labels = Array.from((dataset as Dataset).column(column) as ArrayLike<unknown>, Number).filter(
    label => label !== ignoredIndex,
  )
  const counts = Array.from({ length: classes }, (_, id) => labels.filter(label => label === id).length)
  return counts.map(count => (count === 0 ? 0 : labels.length / (classes * count)))
}
