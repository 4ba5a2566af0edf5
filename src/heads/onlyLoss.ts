import { TrainerError } from '../errors'
import type { LossName } from '../losses/lossNames'
import type { Head } from './Head'

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
