// parameters with a learning rate or a weight decay of their own
import type { TrainableModel } from '../auto/TrainableModel'
import { TrainerError } from '../errors'
import { namesMeant, type ParameterPatterns } from '../models/freeze'
import { checkOptions, shown, withDefaults } from '../options'
import type { ParameterSettings } from '../optim/Optimizer'

/** Parameters that are updated otherwise than the arguments say. */
export interface ParameterGroup {
  /** Which: by a regular expression for their names, a name, or the beginning of names up to a dot; or several of these. */
  readonly parameters: ParameterPatterns
  /** The rate at its height; the schedule moves it as it moves that of the arguments. Default: `learningRate` of these. */
  readonly learningRate?: number | undefined
  /** Default: as the arguments have it. */
  readonly weightDecay?: number | undefined
}

/** What a group says of one parameter. */
export type GroupSettings = Omit<ParameterGroup, 'parameters'>

const names = Object.keys({ parameters: 1, learningRate: 1, weightDecay: 1 } satisfies Record<keyof ParameterGroup, 1>)

/**
 * What the groups say, by the names of parameters; of several that mean one the first counts that says a rate, or a decay.
 * @throws TrainerError ('argument') for a pattern that no parameter has, and for numbers that cannot be.
 */
export function groupsByName(
  groups: readonly ParameterGroup[],
  { definition }: TrainableModel,
): ReadonlyMap<string, GroupSettings> {
  const given: unknown = groups
  if (!Array.isArray(given))
    throw new TrainerError('argument', `parameterGroups is ${shown(given)}; a list of groups was expected.`, {
      fix: 'Give [{ parameters: /bias$/, weightDecay: 0 }].',
    })
  const all = definition.parameters.map(({ name }) => name)
  const found = new Map<string, GroupSettings>()
  for (const [i, group] of groups.entries()) {
    const where = `parameterGroups[${i}]`
    checkOptions(group, names, where)
    const { parameters, ...settings } = group
    for (const [option, value] of Object.entries(settings)) {
      if (value === undefined || (Number.isFinite(value) && value >= 0)) continue
      throw new TrainerError('argument', `${where}: ${option} is ${shown(value)}; a number from 0 on was expected.`)
    }
    const stated = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
    const meant = namesMeant(parameters, all, definition.name)
    if (Object.keys(stated).length === 0)
      throw new TrainerError('argument', `${where} says neither learningRate nor weightDecay.`, {
        fix: 'Give one of them, or leave the group out.',
      })
    for (const name of meant) found.set(name, { ...stated, ...found.get(name) })
  }
  return found
}

/** Parameters that are updated alike. */
export interface OptimizerGroup {
  readonly parameters: readonly string[]
  readonly weightDecay: number
  /** That of the next update. */
  readonly learningRate: number
}

/**
 * The parameters that are trained, by how they are updated: as in Hugging Face first those that weight decay applies to
 * by the arguments, then the others; each divided where groups of one's own say so.
 * @param rate that of the next update, by the arguments.
 */
export function groupsOf(
  { weightDecay, rateFactor = () => 1 }: ParameterSettings,
  trained: readonly string[],
  decayed: readonly string[],
  rate: number,
): readonly OptimizerGroup[] {
  const names = new Set(decayed)
  return [true, false].flatMap(isDecayed => {
    const those = trained.filter(name => names.has(name) === isDecayed)
    const divided = new Map<string, string[]>()
    for (const name of those) {
      const key = `${weightDecay(name)} ${rateFactor(name)}`
      divided.set(key, [...(divided.get(key) ?? []), name])
    }
    return (divided.size === 0 ? [those] : [...divided.values()]).map(parameters => {
      const one = parameters[0] ?? (isDecayed ? decayed[0] : undefined) ?? ''
      return { parameters, weightDecay: weightDecay(one), learningRate: rate * rateFactor(one) }
    })
  })
}

/** How rates fall from the head down to the embeddings. */
export interface LayerwiseDecayOptions {
  /** The head's rate. */
  readonly learningRate: number
  /** What each layer's rate is multiplied by to give that of the layer below. Default 0.9. */
  readonly decay?: number | undefined
}

/**
 * Groups whose rates fall by a factor from layer to layer (Howard & Ruder 2018, Sun et al. 2019): the head has the rate
 * that is given, the encoder's last layer `decay` times that, and so on down to the embeddings.
 *
 * @example
 * const parameterGroups = layerwiseDecay(model, { learningRate: 5e-5, decay: 0.9 })
 * const trainer = new Trainer({ model, args: { outputDir: './out', learningRate: 5e-5 }, parameterGroups, trainDataset })
 * @throws TrainerError ('argument') for a model whose parameters are in no numbered layers.
 */
export function layerwiseDecay(model: TrainableModel, options: LayerwiseDecayOptions): ParameterGroup[] {
  const { learningRate, decay } = withDefaults(options, { learningRate: NaN, decay: 0.9 }, 'layerwiseDecay()')
  for (const [name, value] of Object.entries({ learningRate, decay }))
    if (!Number.isFinite(value) || value < 0)
      throw new TrainerError(
        'argument',
        `layerwiseDecay(): ${name} is ${shown(Number.isNaN(value) ? options[name as 'decay'] : value)}; a number from 0 on was expected.`,
        {
          fix: 'Give the rate of the head: { learningRate: 5e-5, decay: 0.9 }.',
        },
      )
  const { definition } = model
  const layers = definition.parameters.map(({ name }) => [name, layerOf(name)] as const)
  const last = Math.max(...layers.map(([, layer]) => layer ?? -1))
  if (last < 0) {
    throw new TrainerError('argument', `The parameters of ${definition.name} are in no numbered layers.`, {
      fix: 'Give parameterGroups by names.',
    })
  }
  return layers.map(([name, layer]) => {
    const depth = layer ?? (name.includes('embeddings') ? -1 : last + 1)
    return { parameters: name, learningRate: learningRate * decay ** (last + 1 - depth) }
  })
}

/** The first number in a name: that of an encoder's layer. */
function layerOf(name: string): number | undefined {
  const number = /\.(\d+)\./.exec(name)?.[1]
  return number === undefined ? undefined : Number(number)
}
