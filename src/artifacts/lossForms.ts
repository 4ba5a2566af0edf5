// which loss a graph of artifacts computes, where its nodes are those of a known one
import { TrainerError } from '../errors'
import { needed, readBy } from '../lowering/reading'
import type { LossName } from '../losses/lossNames'
import { operatorName, type RawGraph } from '../onnx/RawModel'
import type { ArtifactGraph, Signature } from './signature'

/**
 * The operators between labels and loss, as Python's generator writes them and as ours does. Optimizers of training graphs
 * leave them as they are, or write SoftmaxCrossEntropyLoss in its internal form.
 */
const forms: Readonly<Record<LossName, readonly string[]>> = {
  cross_entropy: [
    'SoftmaxCrossEntropyLoss',
    'com.microsoft.SoftmaxCrossEntropyLossInternal',
    'Cast Unsqueeze Equal Cast Equal Not Cast Mul ReduceSum Neg ReduceSum Div',
  ],
  binary_cross_entropy: ['Mul Sub Mul Add Neg ReduceMean', 'Mul Sub Add ReduceSum Mul Add ReduceSum Div'],
  mean_squared_error: ['Sub Pow ReduceMean', 'Reshape Sub Mul ReduceSum Mul Add ReduceSum Div'],
  mean_absolute_error: ['Sub Abs ReduceMean', 'Reshape Sub Abs ReduceSum Mul Add ReduceSum Div'],
}

const lossOfForm: ReadonlyMap<string, LossName> = new Map(
  Object.entries(forms).flatMap(([loss, written]) =>
    written.map(operators => [formOf(operators.split(' ')), loss as LossName] as const),
  ),
)

function formOf(operators: readonly string[]): string {
  return operators.toSorted().join(' ')
}

/** The loss that a graph's first output is; undefined where its nodes are not exactly those of one that is known. */
export function knownLoss(graph: RawGraph, labels: readonly { readonly name: string }[]): LossName | undefined {
  const labelled = new Set(labels.map(({ name }) => name))
  const between = needed(graph.nodes, [graph.outputs[0]!.name]).filter(node => {
    if (!readBy(node).some(name => labelled.has(name))) return false
    for (const output of node.outputs) if (output !== '') labelled.add(output)
    return true
  })
  return lossOfForm.get(formOf(between.map(operatorName)))
}

/**
 * Compares what two graphs compute of labels. Only losses that are known for certain are compared: of others the two may
 * be written differently, as optimizers fuse nodes of the training graph alone.
 * @throws TrainerError ('file') for two graphs of different losses.
 */
export function checkSameLoss(training: ArtifactGraph, evaluation: ArtifactGraph, labels: Signature['labels']): void {
  const [trained, evaluated] = [training, evaluation].map(({ model }) => knownLoss(model.graph, labels))
  if (trained === undefined || evaluated === undefined || trained === evaluated) return
  throw new TrainerError(
    'file',
    `The loss of ${training.file} is ${trained}, but that of ${evaluation.file} is ${evaluated}.`,
    { fix: 'Take graphs that were generated together.' },
  )
}
