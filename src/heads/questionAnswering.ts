import { LabelError } from '../errors'
import type { RowName } from '../feeds/FeedLayout'
import { inOrder } from '../feeds/rowOrder'
import { targetCrossEntropy } from '../losses/crossEntropy'
import type { Loss } from '../losses/loss'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import type { Head, LabelFeed, LossOptions, Values } from './Head'
import { ignoreSmoothing, onlyLoss, refuseClassWeights } from './lossOptions'
import { exportedTokens, inBatch } from './tokenLabels'

/** The columns of an answer's first and last token. */
const names = ['start_positions', 'end_positions'] as const

/**
 * A head that finds the answer to a question in a text: for each token, padding too, how likely it begins and how likely
 * it ends the answer. Its model's output `logits` is [tokens, 2], the predictions are `start_logits` and `end_logits`
 * [rows, length]. The loss is the mean of both cross-entropies over the columns, as in Hugging Face; a position behind
 * the last column does not count.
 */
export const questionAnswering: Head = {
  task: 'question-answering',
  reads: 'columns',
  width: 2,
  labelNames: names,
  // Python's head has as many outputs as the config has labels: without labels they are two
  configFields: { num_labels: undefined, id2label: undefined, label2id: undefined },
  takesCustomLoss: false,
  decided: () => questionAnswering,
  withLoss: name => onlyLoss(questionAnswering, name, 'cross_entropy'),
  declare: graph => Object.fromEntries(names.map(name => [name, graph.input(name, 'float32', ['batch', 'length'])])),
  loss: (graph, { logits }, labels, options) => lossOf(graph, logits!, labels, options),
  feed: (batch, { order }, rowName) => feed(batch, order, rowName),
  predictions({ logits }, places, shape) {
    const { data, dims } = inBatch(logits!, places, shape)
    const half = (which: number): Tensor =>
      new Tensor(
        'float32',
        Float32Array.from({ length: data.length / 2 }, (_, i) => data[2 * i + which]!),
        dims.slice(0, 2),
      )
    return { start_logits: half(0), end_logits: half(1) }
  },
  exported(graph, { logits }, inputIds) {
    const [start, end] = graph.node('Split', [exportedTokens(graph, logits!, inputIds)], { axis: 2, num_outputs: 2 }, 2)
    return { start_logits: graph.squeeze(start!, [2]), end_logits: graph.squeeze(end!, [2]) }
  },
}

function lossOf(graph: GraphBuilder, logits: Value, labels: Values, options: LossOptions): Loss {
  refuseClassWeights(options, 'question answering', false)
  ignoreSmoothing(options, 'question answering')
  const targets = names.map(name => labels[name]!)
  const shape = graph.shape(targets[0]!)
  const losses = targets.map((target, which) => {
    const column = graph.gather(logits, graph.constant(Tensor.from('int32', which)), 1) // [tokens]
    return targetCrossEntropy(graph, graph.assume(graph.reshape(column, shape), target.shape), target)
  })
  const half = (a: Value, b: Value): Value => graph.mul(graph.add(a, b), 0.5)
  return { sum: half(losses[0]!.sum, losses[1]!.sum), count: half(losses[0]!.count, losses[1]!.count) }
}

/** A 1 in the column of each position, float32 [rows, length]. */
function feed(batch: Batch, order: Int32Array, rowName: RowName): LabelFeed | undefined {
  const given = names.filter(name => batch[name] !== undefined)
  if (given.length === 0) return undefined
  if (given.length === 1) {
    const missing = names.find(name => name !== given[0])
    throw new LabelError(`The batch has "${given[0]}", but no "${missing}".`, 'An answer needs both.')
  }
  const [rows = 0, length = 0] = batch.input_ids!.dims
  let count = 0
  const inputs = Object.fromEntries(
    names.map(name => {
      const targets = new Float32Array(rows * length)
      positionsOf(batch, name, rows, rowName).forEach((position, row) => {
        if (position >= length) return
        targets[row * length + position] = 1
        count += 0.5
      })
      return [name, inOrder(new Tensor('float32', targets, [rows, length]), order)]
    }),
  )
  return { inputs, count }
}

function positionsOf(batch: Batch, name: (typeof names)[number], rows: number, rowName: RowName): number[] {
  const { data, dims } = batch[name]!
  if (data.length !== rows)
    throw new LabelError(`Each row needs one "${name}", but its shape is [${dims.join(', ')}].`, 'Check the collator.')
  return Array.from(data as Int32Array, (given, row) => {
    const position = Number(given)
    if (Number.isInteger(position) && position >= 0) return position
    throw new LabelError(
      `"${name}" of ${rowName(row)} is ${position}, but it has to be a column: a whole number from 0 on.`,
      'A row without an answer points at its first token, 0.',
    )
  })
}
