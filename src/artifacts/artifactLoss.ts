// the losses of artifacts, with the names and the types of labels that Python's have
import { nearest, quoted, TrainerError } from '../errors'
import type { Values } from '../heads/Head'
import { ignoredIndex } from '../labelColumn'
import { binaryCrossEntropy, countElements } from '../losses/binaryCrossEntropy'
import { crossEntropy } from '../losses/crossEntropy'
import type { Loss } from '../losses/loss'
import type { LossFunction, ModelOutputs } from '../losses/LossFunction'
import { checkedLossName, type LossName, lossNames, type LossSpelling } from '../losses/lossNames'
import { meanAbsoluteError } from '../losses/meanAbsoluteError'
import { meanSquaredError } from '../losses/meanSquaredError'
import type { GraphBuilder } from '../onnx/builder'
import { describe } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { shown } from '../options'
import { isLoss, isValue } from '../programs/loss'

/** What labels of a custom loss are: the classes of things (int64), or numbers in the shape of what is predicted (float32). */
export type LabelKind = 'classes' | 'numbers'

/** The loss of artifacts, and what it is computed from. */
export interface ArtifactLossOptions {
  readonly loss: LossName | LossFunction | undefined
  readonly lossInputNames: readonly string[] | undefined
  readonly labels: LabelKind | undefined
}

interface NamedLoss {
  readonly labels: LabelKind
  write(graph: GraphBuilder, predicted: Value, labels: Value): Loss
}

/** The losses that have a name: Python's CrossEntropyLoss, BCEWithLogitsLoss, MSELoss and L1Loss. */
const losses: Readonly<Record<LossName, NamedLoss>> = {
  cross_entropy: { labels: 'classes', write: classLoss },
  binary_cross_entropy: { labels: 'numbers', write: binaryCrossEntropy },
  mean_squared_error: { labels: 'numbers', write: meanSquaredError },
  mean_absolute_error: { labels: 'numbers', write: meanAbsoluteError },
}

/** What is given of a loss: a name in any spelling. */
export type GivenLoss = Omit<ArtifactLossOptions, 'loss'> & { readonly loss: LossSpelling | LossFunction | undefined }

/** @throws TrainerError ('argument') for what is no loss. */
export function checkedArtifactLoss({ loss, lossInputNames, labels }: GivenLoss): ArtifactLossOptions {
  if (typeof loss !== 'string' && loss !== undefined && typeof loss !== 'function')
    throw new TrainerError(
      'argument',
      `generateArtifacts() takes the name of a loss or a function, not ${shown(loss)}.`,
    )
  const known = typeof loss === 'string' ? checkedLossName(loss, 'loss') : loss
  if (loss === undefined && lossInputNames !== undefined)
    throw new TrainerError('argument', 'lossInputNames says what a loss is computed from, but no loss is given.')
  if (labels !== undefined && typeof loss !== 'function')
    throw new TrainerError('argument', 'labels says what the labels of a custom loss are; other losses know.')
  if (labels !== undefined && labels !== 'classes' && labels !== 'numbers')
    throw new TrainerError('argument', `labels is ${shown(labels)}; 'classes' or 'numbers' was expected.`)
  return { loss: known, lossInputNames, labels }
}

/**
 * Writes the loss of a model's outputs as a mean: a float32 scalar. Labels become inputs of the graph, `labels` or
 * `target`, unless it has an input of that name.
 * @param outputs those of the model, in order.
 * @throws TrainerError ('argument') for outputs that the loss cannot be computed from.
 */
export function writeArtifactLoss(graph: GraphBuilder, outputs: Values, options: ArtifactLossOptions): Value {
  const { loss, lossInputNames } = options
  if (loss === undefined) return scalarLoss(outputs)
  const [name, labelsName] = lossInputNames ?? [predictedName(outputs)]
  const predicted = outputNamed(outputs, name!, 'lossInputNames')
  if (predicted.dtype !== 'float32') throw noFloat(name!, predicted)
  if (lossInputNames !== undefined && lossInputNames.length > 2)
    throw new TrainerError(
      'argument',
      `A loss is of one output, and may have labels from a second, but lossInputNames are ${quoted(lossInputNames)}.`,
    )
  const kind = typeof loss === 'string' ? losses[loss].labels : (options.labels ?? 'classes')
  const labels =
    labelsName === undefined ? labelsInput(graph, predicted, kind) : outputNamed(outputs, labelsName, 'lossInputNames')
  return graph.scope('loss', () => {
    if (typeof loss === 'string') return mean(graph, losses[loss].write(graph, predicted, labels))
    return customLoss(graph, loss, { ...outputs, logits: predicted }, labels)
  })
}

