import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import { hash32, MersenneTwister } from '../random'

/** A trial's hyperparameters: training arguments by name, and custom values that only `modelInit` reads. */
export type TrialValues = Readonly<Record<string, unknown>>

/**
 * What a hyperparameter may be: one of a list, or a number of a range (drawn evenly, or evenly in its logarithm with
 * `log`; whole numbers with `integer`).
 */
export type SearchDimension =
  | readonly unknown[]
  | { readonly low: number; readonly high: number; readonly log?: boolean; readonly integer?: boolean }

/** Hyperparameters by name, or a function that draws them, as with Optuna. */
export type SearchSpace = Readonly<Record<string, SearchDimension>> | ((trial: Trial) => TrialValues)

/** What a function that draws hyperparameters draws with. */
export interface Trial {
  /** Counted from 0. */
  readonly number: number
  suggestFloat(name: string, low: number, high: number, options?: { readonly log?: boolean }): number
  suggestInt(name: string, low: number, high: number, options?: { readonly log?: boolean }): number
  suggestCategorical<T>(name: string, choices: readonly T[]): T
}

/** Hugging Face's default space. */
export const defaultSpace: Readonly<Record<string, SearchDimension>> = {
  learningRate: { low: 1e-6, high: 1e-4, log: true },
  numTrainEpochs: { low: 1, high: 5, integer: true },
  seed: { low: 1, high: 40, integer: true },
  perDeviceTrainBatchSize: [4, 8, 16, 32, 64],
}

/**
 * A random point: a function of the seed, the trial's number and each hyperparameter's name.
 * @throws TrainerError (`argument`) for an empty range or list.
 */
export function randomPoint(space: SearchSpace, number: number, seed: number): TrialValues {
  const trial = trialOf(number, seed)
  if (typeof space === 'function') return space(trial)
  return Object.fromEntries(
    Object.entries(space).map(([name, dimension]) => {
      if (!('low' in dimension)) return [name, trial.suggestCategorical(name, dimension)]
      const { low, high, integer, log = false } = dimension
      const suggest = integer === true ? trial.suggestInt : trial.suggestFloat
      return [name, suggest(name, low, high, { log })]
    }),
  )
}

function trialOf(number: number, seed: number): Trial {
  const uniform = (name: string): number =>
    new MersenneTwister(hash32(seed, number, ...[...name].map(c => c.charCodeAt(0)))).uniform()
  const between = (name: string, low: number, high: number, logarithmic: boolean): number => {
    checkRange(name, low, high, logarithmic)
    return logarithmic
      ? Math.exp(Math.log(low) + uniform(name) * (Math.log(high) - Math.log(low)))
      : low + uniform(name) * (high - low)
  }
  return {
    number,
    suggestFloat: (name, low, high, options) => {
      checkOptions(options, ['log'], 'suggestFloat()')
      return between(name, low, high, options?.log ?? false)
    },
    suggestInt: (name, low, high, options) => {
      checkOptions(options, ['log'], 'suggestInt()')
      if (options?.log === true) return Math.round(between(name, low, high, true))
      return Math.min(high, Math.floor(between(name, low, high + 1, false)))
    },
    suggestCategorical: (name, choices) => {
      checkChoices(name, choices)
      return choices[Math.floor(uniform(name) * choices.length)]!
    },
  }
}

/**
 * A grid's point by its number, the last list turning fastest; undefined after the last point.
 * @throws TrainerError (`argument`) for a function, a range or an empty list.
 */
export function gridPoint(space: SearchSpace, number: number): TrialValues | undefined {
  const lists = typeof space === 'function' ? undefined : Object.entries(space)
  const ranged = lists?.find(([, dimension]) => 'low' in dimension)?.[0]
  if (lists === undefined || ranged !== undefined) {
    const what = ranged === undefined ? 'hpSpace is a function' : `${ranged} is a range`
    throw new TrainerError('argument', `A grid needs lists of values, but ${what}.`, {
      fix: 'Give hpSpace as { learningRate: [1e-5, 5e-5] }, or use the backend "random".',
    })
  }
  let rest = number
  const point: [string, unknown][] = []
  for (const [name, dimension] of lists.toReversed()) {
    const choices = dimension as readonly unknown[]
    checkChoices(name, choices)
    point.unshift([name, choices[rest % choices.length]])
    rest = Math.floor(rest / choices.length)
  }
  return rest === 0 ? Object.fromEntries(point) : undefined
}

function checkRange(name: string, low: number, high: number, logarithmic: boolean): void {
  if (low <= high && (!logarithmic || low > 0)) return
  throw new TrainerError(
    'argument',
    `The range of ${name} is ${low} to ${high}${logarithmic ? ', logarithmic' : ''}.`,
    { fix: 'Give low below high, above 0 for a logarithmic one.' },
  )
}

function checkChoices(name: string, choices: readonly unknown[]): void {
  if (choices.length === 0) throw new TrainerError('argument', `${name} has no choices.`)
}
