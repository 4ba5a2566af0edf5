import type { GraphBuilder } from '../onnx/builder'
import { ignoredIndex } from '../labelColumn'
import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { logSoftmax } from './logSoftmax'
import { checkLossValues } from './ownLabels'
import type { Loss } from './loss'

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /**
   * ε of Szegedy et al. 2015, as in Hugging Face's LabelSmoother: (1 - ε) · nll + ε · the mean over the classes.
   * Default 0.
   */
  readonly labelSmoothing?: number | undefined
  /** One weight per class; the sum is weighted, and the count is the sum of the labels' weights, as in PyTorch. */
  readonly classWeights?: readonly number[] | undefined
}

/**
 * Cross-entropy of logits [rows, classes] against class ids [rows] (int32), written in portable operators; see
 * PyTorch's CrossEntropyLoss. The number of classes may be known only when the graph runs; there may be more axes then, the last that of the classes.
 * @throws TrainerError (`argument`) for an option that it does not have, for class weights where the number of classes
 * is not known, and for logits of another number of classes than a head's labels have.
 */
export function crossEntropy(
  graph: GraphBuilder,
  logits: Value,
  labels: Value,
  options: CrossEntropyOptions = {},
): Loss {
  checkOptions(options, ['labelSmoothing', 'classWeights'], 'crossEntropy()')
  checkLossValues('crossEntropy(graph, logits, labels)', logits, labels)
  const classes = logits.shape.at(-1)
  if (typeof classes !== 'number') return pickedCrossEntropy(graph, logits, labels, options)
  const logProbabilities = logSoftmax(graph, logits, 1)
  const ids = graph.constant(Tensor.from('int32', [Array.from({ length: classes }, (_, i) => i)])) // [1, classes]
  const column = graph.unsqueeze(labels, [1])
  const oneHot = graph.cast(graph.equal(column, ids), logits.dtype) // a row of zeros for the ignored index
  const smoothing = options.labelSmoothing ?? 0
  const counted = graph.cast(graph.not(graph.equal(column, ignoredIndex)), logits.dtype) // [rows, 1]
  const weights =
    options.classWeights === undefined
      ? undefined
      : graph.cast(graph.constant(Tensor.from('float32', [options.classWeights])), logits.dtype)
  const hard = weights === undefined ? oneHot : graph.mul(oneHot, weights)
  const uniform = (): Value =>
    graph.mul(weights === undefined ? counted : graph.mul(counted, weights), smoothing / classes)
  const targets = smoothing === 0 ? hard : graph.add(graph.mul(hard, 1 - smoothing), uniform())
  return {
    sum: graph.neg(graph.sum(graph.mul(targets, logProbabilities))),
    count: graph.sum(weights === undefined ? counted : hard),
  }
}

/** Of as many classes as there are when the graph runs: as many as rows, for pairs of things that belong together. */
function pickedCrossEntropy(
  graph: GraphBuilder,
  logits: Value,
  labels: Value,
  { labelSmoothing = 0, classWeights }: CrossEntropyOptions,
): Loss {
  if (classWeights !== undefined) {
    const shape = `[${logits.shape.join(', ')}]`
    throw new TrainerError(
      'argument',
      `classWeights were given, but how many classes logits ${shape} have is not known.`,
      {
        fix: 'Leave classWeights out.',
      },
    )
  }
  const axis = logits.shape.length - 1
  const logProbabilities = logSoftmax(graph, logits, axis)
  const isCounted = graph.not(graph.equal(labels, ignoredIndex))
  const ids = graph.unsqueeze(graph.where(isCounted, labels, 0), [axis])
  const hard = graph.squeeze(graph.gatherElements(logProbabilities, ids, axis), [axis])
  const each =
    labelSmoothing === 0
      ? hard
      : graph.add(
          graph.mul(hard, 1 - labelSmoothing),
          graph.mul(graph.reduceMean(logProbabilities, [axis]), labelSmoothing),
        )
  return {
    sum: graph.neg(graph.sum(graph.where(isCounted, each, 0))),
    count: graph.sum(graph.cast(isCounted, logits.dtype)),
  }
}

/**
 * Cross-entropy of logits [rows, n] against targets of the same shape, where n is only known when the graph runs: a row
 * of targets has a 1 where its class is, or none where it does not count.
 * @param labelSmoothing as in {@link CrossEntropyOptions}.
 */
export function targetCrossEntropy(graph: GraphBuilder, logits: Value, targets: Value, labelSmoothing = 0): Loss {
  const logProbabilities = logSoftmax(graph, logits, 1)
  const hard = graph.sum(graph.mul(targets, logProbabilities))
  const count = graph.sum(targets)
  if (labelSmoothing === 0) return { sum: graph.neg(hard), count }
  const counted = graph.reduceSum(targets, [1], true) // [rows, 1]
  const mean = graph.sum(graph.mul(counted, graph.reduceMean(logProbabilities, [1], true)))
  const sum = graph.add(graph.mul(hard, 1 - labelSmoothing), graph.mul(mean, labelSmoothing))
  return { sum: graph.neg(sum), count }
}