function customLoss(graph: GraphBuilder, loss: LossFunction, outputs: ModelOutputs, given: Value): Value {
  const isClass = given.dtype !== 'float32'
  const labels = isClass ? graph.cast(given, 'int32') : given
  const count = isClass
    ? graph.sum(graph.cast(graph.not(graph.equal(labels, ignoredIndex)), 'float32'))
    : countElements(graph, labels)
  const written: unknown = loss(outputs, labels, count, graph)
  const value = isLoss(written) ? mean(graph, written) : isValue(written) ? written : undefined
  if (value?.shape.length === 0) return value
  const found = value === undefined ? shown(written) : describe(value)
  throw new TrainerError(
    'argument',
    `The loss function has to return a scalar of the graph, or a sum and a count, but it returned ${found}.`,
  )
}

/** The output that a loss is of unless it is named. @throws TrainerError ('argument') where there are several. */
function predictedName(outputs: Values): string {
  const names = Object.keys(outputs)
  if (names.includes('logits')) return 'logits'
  if (names.length === 1) return names[0]!
  throw new TrainerError(
    'argument',
    `The model has the outputs ${quoted(names)}: which one is the loss computed from?`,
    {
      fix: 'Name it in lossInputNames.',
    },
  )
}

/** The first output, which is the loss where none is to be added. */
function scalarLoss(outputs: Values): Value {
  const [name, first] = Object.entries(outputs)[0]!
  if (first.shape.length === 0 && first.dtype === 'float32') return first
  throw new TrainerError(
    'argument',
    `Without a loss the first output is the loss, a float32 scalar, but "${name}" is ${describe(first)}.`,
    {
      fix: `Give a loss: ${lossNames.join(', ')}, or a function.`,
    },
  )
}

/** @throws TrainerError ('argument') for a name that no output has. */
export function outputNamed(outputs: Values, name: string, option: string): Value {
  if (Object.hasOwn(outputs, name)) return outputs[name]!
  const near = nearest(name, Object.keys(outputs))
  throw new TrainerError(
    'argument',
    `${option} names "${name}", but the outputs of the model are ${quoted(Object.keys(outputs))}.`,
    {
      ...(near !== undefined && { fix: `Did you mean "${near}"?` }),
    },
  )
}

function noFloat(name: string, value: Value): TrainerError {
  return new TrainerError('argument', `A loss is computed from float32 numbers, but "${name}" is ${describe(value)}.`)
}

/** Labels as Python's artifacts have them: int64 in the shape of what is predicted without its last axis, or float32 in its shape. */
function labelsInput(graph: GraphBuilder, predicted: Value, kind: LabelKind): Value {
  const name = kind === 'classes' ? 'labels' : 'target'
  const known = graph.inputs.find(input => input.name === name)
  if (known !== undefined) return known
  return kind === 'classes'
    ? graph.input(name, 'int64', predicted.shape.slice(0, -1))
    : graph.input(name, 'float32', predicted.shape)
}

/** Of numbers for classes [..., classes] against class ids [...]; those that are -100 do not count. */
function classLoss(graph: GraphBuilder, predicted: Value, labels: Value): Loss {
  const classes = predicted.shape.at(-1)
  const ids = graph.cast(labels, 'int32')
  if (predicted.shape.length === 2 || typeof classes !== 'number') return crossEntropy(graph, predicted, ids)
  return crossEntropy(graph, graph.reshape(predicted, [-1, classes]), graph.reshape(ids, [-1]))
}

function mean(graph: GraphBuilder, { sum, count }: Loss): Value {
  return graph.div(sum, count)
}
