import { nearest, TrainerError } from '../errors'

/** The losses that can be chosen by name, and what else each is called: by PyTorch's users, and by Python's artifacts. */
const otherNames = {
  cross_entropy: [],
  binary_cross_entropy: ['bce_with_logits'],
  mean_squared_error: ['mse'],
  mean_absolute_error: ['l1'],
} as const

/** What people write for a loss that has another name here, in lower case and without separators. */
const meanings: Readonly<Record<string, LossName>> = {
  crossentropyloss: 'cross_entropy',
  ce: 'cross_entropy',
  nll: 'cross_entropy',
  nllloss: 'cross_entropy',
  bce: 'binary_cross_entropy',
  bceloss: 'binary_cross_entropy',
  bcewithlogitsloss: 'binary_cross_entropy',
  binarycrossentropywithlogits: 'binary_cross_entropy',
  mseloss: 'mean_squared_error',
  l2: 'mean_squared_error',
  l1loss: 'mean_absolute_error',
  mae: 'mean_absolute_error',
}

/** A loss that is chosen by its name. */
export type LossName = keyof typeof otherNames

export const lossNames = Object.keys(otherNames) as readonly LossName[]

/** The same name as command lines have it: cross-entropy. */
type Hyphenated<Name extends string> = Name extends `${infer Head}_${infer Rest}` ? `${Head}-${Hyphenated<Rest>}` : Name

type AnyName = LossName | (typeof otherNames)[LossName][number]

/** A loss's name, long or short, with underscores or hyphens. */
export type LossSpelling = AnyName | Hyphenated<AnyName>

/** @throws TrainerError ('argument') if there is no loss of that name; `option` is where it was given. */
export function checkedLossName(name: LossSpelling, option: string): LossName {
  const written = String(name).replaceAll('-', '_')
  const known = lossNames.find(one => namesOf(one).includes(written))
  if (known !== undefined) return known
  const near = meanings[written.replaceAll(/[\s_]/g, '').toLowerCase()] ?? nearest(written, lossNames.flatMap(namesOf))
  const listed = lossNames.map(one => namesOf(one).join(' or ')).join(', ')
  throw new TrainerError('argument', `${option} is "${String(name)}", which is not a loss.`, {
    fix: `${near === undefined ? '' : `Did you mean "${near}"? `}Losses are ${listed}.`,
  })
}

function namesOf(name: LossName): readonly string[] {
  return [name, ...otherNames[name]]
}
