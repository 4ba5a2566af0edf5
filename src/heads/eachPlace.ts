import { LabelError, TrainerError } from '../errors'
import type { RowName } from '../feeds/FeedLayout'
import { ignoredIndex } from '../labelColumn'
import { binaryCrossEntropy } from '../losses/binaryCrossEntropy'
import { crossEntropy } from '../losses/crossEntropy'
import type { Loss } from '../losses/loss'
import type { LossName } from '../losses/lossNames'
import { meanSquaredError } from '../losses/meanSquaredError'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import type { Head, LabelFeed, LossOptions, Task } from './Head'
import { ignoreSmoothing, refuseClassWeights } from './lossOptions'

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
    width: typeof classes === 'number' ? classes : 1,
    labelNames: ['labels'],
    configFields: {},
    decided: ({ labels }) =>
      loss !== undefined || labels === undefined ? head : eachPlace(shape, lossOf(labels, shape.length), task),
    withLoss: name => eachPlace(shape, name, task),
    declare: (graph, { logits }) => ({ labels: declareLabels(graph, logits!, decidedLoss(loss)) }),
    loss: (graph, { logits }, { labels }, options) => lossOfPlaces(graph, logits!, labels!, decidedLoss(loss), options),
    feed: (batch, { order }, rowName) => labelsOf(batch, shape, decidedLoss(loss), order.length, rowName),
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
    if (typeof classes !== 'number') throw unknownClasses(logits.shape)
    return crossEntropy(graph, graph.reshape(logits, [-1, classes]), graph.reshape(labels, [-1]), options)
  }
  refuseClassWeights(options, 'numbers')
  ignoreSmoothing(options, 'numbers')
  return loss === 'mean_squared_error'
    ? meanSquaredError(graph, logits, labels)
    : binaryCrossEntropy(graph, logits, labels)
}

function unknownClasses(shape: readonly Dimension[]): TrainerError {
  return new TrainerError('graph', `How many classes the output [${shape.join(', ')}] has is not known.`, {
    fix: 'Export the graph with that length fixed.',
  })
}

// ── the host's half ──

function labelsOf(
  { labels }: Batch,
  shape: readonly Dimension[],
  loss: LossName,
  rows: number,
  rowName: RowName,
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
    ? classIds(labels, shape.at(-1)!, placeName)
    : { inputs: { labels: numbers(labels, loss, placeName) }, count: labels.size }
}

function fits(dims: readonly number[]): (length: Dimension, axis: number) => boolean {
  return (length, axis) => typeof length === 'string' || length === dims[axis]
}

function classIds(labels: Tensor, classes: Dimension, placeName: (at: number) => string): LabelFeed {
  const data = Int32Array.from(labels.data as Int32Array, Number)
  let count = 0
  data.forEach((label, at) => {
    const isWhole = label === Number(labels.data[at])
    if (isWhole && label === ignoredIndex) return
    count++
    if (isWhole && label >= 0 && label < Number(classes)) return
    const known = `the output has ${classes} classes: 0 to ${Number(classes) - 1}`
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
