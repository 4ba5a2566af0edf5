import { TrainerError } from '../errors'
import { ignoredIndex } from '../losses/crossEntropy'
import { labelCount, type ModelConfig, type ProblemType } from '../models/config'
import { Tensor } from '../tensor'

/** Names a row of the batch as the user knows it: by its place in the dataset. */
export type RowName = (row: number) => string

/**
 * What the head predicts: what the config says, else regression for one label, classes for whole numbers, several
 * labels at once for other numbers. This is Hugging Face's rule, but that a row of as many whole numbers as there are
 * labels means several at once too: here 1 and 1.0 are the same.
 */
export function problemTypeOf(config: ModelConfig, labels: Tensor): ProblemType {
  if (config.problem_type !== undefined && config.problem_type !== null) return config.problem_type
  if (labelCount(config) === 1) return 'regression'
  const several = labels.dims.length === 2 && labels.dims[1] === labelCount(config)
  return several || labels.dtype === 'float32' || labels.dtype === 'float64'
    ? 'multi_label_classification'
    : 'single_label_classification'
}

/**
 * The labels as the training graph takes them: int32 [rows] for classes, float32 [rows] or [rows, labels] otherwise.
 * @throws TrainerError naming the row, for a class that the model does not have, a label that is no number, or a wrong
 * number of labels.
 */
export function labelFeed(labels: Tensor, problemType: ProblemType, config: ModelConfig, rowName: RowName): Tensor {
  const count = labelCount(config)
  const rows = labels.dims[0] ?? 0
  if (problemType === 'single_label_classification') return classIds(labels, count, rows, rowName)
  if (labels.size !== rows * count) {
    const needed = `${count} label${count === 1 ? '' : 's'} for ${problemType.replaceAll('_', ' ')}`
    throw new TrainerError(
      'data',
      `Each row needs ${needed}, but the labels of the batch have the shape [${labels.dims.join(', ')}].`,
      {
        fix:
          labels.dims.length < 2 && count > 1
            ? 'Labels that are no whole numbers are values: load the model with numLabels: 1.'
            : 'Check numLabels and problemType of the model.',
      },
    )
  }
  const data = Float32Array.from(labels.data as Float32Array, Number)
  const wrong = data.findIndex(value => !Number.isFinite(value))
  if (wrong >= 0)
    throw new TrainerError(
      'data',
      `The label of ${rowName(Math.floor(wrong / count))} is ${data[wrong]}, which is not a finite number.`,
    )
  return new Tensor('float32', data, count === 1 ? [rows] : [rows, count])
}

/** How many labels of a batch count: those that are not -100. */
export function countLabels(labels: Tensor): number {
  let count = 0
  for (const label of labels.data) if (Number(label) !== ignoredIndex) count++
  return count
}

function classIds(labels: Tensor, classes: number, rows: number, rowName: RowName): Tensor {
  if (labels.size !== rows)
    throw new TrainerError(
      'data',
      `Each row needs one label, but the labels of the batch have the shape [${labels.dims.join(', ')}].`,
    )
  const data = Int32Array.from(labels.data as Int32Array, Number)
  for (let row = 0; row < rows; row++) {
    const label = Number(labels.data[row])
    if (label === data[row] && (label === ignoredIndex || (label >= 0 && label < classes))) continue
    throw new TrainerError(
      'data',
      `The label of ${rowName(row)} is ${label}, but the model has ${classes} labels: 0 to ${classes - 1}.`,
      {
        fix:
          label === -1
            ? 'GLUE marks hidden test labels with -1: train and evaluate on other splits.'
            : 'Load the model with the right numLabels, or correct the labels.',
      },
    )
  }
  return new Tensor('int32', data, [rows])
}
