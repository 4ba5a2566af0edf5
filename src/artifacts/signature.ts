// what the inputs and outputs of artifacts are: by their names alone, as ONNX Runtime Training tells them apart
import { bufferEnding, gradientEnding, resetFlag } from '../auto/artifactFiles'
import { quoted, TrainerError } from '../errors'
import { type GivenInput, givenInput } from '../feeds/asGiven'
import { needed, readBy } from '../lowering/reading'
import { lowerings } from '../lowering/table'
import { known } from '../lowering/writing'
import { operatorName, type RawGraph, type RawModel, type RawValue } from '../onnx/RawModel'
import { describe } from '../onnx/shapes'
import type { Dimension, ValueType } from '../onnx/types'
import { sizeOf, type Tensor } from '../tensor'
import type { Checkpoint } from './Checkpoint'
import { movedEnding, sumEnding } from './names'

/** A graph of artifacts, and what errors call its file. */
export interface ArtifactGraph {
  readonly file: string
  readonly model: RawModel
}

/** What is trained, and where its gradient is. */
export interface ArtifactParameter {
  readonly name: string
  readonly shape: readonly number[]
  /** The value of the training graph that is its gradient; undefined where it is frozen. */
  readonly gradient: string | undefined
  /** The value of the training graph that a statistic is to be after a forward pass. */
  readonly next: string | undefined
  /** Whether forward passes move it. */
  readonly isStatistic: boolean
}

/** The inputs and outputs of artifacts. */
export interface Signature {
  /** What is fed beside labels, in the order of the training graph. */
  readonly data: readonly GivenInput[]
  /** What the loss alone reads. */
  readonly labels: readonly GivenInput[]
  /** Those of the parameters that are float32, in the order of the training graph's inputs. */
  readonly parameters: readonly ArtifactParameter[]
  /** The values of the evaluation graph that predictions are, and those of them that need no labels. */
  readonly outputs: readonly string[]
  readonly outputsWithoutLabels: readonly string[]
  /** The values of the evaluation graph that its loss is computed from, which need no labels. */
  readonly beforeLabels: readonly string[]
}

const together = { fix: 'Take graphs and checkpoint that were generated together.' }

/** The names by which a loss calls what it is computed against. */
export const usualLabels: readonly string[] = ['labels', 'target', 'label', 'targets']

/**
 * @param outputs the values of the evaluation graph that predictions are; the further outputs unless given.
 * @throws TrainerError ('file') where graphs and checkpoint do not go together; ('argument') for an output that there is not.
 */
export function signatureOf(
  training: ArtifactGraph,
  evaluation: ArtifactGraph,
  checkpoint: Checkpoint & { readonly file: string },
  outputs: readonly string[] | undefined,
): Signature {
  const parameters = parametersOf(training, checkpoint)
  const isParameter = (name: string): boolean => checkpoint.trained.has(name) || checkpoint.frozen.has(name)
  const inputs = userInputs(training, isParameter)
  checkEvaluationInputs(evaluation, training, isParameter, inputs)
  const { graph } = evaluation.model
  const lossReads = reach(graph, [graph.outputs[0]!.name])
  const chosen = chosenOutputs(evaluation, outputs)
  const labels = labelsAmong(inputs, lossReads, graph, chosen)
  const isLabel = (name: string): boolean => labels.some(label => label.name === name)
  const needsNone = (output: string): boolean => ![...reach(graph, [output])].some(isLabel)
  const isRead = reach(training.model.graph, [
    training.model.graph.outputs[0]!.name,
    ...parameters.flatMap(({ gradient, next }) => [gradient ?? [], next ?? []].flat()),
  ])
  const evaluationReads = reach(graph, [...chosen, graph.outputs[0]!.name])
  const data = inputs.filter(({ name }) => !isLabel(name) && (isRead.has(name) || evaluationReads.has(name)))
  const before = beforeLabels(graph, isLabel, new Set(data.map(({ name }) => name)))
  const predicted = chosen.length > 0 ? chosen : before
  return {
    data,
    labels,
    parameters,
    outputs: predicted,
    outputsWithoutLabels: predicted.filter(needsNone),
    beforeLabels: before,
  }
}

