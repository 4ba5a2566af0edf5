import { bufferEnding, isTrainingGraph, resetFlag } from '../auto/artifactFiles'
import { TrainerError } from '../errors'
import { type GivenInput, givenInput } from '../feeds/asGiven'
import { operatorName } from '../onnx/RawModel'
import { describe } from '../onnx/shapes'
import type { ValueType } from '../onnx/types'
import { sumEnding } from './names'
import type { ArtifactGraph } from './signature'

/** Accumulators are not run, being what the stores do: so what they are is looked at here. */
const accumulators = ['com.microsoft.InPlaceAccumulatorV2', 'com.microsoft.InPlaceAccumulator']

const together = { fix: 'Take graphs that were generated together.' }

/**
 * Checks what no rule looks at: that each graph is what its file's name says, that the accumulators of the training graph
 * are such, and that the graphs state the same types for inputs of the same name.
 * @throws TrainerError ('file') naming file and value
 */
export function checkGraphs(training: ArtifactGraph, evaluation: ArtifactGraph): void {
  checkKinds(training, evaluation)
  checkAccumulators(training)
  checkInputs(training, evaluation)
  const made = new Set(training.model.graph.outputs.map(({ name }) => name))
  const other = evaluation.model.graph.outputs.find(({ name }, at) => at > 0 && !made.has(name))
  if (other === undefined) return
  throw new TrainerError(
    'file',
    `${evaluation.file} has the output "${other.name}", but ${training.file} has not.`,
    together,
  )
}

/** @throws TrainerError ('file') for a graph in the place of another. */
function checkKinds(training: ArtifactGraph, evaluation: ArtifactGraph): void {
  for (const { file, model } of [training, evaluation])
    if (model.graph.outputs.length === 0) throw new TrainerError('file', `${file}: the graph has no output.`)
  const fix = 'Check that the files were not mixed up.'
  if (!isTrainingGraph(training.model)) {
    const lacks = `none of its inputs is "${resetFlag}" or ends with "${bufferEnding}"`
    throw new TrainerError('file', `${training.file} is not a training graph: ${lacks}.`, { fix })
  }
  if (isTrainingGraph(evaluation.model))
    throw new TrainerError('file', `${evaluation.file} is a training graph, not one for evaluation.`, { fix })
}

function checkAccumulators({ file, model: { graph } }: ArtifactGraph): void {
  const gradients = new Set<string>()
  for (const node of graph.nodes) {
    const name = operatorName(node)
    if (!/accumulator/i.test(name) && !node.outputs.some(output => output.endsWith(sumEnding))) continue
    const gradient = node.inputs[1] ?? ''
    const isKnown = node.domain === '' || accumulators.includes(name)
    if (isKnown && !(accumulators.includes(name) && gradients.has(gradient))) {
      gradients.add(gradient)
      continue
    }
    const what = isKnown ? `adds up "${gradient}", as another node does` : `is no ${accumulators[0]}`
    const makes = `although it makes "${node.outputs[0]}"`
    throw new TrainerError('file', `${file}: the node "${node.name}" (${name}) ${what}, ${makes}.`)
  }
}

function checkInputs(training: ArtifactGraph, evaluation: ArtifactGraph): void {
  const fed = new Map(inputsOf(training).map(input => [input.name, input]))
  for (const input of inputsOf(evaluation)) {
    const other = fed.get(input.name)
    if (other === undefined || isLike(input, other)) continue
    const found = `"${input.name}" in ${evaluation.file} is ${describe(input)}, but in ${training.file} ${describe(other)}`
    throw new TrainerError('file', `${found}.`, together)
  }
}

/** Checks the inputs of an optimizer graph. @throws TrainerError ('file') for one of another type. */
export function checkOptimizerInputs({ file, model: { graph } }: ArtifactGraph): void {
  for (const [name, dtype] of [
    ['learning_rate', 'float32'],
    ['step', 'int64'],
  ] as const) {
    const type = graph.inputs.find(input => input.name === name)?.type
    if (type !== undefined && type.dtype !== dtype)
      throw new TrainerError('file', `${file}: its input "${name}" is ${describe(type)}, not ${dtype}.`)
  }
}

function inputsOf({ file, model }: ArtifactGraph): readonly GivenInput[] {
  return model.graph.inputs.map(input => givenInput(input, file))
}

/** Whether two types can be of one value: names of lengths are each graph's own. */
function isLike(a: ValueType, b: ValueType): boolean {
  const meets = (length: number | string, at: number): boolean =>
    typeof length === 'string' || typeof b.shape[at] === 'string' || length === b.shape[at]
  return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every(meets)
}
