import { LabelError, TrainerError } from '../errors'
import type { RowName } from '../feeds/FeedLayout'
import { inOrder, outOfOrder } from '../feeds/rowOrder'
import { ignoredIndex } from '../labelColumn'
import { binaryCrossEntropy } from '../losses/binaryCrossEntropy'
import { crossEntropy } from '../losses/crossEntropy'
import type { Loss } from '../losses/loss'
import type { LossName } from '../losses/lossNames'
import { meanSquaredError } from '../losses/meanSquaredError'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import type { Head, LossOptions } from './Head'
import { ignoreSmoothing, refuseClassWeights } from './lossOptions'

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
  return graph.input('labels', 'float32', shapeOf(rows, width, problemType))
}

/** Of numbers: one for each row of a regression of one, as Python has it; else those of the logits. */
function shapeOf<Rows extends Dimension>(rows: Rows, width: number, problemType: ProblemType): (Rows | number)[] {
  return problemType === 'regression' && width === 1 ? [rows] : [rows, width]
}

function lossOf(
  graph: GraphBuilder,
  logits: Value,
  labels: Value,
  problemType: ProblemType,
  options: LossOptions,
): Loss {
  if (problemType === 'single_label_classification') return crossEntropy(graph, logits, labels, options)
  const what = problemType.replaceAll('_', ' ')
  refuseClassWeights(options, what)
  ignoreSmoothing(options, what)
  return problemType === 'regression'
    ? meanSquaredError(graph, logits, labels)
    : binaryCrossEntropy(graph, logits, labels)
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
    if (labels.size === rows)
      checkNumbers(Float32Array.from(labels.data as Float32Array, Number), 'regression', rowName)
    const needed = `${width} label${width === 1 ? '' : 's'} for ${problemType.replaceAll('_', ' ')}`
    throw new LabelError(
      `Each row needs ${needed}, but the labels of the batch have the shape ${shape}.`,
      adviceForShape(labels, width, problemType),
    )
  }
  const data = Float32Array.from(labels.data as Float32Array, Number)
  checkNumbers(data, problemType, place => rowName(Math.floor(place / width)))
  return new Tensor('float32', data, shapeOf(rows, width, problemType))
}

function adviceForShape({ dims, dtype }: Tensor, width: number, problemType: ProblemType): string {
  if (dims.length === 2) return `Load the model with numLabels: ${dims[1]}, or give each row ${width}.`
  if (dtype === 'float32' || dtype === 'float64')
    return 'Labels that are not whole numbers are values: load the model with numLabels: 1.'
  return problemType === 'regression'
    ? 'For one value in each row, load the model with numLabels: 1.'
    : "For one class in each row, load the model with problemType: 'single_label_classification'; " +
        `else give each row ${width} numbers, 1 for each label that it has and 0 for the others.`
}

/** @throws LabelError for what is not a number, or, where there are several labels, not between 0 and 1. */
function checkNumbers(data: Float32Array, problemType: ProblemType, rowOf: (place: number) => string): void {
  const notFinite = data.findIndex(value => !Number.isFinite(value))
  if (notFinite >= 0) {
    const problem = `The label of ${rowOf(notFinite)} is ${data[notFinite]}, which is not a finite number.`
    throw new LabelError(problem, 'Leave such rows out with filter().')
  }
  if (problemType !== 'multi_label_classification') return
  const outside = data.findIndex(value => value < 0 || value > 1)
  if (outside < 0) return
  throw new LabelError(
    `A label of ${rowOf(outside)} is ${data[outside]}, but where there are several labels each is 0 or 1, or between.`,
    'Give a number for each label that there is: 1 for those that the row has, 0 for the others.',
  )
}

function classIds(labels: Tensor, classes: number, rows: number, rowName: RowName): Tensor {
  if (labels.size !== rows) {
    throw new LabelError(
      `Each row needs one label, but the labels of the batch have the shape [${labels.dims.join(', ')}].`,
      `For several labels at once, load the model with problemType: 'multi_label_classification', numLabels: ${labels.dims[1]}.`,
    )
  }
  const data = Int32Array.from(labels.data as Int32Array, Number)
  for (let row = 0; row < rows; row++) {
    const label = Number(labels.data[row])
    if (label === data[row] && (label === ignoredIndex || (label >= 0 && label < classes))) continue
    const known = `the model has ${classes} labels: 0 to ${classes - 1}`
    throw new LabelError(`The label of ${rowName(row)} is ${label}, but ${known}.`, adviceForClass(label))
  }
  return new Tensor('int32', data, [rows])
}

function adviceForClass(label: number): string {
  if (Number.isNaN(label)) return 'Leave such rows out with filter().'
  if (label === -1) return 'GLUE marks hidden test labels with -1: train and evaluate on other splits.'
  return Number.isInteger(label)
    ? 'Load the model with the right numLabels, or correct the labels.'
    : "For values in place of classes, load the model with numLabels: 1 and problemType: 'regression'."
}

/** How many labels of a batch count: those that are not -100. */
function countLabels({ data }: Tensor): number {
  let count = 0
  for (const label of data) if (Number(label) !== ignoredIndex) count++
  return count
}