/** @throws TrainerError ('file') for parameters that only one side has, or of another shape. */
function parametersOf(
  { file, model: { graph } }: ArtifactGraph,
  { file: source, trained, frozen, isNominal }: Checkpoint & { readonly file: string },
): readonly ArtifactParameter[] {
  const inputs = new Map(graph.inputs.map(({ name, type }) => [name, type]))
  const buffers = graph.inputs.flatMap(({ name }) => (name.endsWith(bufferEnding) ? [parameterOf(name)] : []))
  mismatch(
    [...trained.keys(), ...frozen.keys()],
    name => inputs.has(name),
    names => `${source} has ${names}, which no input of ${file} is called`,
  )
  mismatch(
    buffers,
    name => trained.has(name),
    names => `${file} trains ${names}, but ${source} has no such trained parameter`,
  )
  mismatch(
    [...trained.keys()],
    name => buffers.includes(name),
    names => `${source} says that ${names} is trained, but ${file} has no buffer for its gradient`,
  )
  const statistics = statisticsOf(graph)
  return graph.inputs.flatMap(({ name, type }) => {
    const tensor = trained.get(name) ?? frozen.get(name)
    if (tensor === undefined) return []
    const shape = type?.shape ?? tensor.dims
    if (isNominal) checkNominal(name, file, type?.shape ?? ['unknown'])
    else checkShape(name, file, { dtype: type?.dtype ?? tensor.dtype, shape }, tensor, source)
    if (tensor.dtype !== 'float32') {
      if (frozen.has(name)) return []
      throw new TrainerError('file', `${source}: "${name}" is ${tensor.dtype}; only float32 can be trained.`)
    }
    const gradient = trained.has(name) ? gradientOf(graph, name, file) : undefined
    const next = nextOf(graph, name)
    const isStatistic = next !== undefined || statistics.has(name)
    return [{ name, shape: shape as readonly number[], gradient, next, isStatistic }]
  })
}

function parameterOf(buffer: string): string {
  return buffer.slice(0, -bufferEnding.length)
}

function mismatch(
  names: readonly string[],
  isKnown: (name: string) => boolean,
  problem: (names: string) => string,
): void {
  const unknown = names.filter(name => !isKnown(name))
  if (unknown.length === 0) return
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''
  throw new TrainerError('file', `${problem(quoted(unknown.slice(0, 3)) + more)}.`, together)
}

function checkShape(name: string, file: string, stated: ValueType, tensor: Tensor, source: string): void {
  if (stated.dtype === tensor.dtype && stated.shape.join() === tensor.dims.join()) return
  const found = `${describe({ dtype: tensor.dtype, shape: tensor.dims })}, but in ${file} ${describe(stated)}`
  throw new TrainerError('file', `"${name}" in ${source} is ${found}.`, together)
}

/** A nominal checkpoint has no shapes: the graph's have to be numbers, and of not too many elements. */
function checkNominal(name: string, file: string, shape: readonly Dimension[]): void {
  if (known(shape) && sizeOf(shape) <= mostElements) return
  throw new TrainerError('file', `${file}: a parameter cannot have the shape [${shape.join(', ')}], as "${name}" has.`)
}

/** 4 GiB of float32: a number of the file is not to take more memory. */
const mostElements = 2 ** 30

/**
 * The value that is added to a parameter's buffer: by an accumulator, or in ordinary operators by a choice between it
 * and its sum with the buffer. @throws TrainerError ('file') where there is none. */
function gradientOf(graph: RawGraph, parameter: string, file: string): string {
  const output = `${parameter}${sumEnding}`
  const chosen = graph.nodes.find(({ op, outputs }) => op === 'Where' && outputs.includes(output))?.inputs[1]
  const gradient = accumulated(graph, `${parameter}${bufferEnding}`) ?? chosen ?? `${parameter}${gradientEnding}`
  if (graph.nodes.some(({ outputs }) => outputs.includes(gradient))) return gradient
  throw new TrainerError('file', `${file}: no node makes "${gradient}", the gradient of "${parameter}".`)
}

/** What an accumulator puts into a value that changes in place. */
function accumulated(graph: RawGraph, target: string): string | undefined {
  return graph.nodes.find(({ op, inputs }) => op.startsWith('InPlaceAccumulator') && inputs[0] === target)?.inputs[1]
}

/** What a statistic is to be next, where the graph says so by an accumulator or an output. */
function nextOf(graph: RawGraph, parameter: string): string | undefined {
  const output = `${parameter}${movedEnding}`
  return accumulated(graph, parameter) ?? graph.outputs.find(({ name }) => name === output)?.name
}

