// what files, inputs and outputs of artifacts are called: ONNX Runtime Training tells them apart by their names alone

/** The files, after their prefix. */
export const artifactNames = {
  trainingModel: 'training_model.onnx',
  evalModel: 'eval_model.onnx',
  optimizerModel: 'optimizer_model.onnx',
  initialModel: 'initial_model.onnx',
  checkpoint: 'checkpoint',
  nominalCheckpoint: 'nominal_checkpoint',
} as const

/** What gives the path of each file in a folder. */
export function artifactPaths(folder: string, prefix: string): (name: keyof typeof artifactNames) => string {
  return name => `${folder}/${prefix}${artifactNames[name]}`
}

/** The flag that lets a training step begin its sums anew. */
export const resetFlag = 'lazy_reset_grad'

/** What follows a parameter's name in that of its gradient, of the buffer that it is added to, and of their sum. */
export const gradientEnding = '_grad'
export const bufferEnding = `${gradientEnding}.accumulation.buffer`
export const sumEnding = `${gradientEnding}.accumulation.out`

/** What follows a statistic's name in that of what a forward pass makes of it. */
export const movedEnding = '.accumulation.out'

/** The moments of a parameter as a checkpoint calls them; after a dot they follow its name in ordinary graphs. */
export const momentNames = ['momentum0', 'momentum1'] as const
export type MomentName = (typeof momentNames)[number]

/** The sequences of all parameters' moments, in the same order. */
export const momentSequences = ['first_order_moments', 'second_order_moments'] as const

/** The metadata under which a graph in ordinary operators says which nodes of ONNX Runtime Training it stands for. */
export const optimizerSteps = 'ts-trainer.optimizer'
