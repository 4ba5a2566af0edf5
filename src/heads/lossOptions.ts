// what heads refuse of losses and their options
import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import type { LossName } from '../losses/lossNames'
import type { Head, LossOptions } from './Head'

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