/** The names that stand where operators read statistics. */
function statisticsOf(graph: RawGraph): ReadonlySet<string> {
  return new Set(
    graph.nodes.flatMap(node => {
      const name = operatorName(node)
      const at = Object.hasOwn(lowerings, name) ? (lowerings[name]!.statistics ?? []) : []
      return at.map(i => node.inputs[i] ?? '')
    }),
  )
}

function userInputs(
  { file, model: { graph } }: ArtifactGraph,
  isParameter: (name: string) => boolean,
): readonly GivenInput[] {
  const users = graph.inputs.filter(
    ({ name }) => !isParameter(name) && name !== resetFlag && !name.endsWith(bufferEnding),
  )
  return users.map(input => givenInput(input, file))
}

/** @throws TrainerError ('file') for inputs of the evaluation graph that neither are parameters nor fed in training. */
function checkEvaluationInputs(
  { file, model }: ArtifactGraph,
  training: ArtifactGraph,
  isParameter: (name: string) => boolean,
  inputs: readonly GivenInput[],
): void {
  const isFed = ({ name }: RawValue): boolean => inputs.some(input => input.name === name)
  const other = model.graph.inputs.filter(input => !isParameter(input.name) && !isFed(input))
  if (other.length === 0) return
  const names = quoted(other.map(({ name }) => name))
  throw new TrainerError('file', `${file} takes ${names}, which neither checkpoint nor ${training.file} has.`, together)
}

/** The values that predictions are: those that are asked for, else the further outputs that have rows, else `logits`. */
function chosenOutputs(
  { file, model: { graph } }: ArtifactGraph,
  asked: readonly string[] | undefined,
): readonly string[] {
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
  const unknown = asked?.filter(name => name === '' || !made.has(name)) ?? []
  if (unknown.length > 0) {
    throw new TrainerError('argument', `outputs names ${quoted(unknown)}, which no node of ${file} makes.`, {
      fix: `Its outputs are ${quoted(graph.outputs.map(({ name }) => name))}; any value of the graph may be named.`,
    })
  }
  if (asked !== undefined) return asked
  const further = graph.outputs.slice(1).filter(({ name, type }) => type?.shape.length !== 0 && !ourOwn.has(name))
  if (further.length > 0) return further.map(({ name }) => name)
  return made.has('logits') && graph.outputs[0]!.name !== 'logits' ? ['logits'] : []
}

/** What an evaluation program calls its own outputs. */
const ourOwn: ReadonlySet<string> = new Set(['loss', 'count'])

/**
 * What the loss is computed against: the inputs that no prediction needs; else those by the usual names; else the last
 * one. A model of one input has none.
 */
function labelsAmong(
  inputs: readonly GivenInput[],
  lossReads: ReadonlySet<string>,
  graph: RawGraph,
  chosen: readonly string[],
): readonly GivenInput[] {
  const needed = reach(graph, chosen)
  const read = inputs.filter(({ name }) => lossReads.has(name))
  const unneeded = chosen.length === 0 ? [] : read.filter(({ name }) => !needed.has(name))
  if (unneeded.length > 0) return unneeded
  const usual = read.filter(({ name }) => usualLabels.includes(name))
  return usual.length > 0 || inputs.length < 2 ? usual : inputs.slice(-1)
}

/** The values of data that nodes with labels read: what the loss is computed from. */
function beforeLabels(
  graph: RawGraph,
  isLabel: (name: string) => boolean,
  data: ReadonlySet<string>,
): readonly string[] {
  const labelled = new Set<string>()
  const computed = new Set<string>()
  const before = new Set<string>()
  for (const node of graph.nodes) {
    const reads = readBy(node)
    const isLabelled = reads.some(name => labelled.has(name) || isLabel(name))
    const isComputed = reads.some(name => computed.has(name) || data.has(name))
    if (isLabelled) for (const name of reads) if (computed.has(name)) before.add(name)
    for (const output of node.outputs) {
      if (isLabelled) labelled.add(output)
      else if (isComputed) computed.add(output)
    }
  }
  return [...before]
}

/** The names that values are computed from, inputs of the graph among them. */
function reach(graph: RawGraph, values: readonly string[]): ReadonlySet<string> {
  return new Set([...values, ...needed(graph.nodes, values).flatMap(readBy)])
}
