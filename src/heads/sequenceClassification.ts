import { TrainerError } from '../errors'
import type { RowName } from '../feeds/FeedLayout'
import { inOrder, outOfOrder } from '../feeds/rowOrder'
import { logOnce } from '../logging'
import { binaryCrossEntropy } from '../losses/binaryCrossEntropy'
import { crossEntropy, ignoredIndex } from '../losses/crossEntropy'
import type { Loss } from '../losses/loss'
import type { LossName } from '../losses/lossNames'
import { meanSquaredError } from '../losses/meanSquaredError'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import type { Head, LossOptions } from './Head'

/** What a head for rows predicts, in Hugging Face's words. */
export const problemTypes = ['regression', 'single_label_classification', 'multi_label_classification'] as const
export type ProblemType = (typeof problemTypes)[number]

/** A head that gives each row a class, several classes, or numbers. */
export interface SequenceClassification extends Head {
  /** What it predicts; undefined until that is stated or the first labels decide it. */
  readonly problemType: ProblemType | undefined
  decided(batch: Batch): SequenceClassification
  withLoss(name: LossName): SequenceClassification
}

const problemOfLoss: Readonly<Record<LossName, ProblemType>> = {
  cross_entropy: 'single_label_classification',
  binary_cross_entropy: 'multi_label_classification',
  mean_squared_error: 'regression',
}

/** A head of `width` labels: its model's output `logits` is [rows, width]. */
export function sequenceClassification(width: number, problemType?: ProblemType): SequenceClassification {
  const withType = (type: ProblemType): SequenceClassification => sequenceClassification(width, type)
  const head: SequenceClassification = {
    task: 'sequence-classification',
    reads: 'first',
    width,
    problemType,
    labelNames: ['labels'],
    configFields: problemType === undefined ? {} : { problem_type: problemType },
    decided: ({ labels }) =>
      problemType !== undefined || labels === undefined ? head : withType(problemOf(labels, width)),
    withLoss: name => withType(problemOfLoss[name]),
    declare: (graph, { logits }) => ({
      labels: declareLabels(graph, logits!.shape[0]!, width, decidedType(problemType)),
    }),
    loss: (graph, outputs, labels, options) =>
      lossOf(graph, outputs.logits!, labels.labels!, decidedType(problemType), options),
    feed({ labels }, { order }, rowName) {
      if (labels === undefined) return undefined
      const checked = checkedLabels(labels, width, decidedType(problemType), order.length, rowName)
      return { inputs: { labels: inOrder(checked, order) }, count: countLabels(labels) }
    },
    predictions: (outputs, { order }) => ({ logits: outOfOrder(outputs.logits!, order) }),
  }
  return head
}

/**
 * What labels say of the head: regression for one label, classes for whole numbers, several labels at once for other
 * numbers. This is Hugging Face's rule, except that a row of as many whole numbers as there are labels means several at
 * once too: here 1 and 1.0 are the same.
 */
function problemOf({ dims, dtype }: Tensor, width: number): ProblemType {
  if (width === 1) return 'regression'
  const isSeveral = (dims.length === 2 && dims[1] === width) || dtype === 'float32' || dtype === 'float64'
  return isSeveral ? 'multi_label_classification' : 'single_label_classification'
}

function decidedType(problemType: ProblemType | undefined): ProblemType {
  if (problemType !== undefined) return problemType
  throw new TrainerError('internal', 'internal: no labels have decided what the head predicts.')
}

// ── the graph's half ──

function declareLabels(graph: GraphBuilder, rows: Dimension, width: number, problemType: ProblemType): Value {
  if (problemType === 'single_label_classification') return graph.input('labels', 'int32', [rows])
  return graph.input('labels', 'float32', width === 1 ? [rows] : [rows, width])
}

function lossOf(
  graph: GraphBuilder,
  logits: Value,
  labels: Value,
  problemType: ProblemType,
  options: LossOptions,
): Loss {
  if (problemType === 'single_label_classification') return crossEntropy(graph, logits, labels, options)
  refuseClassOptions(problemType, options)
  return problemType === 'regression'
    ? meanSquaredError(graph, logits, labels)
    : binaryCrossEntropy(graph, logits, labels)
}

/** Label smoothing and class weights are of cross-entropy: Python ignores the first elsewhere, with a warning. */
function refuseClassOptions(problemType: ProblemType, { labelSmoothing = 0, classWeights }: LossOptions): void {
  const head = problemType.replaceAll('_', ' ')
  if (classWeights !== undefined) {
    throw new TrainerError('argument', `classWeights go with classes, but the model's head is for ${head}.`, {
      fix: 'Leave classWeights out, or weigh in a computeLossFunc.',
    })
  }
  if (labelSmoothing !== 0) logOnce('warning', `labelSmoothingFactor has no effect on ${head}.`)
}

// ── the host's half ──

/**
 * The labels as the graph takes them: int32 [rows] for classes, float32 [rows] or [rows, width] otherwise.
 * @throws TrainerError naming the row of a class that the model does not have or a label that is not a number.
 */
function checkedLabels(
  labels: Tensor,
  width: number,
  problemType: ProblemType,
  rows: number,
  rowName: RowName,
): Tensor {
  const shape = `[${labels.dims.join(', ')}]`
  if (labels.dims[0] !== rows) {
    throw new TrainerError('data', `The batch has ${rows} rows, but its labels have the shape ${shape}.`, {
      fix: 'Check the collator: labels need one entry a row.',
    })
  }
  if (problemType === 'single_label_classification') return classIds(labels, width, rows, rowName)
  if (labels.size !== rows * width) {
    const needed = `${width} label${width === 1 ? '' : 's'} for ${problemType.replaceAll('_', ' ')}`
    throw new TrainerError('data', `Each row needs ${needed}, but the labels of the batch have the shape ${shape}.`, {
      fix:
        labels.dims.length < 2 && width > 1
          ? 'Labels that are not whole numbers are values: load the model with numLabels: 1.'
          : 'Check numLabels and problemType of the model.',
    })
  }
  const data = Float32Array.from(labels.data as Float32Array, Number)
  const wrong = data.findIndex(value => !Number.isFinite(value))
  if (wrong >= 0) {
    const row = rowName(Math.floor(wrong / width))
    throw new TrainerError('data', `The label of ${row} is ${data[wrong]}, which is not a finite number.`)
  }
  return new Tensor('float32', data, width === 1 ? [rows] : [rows, width])
}

function classIds(labels: Tensor, classes: number, rows: number, rowName: RowName): Tensor {
  if (labels.size !== rows) {
    const shape = labels.dims.join(', ')
    throw new TrainerError('data', `Each row needs one label, but the labels of the batch have the shape [${shape}].`)
  }
  const data = Int32Array.from(labels.data as Int32Array, Number)
  for (let row = 0; row < rows; row++) {
    const label = Number(labels.data[row])
    if (label === data[row] && (label === ignoredIndex || (label >= 0 && label < classes))) continue
    const known = `the model has ${classes} labels: 0 to ${classes - 1}`
    throw new TrainerError('data', `The label of ${rowName(row)} is ${label}, but ${known}.`, {
      fix:
        label === -1
          ? 'GLUE marks hidden test labels with -1: train and evaluate on other splits.'
          : 'Load the model with the right numLabels, or correct the labels.',
    })
  }
  return new Tensor('int32', data, [rows])
}

/** How many labels of a batch count: those that are not -100. */
function countLabels({ data }: Tensor): number {
  let count = 0
  for (const label of data) if (Number(label) !== ignoredIndex) count++
  return count
}
