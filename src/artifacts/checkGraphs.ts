import { TrainerError } from '../errors'
import { operatorName, type RawGraph, type RawValue } from '../onnx/RawModel'
import type { ValueType } from '../onnx/types'
import type { ArtifactGraph } from './signature'

/** Accumulators are not run, being what the stores do: so what they are is looked at here. */
const accumulators = ['com.microsoft.InPlaceAccumulatorV2', 'com.microsoft.InPlaceAccumulator']

/**
 * Checks what no rule looks at: that the accumulators of the training graph are such, and that the graphs state the same
 * types for inputs of the same name.
 * @throws TrainerError ('file') naming file and value
 */
export function checkGraphs(training: ArtifactGraph, evaluation: ArtifactGraph): void {
  checkAccumulators(training)
  checkInputs(training, evaluation)
  const made = new Set(training.model.graph.outputs.map(({ name }) => name))
  const other = evaluation.model.graph.outputs.find(({ name }, at) => at > 0 && !made.has(name))
  if (other === undefined) return
  throw new TrainerError('file', `${evaluation.file} has the output "${other.name}", but ${training.file} has not.`, {
    fix: 'Take graphs that were generated together.',
  })
}

function checkAccumulators({ file, model: { graph } }: ArtifactGraph): void {
  const gradients = new Set<string>()
  for (const node of graph.nodes) {
    const name = operatorName(node)
    if (!/accumulator/i.test(name) && !node.outputs.some(output => output.endsWith('_grad.accumulation.out'))) continue
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
  for (const { file, model } of [training, evaluation]) {
    const untyped = model.graph.inputs.find(({ type }) => type === undefined)
    if (untyped !== undefined)
      throw new TrainerError('file', `${file}: the input "${untyped.name}" has no type and shape.`)
  }
  const types = inputTypes(training.model.graph)
  for (const { name, type } of evaluation.model.graph.inputs) {
    const other = types.get(name)
    if (other === undefined || type === undefined || isLike(type, other)) continue
    const found = `"${name}" in ${evaluation.file} is ${typeText(type)}, but in ${training.file} ${typeText(other)}`
    throw new TrainerError('file', `${found}.`, { fix: 'Take graphs that were generated together.' })
  }
}

/** Checks the inputs of an optimizer graph. @throws TrainerError ('file') for one of another type. */
export function checkOptimizerInputs({ file, model: { graph } }: ArtifactGraph): void {
  const types = inputTypes(graph)
  for (const [name, dtype] of [
    ['learning_rate', 'float32'],
    ['step', 'int64'],
  ] as const) {
    const type = types.get(name)
    if (type !== undefined && type.dtype !== dtype)
      throw new TrainerError('file', `${file}: its input "${name}" is ${typeText(type)}, not ${dtype}.`)
  }
}

function inputTypes({ inputs }: RawGraph): ReadonlyMap<string, ValueType> {
  return new Map(inputs.flatMap(({ name, type }: RawValue) => (type === undefined ? [] : [[name, type] as const])))
}

/** Whether two types can be of one value: names of lengths are each graph's own. */
function isLike(a: ValueType, b: ValueType): boolean {
  const meets = (length: number | string, at: number): boolean =>
    typeof length === 'string' || typeof b.shape[at] === 'string' || length === b.shape[at]
  return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every(meets)
}

function typeText({ dtype, shape }: ValueType): string {
  return `${dtype} [${shape.join(', ')}]`
}
