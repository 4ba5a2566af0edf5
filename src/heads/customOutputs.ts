// a head of the user's own as the head of a model
import { TrainerError } from '../errors'
import type { Places } from '../feeds/FeedLayout'
import { outOfOrder } from '../feeds/rowOrder'
import type { Loss } from '../losses/loss'
import type { GraphBuilder } from '../onnx/builder'
import type { Tensor } from '../tensor'
import type { Head, LossOptions, OwnLayers, Values } from './Head'
import { declareOwnLabels, ownLabelFeed } from './ownLabels'
import type { OwnHead } from './OwnHead'
import { checkedLoss } from './ownChecks'
import { exportedTokens, inBatch } from './tokenLabels'

/** What is known of a head of the user's own once it has been written for a model. */
export interface WrittenHead extends Pick<OwnLayers, 'layers'>, Pick<Head, 'reads'> {
  readonly outputs: Values
  /** The columns that each have a loss of their own; undefined where there is one loss. */
  readonly terms: readonly string[] | undefined
}

/** The head of a model, as the user's own is written for that. */
export function customOutputs(own: OwnHead, { outputs, layers, reads, terms }: WrittenHead): Head {
  const names = Object.keys(outputs)
  const isOfTokens = (output: string): boolean => outputs[output]!.shape[0] === 'tokens'
  const head: Head = {
    task: 'custom-outputs',
    reads,
    outputNames: names,
    width: names.reduce((sum, name) => sum + widthOf(outputs[name]!.shape.slice(1)), 0),
    labelNames: Object.keys(own.labels),
    own: { name: own.name, outputs: own.outputs, layers },
    takesCustomLoss: false,
    // those of a classifier say nothing of it
    configFields: { num_labels: undefined, id2label: undefined, label2id: undefined },
    decided: () => head,
    withLoss(loss) {
      throw new TrainerError('argument', `${own.name} has a loss of its own, but the loss "${loss}" was asked for.`, {
        fix: 'Leave computeLossFunc out, or write that loss in the head.',
      })
    },
    declare: graph => declareOwnLabels(graph, own.labels),
    loss: (graph, values, labels, options) => lossOf(own, graph, values, labels, options),
    feed: (batch, places, rowName) => ownLabelFeed(batch, own.labels, places, rowName, terms),
    predictions: (found, places, shape) =>
      Object.fromEntries(names.map(name => [name, predicted(found[name]!, places, isOfTokens(name), shape)])),
    exported: (graph, values, inputIds) =>
      Object.fromEntries(
        names.map(name => [name, isOfTokens(name) ? exportedTokens(graph, values[name]!, inputIds) : values[name]!]),
      ),
  }
  return head
}

function widthOf(inner: readonly (number | string)[]): number {
  return inner.reduce<number>((width, length) => width * (typeof length === 'number' ? length : 1), 1)
}

function predicted(value: Tensor, places: Places, isOfTokens: boolean, shape: readonly number[]): Tensor {
  return isOfTokens ? inBatch(value, places, shape) : outOfOrder(value, places.order)
}

function lossOf(own: OwnHead, graph: GraphBuilder, outputs: Values, labels: Values, options: LossOptions): Loss {
  refuseLossOptions(own.name, options)
  const written = checkedLoss(own, own.loss(outputs, labels, graph))
  const weighted = ({ sum, count }: Loss, column: string): Loss => {
    const weight = own.weights?.[column] ?? 1
    return { sum: weight === 1 ? sum : graph.mul(sum, weight), count }
  }
  if ('sum' in written) return weighted(written as Loss, Object.keys(own.labels)[0]!)
  const terms = Object.entries(written).map(([column, loss]) => [column, weighted(loss, column)] as const)
  const all = terms
    .map(([, term]) => term)
    .reduce((a, b) => ({ sum: graph.add(a.sum, b.sum), count: graph.add(a.count, b.count) }))
  return { ...all, terms: Object.fromEntries(terms) }
}

/**
 * A loss of the user's own has no options.
 * @throws TrainerError ('argument') naming one.
 */
export function refuseLossOptions(
  name: string,
  {
    labelSmoothing = 0,
    classWeights,
  }: { readonly labelSmoothing?: number | undefined; readonly classWeights?: unknown },
): void {
  const given = classWeights !== undefined ? 'classWeights' : labelSmoothing !== 0 ? 'labelSmoothingFactor' : undefined
  if (given === undefined) return
  throw new TrainerError('argument', `${given} was given, but ${name} has a loss of its own.`, {
    fix: 'Leave it out, and give crossEntropy(graph, logits, labels, { … }) in the head what it is to do.',
  })
}
