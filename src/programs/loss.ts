import { TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import type { Loss } from '../losses/loss'
import type { LossFunction, ModelOutputs } from '../losses/LossFunction'
import type { CountedTokens, Head, LossOptions, Values } from '../heads/Head'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'

/** What a model is trained by: the loss of its head, with options, or a custom one. */
export interface Objective extends LossOptions {
  readonly custom?: LossFunction | undefined
}

/** The input that a custom loss divides by: the labels that count in the whole update. */
export const labelCountInput = 'num_items_in_batch'

/** The tokens that a loss is of, where those whose labels count are enough: a custom loss may be of all. */
export function countedOf(head: Head, { custom }: Objective): CountedTokens | undefined {
  return custom === undefined ? head.counted : undefined
}

/** Adds the loss of a model's outputs to their graph; the labels become inputs of it. */
export function writeLoss(graph: GraphBuilder, head: Head, outputs: Values, objective: Objective): Loss {
  return graph.scope('loss', () => {
    const labels = head.declare(graph, outputs)
    const { custom, ...options } = objective
    if (custom !== undefined && head.takesCustomLoss === false) {
      throw new TrainerError('argument', `A head for ${head.task.replaceAll('-', ' ')} takes no custom loss.`, {
        fix: 'Leave computeLossFunc out.',
      })
    }
    return custom === undefined
      ? head.loss(graph, outputs, labels, options)
      : customLoss(graph, outputs, labels[head.labelNames[0]!]!, custom)
  })
}

/** What several losses are divided by: the labels of a column that count in the whole update. */
export const labelCountOf = (column: string): string => `${labelCountInput}.${column}`

/**
 * A loss whose gradients add up over the micro-batches of an update: of several, each is divided by what counts of it in
 * the whole update, and multiplied by what counts of all, since that divides the sum in the end.
 */
export function lossOfUpdate(graph: GraphBuilder, loss: Loss): Loss {
  if (loss.terms === undefined) return loss
  return graph.scope('loss', () => {
    const scalar = (name: string): Value => graph.input(name, 'float32', [])
    const means = Object.entries(loss.terms!).map(([column, { sum }]) => graph.div(sum, scalar(labelCountOf(column))))
    const mean = means.reduce((a, b) => graph.add(a, b))
    return { sum: graph.mul(mean, scalar(labelCountInput)), count: loss.count }
  })
}

/** Sums and counts as outputs of an evaluation: of several losses, [losses] each. */
export function lossOutputs(graph: GraphBuilder, { sum, count, terms }: Loss): { loss: Value; count: Value } {
  if (terms === undefined) return { loss: sum, count }
  const all = (which: 'sum' | 'count'): Value =>
    graph.concat(
      Object.values(terms).map(term => graph.reshape(term[which], [1])),
      0,
    )
  return { loss: all('sum'), count: all('count') }
}

function customLoss(graph: GraphBuilder, outputs: Values, labels: Value, custom: LossFunction): Loss {
  const items = graph.input(labelCountInput, 'float32', [])
  const written: unknown = custom(outputs as ModelOutputs, labels, items, graph)
  if (isLoss(written)) return written
  if (!isValue(written)) {
    const found = `it returned ${String(written)}`
    throw new TrainerError(
      'argument',
      `The loss function has to return a graph value, or a sum and a count, but ${found}.`,
      { fix: 'Write the loss with the operators of `graph`: it is called once, while the graph is built.' },
    )
  }
  if (written.shape.length !== 0) {
    const shape = written.shape.join(', ')
    throw new TrainerError(
      'argument',
      `The loss function has to return a scalar, but its value has the shape [${shape}].`,
      { fix: 'Sum it up and divide by the count that it is given.' },
    )
  }
  // as a sum over labels, so that micro-batches add up to the update's mean, and batches of an evaluation to that of
  // the whole set
  const counted = graph.cast(graph.not(graph.equal(labels, ignoredIndex)), 'float32')
  return { sum: graph.mul(written, items), count: graph.sum(counted) }
}

/** Whether a function has returned a sum and a count. */
export function isLoss(written: unknown): written is Loss {
  return typeof written === 'object' && written !== null && 'sum' in written
}

/** Whether a function has returned a value of the graph. */
export function isValue(written: unknown): written is Value {
  return typeof written === 'object' && written !== null && 'shape' in written
}
