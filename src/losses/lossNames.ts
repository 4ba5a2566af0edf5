import { nearest, TrainerError } from '../errors'

/** The losses that can be chosen by name. */
export const lossNames = ['cross_entropy', 'binary_cross_entropy', 'mean_squared_error'] as const

/** A loss that is chosen by its name. */
export type LossName = (typeof lossNames)[number]

/** The same name as command lines have it: cross-entropy. */
type Hyphenated<Name extends string> = Name extends `${infer Head}_${infer Rest}` ? `${Head}-${Hyphenated<Rest>}` : Name

/** A loss's name, in either spelling. */
export type LossSpelling = LossName | Hyphenated<LossName>

/** @throws TrainerError ('argument') if there is no loss of that name; `option` is where it was given. */
export function checkedLossName(name: LossSpelling, option: string): LossName {
  const known = lossNames.find(one => one === name || one.replaceAll('_', '-') === name)
  if (known !== undefined) return known
  const near = nearest(String(name), lossNames)
  throw new TrainerError('argument', `${option} is "${String(name)}", which is not a loss.`, {
    fix: near === undefined ? `Name one of ${lossNames.join(', ')}.` : `Did you mean "${near}"?`,
  })
}
