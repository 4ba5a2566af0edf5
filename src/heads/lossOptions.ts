// the losses that heads choose among, and what they refuse of them and their options
import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { binaryCrossEntropy } from '../losses/binaryCrossEntropy'
import type { Loss } from '../losses/loss'
import type { LossName } from '../losses/lossNames'
import { meanAbsoluteError } from '../losses/meanAbsoluteError'
import { meanSquaredError } from '../losses/meanSquaredError'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Head, LossOptions } from './Head'

/** The losses of numbers, of each element of an output. */
export const lossOfNumbers: Readonly<
  Record<Exclude<LossName, 'cross_entropy'>, (graph: GraphBuilder, predicted: Value, targets: Value) => Loss>
> = {
  binary_cross_entropy: binaryCrossEntropy,
  mean_squared_error: meanSquaredError,
  mean_absolute_error: meanAbsoluteError,
}

/** A head that has one loss by name. @throws TrainerError ('argument') for another. */
export function onlyLoss(head: Head, name: LossName, own: LossName): Head {
  if (name === own) return head
  throw new TrainerError(
    'argument',
    `A head for ${head.task.replaceAll('-', ' ')} has the loss "${own}", not "${name}".`,
    {
      fix: 'Write another loss as a function: computeLossFunc.',
    },
  )
}

/**
 * Class weights are of cross-entropy over the classes of a model.
 * @param what the head is for, in words.
 * @throws TrainerError ('argument') for weights.
 */
export function refuseClassWeights({ classWeights }: LossOptions, what: string, takesCustomLoss = true): void {
  if (classWeights === undefined) return
  throw new TrainerError('argument', `classWeights go with classes, but the model's head is for ${what}.`, {
    fix: takesCustomLoss ? 'Leave classWeights out, or weigh in a computeLossFunc.' : 'Leave classWeights out.',
  })
}

/** Label smoothing is of cross-entropy: Python ignores it elsewhere, with a warning. */
export function ignoreSmoothing({ labelSmoothing = 0 }: LossOptions, what: string): void {
  if (labelSmoothing !== 0) logOnce('warning', `labelSmoothingFactor has no effect on ${what}.`)
}

/** What says how a loss is to be. */
interface GivenObjective {
  readonly custom?: unknown
  readonly labelSmoothing?: number | undefined
  readonly classWeights?: unknown
}

/** @throws TrainerError ('argument') where a loss that is inside of a model's graphs is to be another. */
export function checkOwnLoss(model: string, { custom, labelSmoothing, classWeights }: GivenObjective): void {
  const given = [
    ...(custom === undefined ? [] : ['a custom loss was']),
    ...(labelSmoothing ? ['labelSmoothingFactor was'] : []),
    ...(classWeights === undefined ? [] : ['classWeights were']),
  ]
  if (given.length === 0) return
  throw new TrainerError('argument', `The loss of ${model} is inside of its graphs, but ${given[0]} given.`, {
    fix: 'Leave that out, or generate the artifacts with another loss: generateArtifacts() takes a function too.',
  })
}
