// what files, inputs and outputs of artifacts are called: ONNX Runtime Training tells them apart by their names alone
import { artifactNames, gradientEnding } from '../auto/artifactFiles'

/** What gives the path of each file in a folder. */
export function artifactPaths(folder: string, prefix: string): (name: keyof typeof artifactNames) => string {
  return name => `${folder}/${prefix}${artifactNames[name]}`
}

/** What follows a parameter's name in that of the sum of its gradients. */
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
