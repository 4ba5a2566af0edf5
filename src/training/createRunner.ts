import type { PreTrainedModel } from '../auto/PreTrainedModel'
import { Dataset } from '../data/dataset'
import { labelColumns } from '../data/modelColumns'
import type { EngineOptions } from '../engine/Engine'
import { TrainerError } from '../errors'
import { ignoredIndex } from '../losses/crossEntropy'
import type { TrainingArguments } from '../TrainingArguments'
import type { LossFunction } from '../TrainingGraph'
import { adoptLabelNames } from './labelNames'
import { lossNamed } from './losses'
import type { TrainerOptions } from './options'
import { Runner } from './Runner'

/**
 * Puts a model on the engine that the arguments name, with the loss that the options choose.
 * @param overridden the loss of a subclass that brings its own.
 * @throws TrainerError when the engine cannot be had, or class weights do not fit.
 */
export async function createRunner(
  model: PreTrainedModel,
  args: TrainingArguments,
  options: TrainerOptions,
  overridden: LossFunction | undefined,
): Promise<Runner> {
  const { device, library, threads, pluginLibrary, providerOptions, bf16, bf16FullEval } = args
  const loss = { ...lossNamed(options.computeLossFunc), ...(overridden && { custom: overridden }) }
  const classWeights = weightsOf(options, model)
  if (classWeights !== undefined && loss.custom !== undefined) {
    throw new TrainerError(
      'argument',
      "classWeights belong to the loss of the head, but a loss of one's own was given.",
      {
        fix: 'Weigh the classes in that loss, and leave classWeights out.',
      },
    )
  }
  adoptLabelNames(model, options.trainDataset)
  return Runner.create({
    model,
    batchSize: args.trainBatchSize,
    gradientCheckpointing: args.gradientCheckpointing,
    profile: options.profile,
    engine: defined({ device, library, threads, pluginLibrary, providerOptions }),
    ...((bf16 || bf16FullEval) && { bfloat16: { training: bf16, evaluation: bf16FullEval } }),
    loss: { labelSmoothing: args.labelSmoothingFactor, classWeights, ...loss },
  })
}

/** What was given of an engine's options. */
function defined(options: { readonly [Name in keyof EngineOptions]: EngineOptions[Name] | undefined }): EngineOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** A weight for each class. @throws TrainerError for too many or too few, or weights that are none. */
function weightsOf(
  { classWeights: given, trainDataset }: TrainerOptions,
  model: PreTrainedModel,
): readonly number[] | undefined {
  if (given === undefined) return undefined
  if (given === 'balanced') return balancedWeights(trainDataset, model.numLabels)
  if (given.length !== model.numLabels || !given.every(weight => Number.isFinite(weight) && weight >= 0)) {
    const wanted = `${model.numLabels} numbers of at least 0, one for each label`
    throw new TrainerError('argument', `classWeights should be ${wanted}, but is [${given.join(', ')}].`)
  }
  return given
}

/**
 * Rows / (classes × rows of the class), so that each class weighs the same in all: scikit-learn's rule. A class without
 * rows gets 0.
 */
function balancedWeights(dataset: unknown, classes: number): number[] {
  const column = dataset instanceof Dataset ? labelColumns.find(name => dataset.columnNames.includes(name)) : undefined
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
