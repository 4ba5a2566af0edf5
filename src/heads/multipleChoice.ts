import { LabelError, TrainerError } from '../errors'
import type { Places, RowName } from '../feeds/FeedLayout'
import { inverseOf, outOfOrder } from '../feeds/rowOrder'
import { ignoredIndex } from '../labelColumn'
import { targetCrossEntropy } from '../losses/crossEntropy'
import { type Batch, Tensor } from '../tensor'
import type { Head, LabelFeed } from './Head'
import { onlyLoss, refuseClassWeights } from './lossOptions'

/** The columns of tokens, which have one row for each choice. */
const tokenColumns: readonly string[] = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids']

/**
 * A head that chooses among several texts: columns of tokens are [rows, choices, length], the predictions `logits`
 * [rows, choices]. Its model's output is [rows × choices, 1], in the order of the feed.
 */
export const multipleChoice: Head = {
  task: 'multiple-choice',
  reads: 'first',
  width: 1,
  axes: ['batch_size', 'num_choices'],
  labelNames: ['labels'],
  configFields: {},
  takesCustomLoss: false,
  decided: () => multipleChoice,
  withLoss: name => onlyLoss(multipleChoice, name, 'cross_entropy'),
  declare: graph => ({
    labels: graph.input('labels', 'float32', ['rows', 'choices']),
    order: graph.input('choice_order', 'int32', ['rows', 'choices']),
  }),
  loss(graph, { logits }, { labels, order }, options) {
    refuseClassWeights(options, 'multiple choice', false)
    const inBatch = graph.assume(graph.gather(graph.reshape(logits!, [-1]), order!), ['rows', 'choices'])
    return targetCrossEntropy(graph, inBatch, labels!, options.labelSmoothing)
  },
  rows: batch => rowsOf(batch),
  feed: (batch, places, rowName) => feed(batch, places, rowName),
  predictions({ logits }, { order }, [rows = 0, choices = 0]) {
    return { logits: new Tensor('float32', outOfOrder(logits!, order).data as Float32Array, [rows, choices]) }
  },
  exported(graph, { logits }, inputIds) {
    const shape = graph.node('Shape', [inputIds], { end: 2 })[0]!
    return { logits: graph.assume(graph.reshape(logits!, shape), inputIds.shape.slice(0, 2)) }
  },
}

/** Columns [rows, choices, length] as [rows × choices, length]. */
function rowsOf(batch: Batch): Batch {
  const flat: Batch = { ...batch }
  for (const name of tokenColumns) {
    const column = batch[name]
    if (column === undefined) continue
    if (column.dims.length !== 3) {
      const shape = column.dims.join(', ')
      throw new TrainerError('data', `"${name}" has to be [rows, choices, length], but its shape is [${shape}].`, {
        fix: 'Tokenize each choice, and use DataCollatorForMultipleChoice.',
      })
    }
    const [rows, choices, length] = column.dims as [number, number, number]
    flat[name] = new Tensor(column.dtype, column.data as never, [rows * choices, length])
  }
  return flat
}

function feed({ labels, input_ids: ids }: Batch, { order }: Places, rowName: RowName): LabelFeed | undefined {
  if (labels === undefined) return undefined
  const [rows = 0, choices = 0] = ids!.dims
  if (labels.size !== rows) {
    const shape = labels.dims.join(', ')
    throw new LabelError(`Each row needs one label, but the labels have the shape [${shape}].`, 'Check the collator.')
  }
  const targets = new Float32Array(rows * choices)
  let count = 0
  labels.data.forEach((given: number | bigint, row: number) => {
    const label = Number(given)
    if (label === ignoredIndex) return
    if (!Number.isInteger(label) || label < 0 || label >= choices) {
      throw new LabelError(
        `The label of ${rowName(row)} is ${label}, but there are ${choices} choices: 0 to ${choices - 1}.`,
        'The label is the number of the right choice.',
      )
    }
    targets[row * choices + label] = 1
    count++
  })
  return {
    inputs: {
      labels: new Tensor('float32', targets, [rows, choices]),
      choice_order: new Tensor('int32', inverseOf(order), [rows, choices]),
    },
    count,
  }
}
