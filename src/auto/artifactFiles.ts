// how training artifacts are told from other graphs: by their names alone
import { TrainerError } from '../errors'
import { lastNameOf, parentOf } from '../files/paths'
import { operatorName, type RawModel } from '../onnx/RawModel'

/** The files of training artifacts, after their prefix. */
export const artifactNames = {
  trainingModel: 'training_model.onnx',
  evalModel: 'eval_model.onnx',
  optimizerModel: 'optimizer_model.onnx',
  initialModel: 'initial_model.onnx',
  checkpoint: 'checkpoint',
  nominalCheckpoint: 'nominal_checkpoint',
} as const

/** The flag that lets a training step begin its sums anew. */
export const resetFlag = 'lazy_reset_grad'

/** What follows a parameter's name in that of its gradient, and of the buffer that this is added to. */
export const gradientEnding = '_grad'
export const bufferEnding = `${gradientEnding}.accumulation.buffer`

/** The metadata under which our artifacts say in which operators they are. */
export const dialectMark = 'ts-trainer.dialect'

/** The operators of an optimizer graph. */
const optimizerOperators: ReadonlySet<string> = new Set(
  ['AdamWOptimizer', 'SGDOptimizerV2', 'InplaceClipGradNorm'].map(op => `com.microsoft.${op}`),
)

/** Whether a graph is one that gives the gradients of training artifacts: it has places for their sums. */
export function isTrainingGraph({ graph }: RawModel): boolean {
  return graph.inputs.some(({ name }) => name === resetFlag || name.endsWith(bufferEnding))
}

/** What Python's generator calls the values of a loss that it adds: onnx::loss::14. */
const addedLoss = /^onnx::\w+::\d+$/

/**
 * Which graph of training artifacts a model is, in words; undefined for others, and for some whose loss is their own.
 */
function artifactKind(model: RawModel): string | undefined {
  const { nodes, inputs, outputs } = model.graph
  const takesRate = inputs.some(({ name }) => name === 'learning_rate') && inputs.some(({ name }) => name === 'step')
  if (nodes.some(node => optimizerOperators.has(operatorName(node))) || (takesRate && model.metadata.has(dialectMark)))
    return 'optimizer graph'
  if (isTrainingGraph(model)) return 'training graph'
  if (model.metadata.has(dialectMark)) return inputs.length === 0 ? 'initial graph' : 'evaluation graph'
  const [first] = outputs
  return first?.type?.shape.length === 0 && addedLoss.test(first.name) ? 'evaluation graph' : undefined
}

/** @throws TrainerError ('graph') for a graph of training artifacts where a forward graph is expected. */
export function refuseArtifacts(model: RawModel, file: string): void {
  const kind = artifactKind(model)
  if (kind === undefined) return
  throw new TrainerError('graph', `${file} is the ${kind} of training artifacts, not a forward graph.`, {
    fix: `To train them, ${loadingAdvice(file)}`,
  })
}

/** How the artifacts that a file is one of are read. */
export function loadingAdvice(file: string): string {
  const name = lastNameOf(file)
  // the longest first: nominal_checkpoint ends with checkpoint
  const endings = Object.values(artifactNames).toSorted((a, b) => b.length - a.length)
  const ending = endings.find(one => name.endsWith(one))
  const prefix = ending === undefined ? '' : name.slice(0, -ending.length)
  const options = prefix === '' ? '' : `, { prefix: '${prefix}' }`
  return `load the folder: TrainingArtifacts.fromPretrained('${parentOf(file)}'${options}).`
}
