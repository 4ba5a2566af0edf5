import { LabelError, TrainerError } from '../errors'
import type { RowName } from '../feeds/FeedLayout'
import { inOrder, outOfOrder } from '../feeds/rowOrder'
import { ignoredIndex } from '../labelColumn'
import { crossEntropy } from '../losses/crossEntropy'
import type { Loss } from '../losses/loss'
import type { LossName } from '../losses/lossNames'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import type { Head, LossOptions } from './Head'
import { adviceForConfigs, type LabelAdvice } from './labelAdvice'
import { ignoreSmoothing, lossOfNumbers, refuseClassWeights } from './lossOptions'
import type { ProblemType } from './problemType'

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
  mean_absolute_error: 'regression',
}

const usualLoss: Readonly<Record<ProblemType, LossName>> = {
  single_label_classification: 'cross_entropy',
  multi_label_classification: 'binary_cross_entropy',
  regression: 'mean_squared_error',
}

/** What is particular about a head for rows. */
export interface RowHeadOptions {
  /** What to do about labels that do not fit. Default: what can be done of a model with a config. */
  readonly advice?: LabelAdvice | undefined
  /** The loss by its name. Default: the usual one of what is predicted. */
  readonly loss?: LossName | undefined
}

/** A head of `width` labels: its model's output `logits` is [rows, width]. */
export function sequenceClassification(
  width: number,
  problemType?: ProblemType,
  { advice = adviceForConfigs, loss }: RowHeadOptions = {},
): SequenceClassification {
  const withType = (type: ProblemType, named?: LossName): SequenceClassification =>
    sequenceClassification(width, type, { advice, loss: named })
  const head: SequenceClassification = {
    task: 'sequence-classification',
    reads: 'first',
    width,
    problemType,
    labelNames: ['labels'],
    configFields: problemType === undefined ? {} : { problem_type: problemType },
    decided: ({ labels }) =>
      problemType !== undefined || labels === undefined ? head : withType(problemOf(labels, width)),
    withLoss: name => withType(problemOfLoss[name], name),
    declare: (graph, { logits }) => ({
      labels: declareLabels(graph, logits!.shape[0]!, width, decidedType(problemType)),
    }),
    loss: (graph, outputs, labels, options) =>
      lossOf(graph, outputs.logits!, labels.labels!, loss ?? usualLoss[decidedType(problemType)], options),
    feed({ labels }, { order }, rowName) {
      if (labels === undefined) return undefined
      const head = { width, problemType: decidedType(problemType), advice }
      const checked = checkedLabels(labels, head, order.length, rowName)
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

function lossOf(graph: GraphBuilder, logits: Value, labels: Value, name: LossName, options: LossOptions): Loss {
  if (name === 'cross_entropy') return crossEntropy(graph, logits, labels, options)
  const what = problemOfLoss[name].replaceAll('_', ' ')
  refuseClassWeights(options, what)
  ignoreSmoothing(options, what)
  return lossOfNumbers[name](graph, logits, labels)
}

// ── the host's half ──

/** What a head is that labels are checked for. */
interface LabelledHead {
  readonly width: number
  readonly problemType: ProblemType
  readonly advice: LabelAdvice
}

/**
 * The labels as the graph takes them: int32 [rows] for classes, float32 [rows] or [rows, width] otherwise.
 * @throws TrainerError naming the row of a class that the model does not have or a label that is not a number.
 */
function checkedLabels(labels: Tensor, head: LabelledHead, rows: number, rowName: RowName): Tensor {
  const { width, problemType, advice } = head
  const shape = `[${labels.dims.join(', ')}]`
  if (labels.dims[0] !== rows) {
    throw new TrainerError('data', `The batch has ${rows} rows, but its labels have the shape ${shape}.`, {
      fix: 'Check the collator: labels need one entry a row.',
    })
  }
  if (problemType === 'single_label_classification') return classIds(labels, head, rows, rowName)
  if (labels.size !== rows * width) {
    if (labels.size === rows)
      checkNumbers(
        Float32Array.from(labels.data as Float32Array, Number),
        { ...head, problemType: 'regression' },
        rowName,
      )
    const needed = `${width} label${width === 1 ? '' : 's'} for ${problemType.replaceAll('_', ' ')}`
    throw new LabelError(
      `Each row needs ${needed}, but the labels of the batch have the shape ${shape}.`,
      advice.ofShape(labels, width, problemType),
    )
  }
  const data = Float32Array.from(labels.data as Float32Array, Number)
  checkNumbers(data, head, place => rowName(Math.floor(place / width)))
  return new Tensor('float32', data, shapeOf(rows, width, problemType))
}

/** @throws LabelError for what is not a number, or, where there are several labels, not between 0 and 1. */
function checkNumbers(
  data: Float32Array,
  { problemType, advice }: LabelledHead,
  rowOf: (place: number) => string,
): void {
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
    advice.ofSeveralValue(),
  )
}

function classIds(labels: Tensor, { width: classes, advice }: LabelledHead, rows: number, rowName: RowName): Tensor {
  if (labels.size !== rows) {
    throw new LabelError(
      `Each row needs one label, but the labels of the batch have the shape [${labels.dims.join(', ')}].`,
      advice.ofSeveral(labels, classes),
    )
  }
  const data = Int32Array.from(labels.data as Int32Array, Number)
  for (let row = 0; row < rows; row++) {
    const label = Number(labels.data[row])
    if (label === data[row] && (label === ignoredIndex || (label >= 0 && label < classes))) continue
    const known = `the model has ${classes} labels: 0 to ${classes - 1}`
    throw new LabelError(
      `The label of ${rowName(row)} is ${label}, but ${known}.`,
      adviceForClass(label, classes, advice),
    )
  }
  return new Tensor('int32', data, [rows])
}

function adviceForClass(label: number, classes: number, advice: LabelAdvice): string {
  if (Number.isNaN(label)) return 'Leave such rows out with filter().'
  if (label === -1) return 'GLUE marks hidden test labels with -1: train and evaluate on other splits.'
  return advice.ofClass(label, classes)
}

/** How many labels of a batch count: those that are not -100. */
function countLabels({ data }: Tensor): number {
  let count = 0
  for (const label of data) if (Number(label) !== ignoredIndex) count++
  return count
}
