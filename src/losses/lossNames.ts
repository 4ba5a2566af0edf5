import { nearest, TrainerError } from '../errors'

/** The losses that can be chosen by name. */
export const lossNames = ['cross_entropy', 'binary_cross_entropy', 'mean_squared_error'] as const

/** A loss that is chosen by its name. */
export type LossName = (typeof lossNames)[number]

/** @throws TrainerError ('argument') if there is no loss of that name; `option` is where it was given. */
export function checkedLossName(name: LossName, option: string): LossName {
  if (lossNames.includes(name)) return name
  const near = nearest(String(name), lossNames)
  throw new TrainerError('argument', `${option} is "${String(name)}", which is not a loss.`, {
    fix: near === undefined ? `Name one of ${lossNames.join(', ')}.` : `Did you mean "${near}"?`,
  })
}
