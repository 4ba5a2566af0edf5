import { LabelError, TrainerError } from '../errors'
import type { RowName } from '../feeds/FeedLayout'
import { ignoredIndex } from '../labelColumn'
import { crossEntropy } from '../losses/crossEntropy'
import type { Loss } from '../losses/loss'
import type { LossName } from '../losses/lossNames'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import type { Head, LabelFeed, LossOptions, Task } from './Head'
import { ignoreSmoothing, lossOfNumbers, refuseClassWeights } from './lossOptions'

/**
 * A head for an output of any shape [rows, …]: a class for each place, where the last axis is that of the classes, or a
 * number for each element. Labels are class ids of the shape without its last axis, -100 where one does not count, or
 * numbers of the same shape.
 * @param shape of the output `logits`.
 * @param loss by default the first labels decide: whole numbers without the last axis are classes, all others numbers,
 * whose squared error is taken.
 */
export function eachPlace(shape: readonly Dimension[], loss?: LossName, task = taskOf(shape, loss)): Head {
  const classes = shape.at(-1)
  const head: Head = {
    task,
    reads: 'all',
    width: typeof classes === 'number' ? classes : 0,
    labelNames: ['labels'],
    configFields: {},
    decided: ({ labels }) =>
      loss !== undefined || labels === undefined ? head : eachPlace(shape, lossOf(labels, shape.length), task),
    withLoss: name => eachPlace(shape, name, task),
    declare: (graph, { logits }) => ({ labels: declareLabels(graph, logits!, decidedLoss(loss)) }),
    loss: (graph, { logits }, { labels }, options) => lossOfPlaces(graph, logits!, labels!, decidedLoss(loss), options),
    feed: (batch, { order }, rowName, lengths = {}) =>
      labelsOf(batch, shape, decidedLoss(loss), { rows: order.length, rowName, lengths }),
    predictions: ({ logits }) => ({ logits: logits! }),
  }
  return head
}

/** Rows of places with classes are tokens, for all that is known; whatever else there is has no task of its own. */
function taskOf({ length }: readonly Dimension[], loss: LossName | undefined): Task {
  return length === 3 && (loss ?? 'cross_entropy') === 'cross_entropy' ? 'token-classification' : 'feature-extraction'
}

function lossOf({ dims, dtype }: Tensor, rank: number): LossName {
  return dims.length === rank - 1 && !dtype.startsWith('float') ? 'cross_entropy' : 'mean_squared_error'
}

function decidedLoss(loss: LossName | undefined): LossName {
  if (loss !== undefined) return loss
  throw new TrainerError('internal', 'internal: no labels have decided what the loss is.')
}

// ── the graph's half ──

function declareLabels(graph: GraphBuilder, { shape }: Value, loss: LossName): Value {
  return loss === 'cross_entropy'
    ? graph.input('labels', 'int32', shape.slice(0, -1))
    : graph.input('labels', 'float32', shape)
}

function lossOfPlaces(graph: GraphBuilder, logits: Value, labels: Value, loss: LossName, options: LossOptions): Loss {
  if (loss === 'cross_entropy') {
    const classes = logits.shape.at(-1)!
    if (typeof classes !== 'number') return crossEntropy(graph, logits, labels, options)
    return crossEntropy(graph, graph.reshape(logits, [-1, classes]), graph.reshape(labels, [-1]), options)
  }
  refuseClassWeights(options, 'numbers')
  ignoreSmoothing(options, 'numbers')
  return lossOfNumbers[loss](graph, logits, labels)
}

// ── the host's half ──

/** What is known of a feed. */
interface FeedRows {
  readonly rows: number
  readonly rowName: RowName
  /** What names of lengths stand for. */
  readonly lengths: Readonly<Record<string, number>>
}

function labelsOf(
  { labels }: Batch,
  shape: readonly Dimension[],
  loss: LossName,
  { rows, rowName, lengths }: FeedRows,
): LabelFeed | undefined {
  if (labels === undefined) return undefined
  const wanted = loss === 'cross_entropy' ? shape.slice(0, -1) : shape
  const isWanted = labels.dims.length === wanted.length && wanted.every(fits(labels.dims))
  if (!isWanted || labels.dims[0] !== rows) {
    const what = loss === 'cross_entropy' ? 'class ids' : 'numbers'
    const given = `labels of the batch have the shape [${labels.dims.join(', ')}]`
    const problem = `The graph's output is [${shape.join(', ')}], so labels are ${what} [${wanted.join(', ')}], but the ${given}.`
    throw new LabelError(problem, 'Return them in this shape from the data collator.')
  }
  const perRow = labels.size / Math.max(1, rows)
  const placeName = (at: number): string => `${rowName(Math.floor(at / perRow))}, place ${at % perRow}`
  return loss === 'cross_entropy'
    ? classIds(labels, lengthOf(shape.at(-1)!, lengths), placeName)
    : { inputs: { labels: numbers(labels, loss, placeName) }, count: labels.size }
}

function fits(dims: readonly number[]): (length: Dimension, axis: number) => boolean {
  return (length, axis) => typeof length === 'string' || length === dims[axis]
}

/** Undefined where a length is not known before the graph runs: then the graph refuses what lies beyond it. */
function lengthOf(length: Dimension, lengths: FeedRows['lengths']): number | undefined {
  return typeof length === 'number' ? length : lengths[length]
}

function classIds(labels: Tensor, classes: number | undefined, placeName: (at: number) => string): LabelFeed {
  const data = Int32Array.from(labels.data as Int32Array, Number)
  let count = 0
  data.forEach((label, at) => {
    const isWhole = label === Number(labels.data[at])
    if (isWhole && label === ignoredIndex) return
    count++
    if (isWhole && label >= 0 && label < (classes ?? Infinity)) return
    const known =
      classes === undefined ? 'classes are 0, 1, …' : `the output has ${classes} classes: 0 to ${classes - 1}`
    throw new LabelError(
      `The label of ${placeName(at)}, is ${labels.data[at]}, but ${known}.`,
      `Give places that do not count the label ${ignoredIndex}.`,
    )
  })
  return { inputs: { labels: new Tensor('int32', data, labels.dims) }, count }
}

function numbers(labels: Tensor, loss: LossName, placeName: (at: number) => string): Tensor {
  const data = Float32Array.from(labels.data as Float32Array, Number)
  const least = loss === 'binary_cross_entropy' ? 0 : -Infinity
  const most = loss === 'binary_cross_entropy' ? 1 : Infinity
  const bad = data.findIndex(value => !Number.isFinite(value) || value < least || value > most)
  if (bad < 0) return new Tensor('float32', data, labels.dims)
  const wanted = least === 0 ? 'a number from 0 to 1' : 'a finite number'
  throw new LabelError(
    `The label of ${placeName(bad)}, is ${data[bad]}, which is not ${wanted}.`,
    'Correct it, or leave such rows out with filter().',
  )
}
