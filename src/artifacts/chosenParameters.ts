import { quoted, TrainerError } from '../errors'
import { namesMeant, type ParameterPatterns } from '../models/freeze'
import type { Parameter } from '../models/Model'
import type { ArtifactModel } from './ArtifactSource'

/** Which parameters of a model are inputs of its artifacts; what is in neither list stays in the graphs, as a constant. */
export interface ChosenParameters {
  /** The inputs, in the model's order. */
  readonly inputs: readonly Parameter[]
  /** The names of those that are trained. */
  readonly trained: ReadonlySet<string>
  /** Whether the trained ones were named: one that the loss does not depend on is then an error. */
  readonly named: boolean
}

/** The lists of `generateArtifacts`. */
export interface ParameterChoice {
  readonly requiresGrad?: ParameterPatterns | undefined
  readonly frozenParams?: ParameterPatterns | undefined
}

/**
 * The parameters of artifacts. Where none are named as trained, they are those that the model trains, and the others are frozen.
 * @throws TrainerError ('argument') for a name that no parameter has, one that is both, or nothing to train.
 */
export function chosenParameters(model: ArtifactModel, choice: ParameterChoice): ChosenParameters {
  const { parameters } = model
  const named = (patterns: ParameterPatterns | undefined): ReadonlySet<string> =>
    patterns === undefined
      ? new Set()
      : namesMeant(
          patterns,
          parameters.map(({ name }) => name),
          model.name,
        )
  const wanted = named(choice.requiresGrad)
  const frozen = named(choice.frozenParams)
  const both = [...wanted].filter(name => frozen.has(name))
  if (both.length > 0)
    throw new TrainerError('argument', `${quoted(both)} cannot be in both requiresGrad and frozenParams.`)
  const statistic = parameters.find(({ name, isStatistic }) => isStatistic === true && wanted.has(name))
  if (statistic !== undefined)
    throw new TrainerError('argument', `"${statistic.name}" is a statistic: training moves it, and it has no gradient.`)
  const isNamed = choice.requiresGrad !== undefined
  const isTrained = ({ name, trainable, isStatistic }: Parameter): boolean =>
    isNamed ? wanted.has(name) : trainable && isStatistic !== true && !frozen.has(name)
  const trained = new Set(parameters.filter(isTrained).map(({ name }) => name))
  if (trained.size === 0)
    throw new TrainerError('argument', `No parameter of ${model.name} is trained.`, {
      fix: 'Name some in requiresGrad.',
    })
  const isInput = ({ name, isStatistic }: Parameter): boolean =>
    !isNamed || trained.has(name) || frozen.has(name) || isStatistic === true
  return { inputs: parameters.filter(isInput), trained, named: isNamed }
}
