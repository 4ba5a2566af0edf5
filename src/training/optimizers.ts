import { adafactor } from '../optim/adafactor'
import { adagrad } from '../optim/adagrad'
import { adamw } from '../optim/adamw'
import { lion } from '../optim/lion'
import type { Optimizer, ParameterSettings } from '../optim/Optimizer'
import { rmsprop } from '../optim/rmsprop'
import { sgd } from '../optim/sgd'
import type { UpdateRule } from '../optim/UpdateRule'
import { TrainerError } from '../errors'
import type { OptimizerKind, ResolvedArguments, TrainingArguments } from '../TrainingArguments'
import type { GroupSettings } from './parameterGroups'

/** The optimizer that the arguments name, with what Hugging Face's Trainer passes to it. */
export function optimizerOf(args: TrainingArguments): Optimizer {
  const betas = { beta1: args.adamBeta1, beta2: args.adamBeta2 }
  const { eps, ...given } = args.optimArgs as Readonly<Record<string, number>>
  const options = eps === undefined ? given : { ...given, epsilon: eps }
  const make: Readonly<Record<OptimizerKind, () => Optimizer>> = {
    adamw: () => adamw({ ...betas, epsilon: args.adamEpsilon }),
    lion: () => lion(betas),
    sgd: () => sgd(options),
    adagrad: () => adagrad(options),
    rmsprop: () => rmsprop(options),
    adafactor: () => adafactor(),
  }
  return make[args.optimizerKind]()
}

/** How parameters are updated, beside the learning rate. */
export interface UpdateSettings extends ParameterSettings {
  readonly optimizer: Optimizer
  /** The norm that gradients are clipped to; not clipped where it is not above 0. */
  readonly maxGradNorm: number
}

/** What updates follow from. */
export interface UpdateParts {
  readonly args: TrainingArguments
  readonly optimizer: Optimizer
  /** The parameters that weight decay applies to by the arguments. */
  readonly decayed: readonly string[]
  /** What groups say, by the names of parameters. */
  readonly groups: ReadonlyMap<string, GroupSettings>
  /** What the model comes with, which decides if the optimizer is that one. */
  readonly rule: UpdateRule | undefined
}

/**
 * What the arguments say of updates, or the rule that the model comes with.
 * @throws TrainerError ('argument') for groups where they cannot be followed.
 */
export function updateSettings({ args, optimizer, decayed, groups, rule }: UpdateParts): UpdateSettings {
  if (rule !== undefined && optimizer === rule.optimizer) {
    if (groups.size > 0) throw decided(rule, 'parameterGroups', 'given', 'one group')
    const maxGradNorm = args.isGiven('maxGradNorm') ? args.maxGradNorm : rule.maxGradNorm
    return { optimizer, weightDecay: () => rule.weightDecay, maxGradNorm }
  }
  const names = new Set(decayed)
  const { learningRate, maxGradNorm } = args
  if (learningRate === 0 && [...groups.values()].some(group => (group.learningRate ?? 0) > 0)) {
    throw new TrainerError('argument', 'parameterGroups have learning rates, but learningRate is 0.', {
      fix: 'The schedule moves all rates together, as parts of learningRate: give that one too.',
    })
  }
  const weightDecay = (name: string): number =>
    groups.get(name)?.weightDecay ?? (names.has(name) ? args.weightDecay : 0)
  const rateFactor = (name: string): number => {
    const own = groups.get(name)?.learningRate
    return own === undefined ? 1 : own / learningRate
  }
  return { optimizer, weightDecay, rateFactor, maxGradNorm }
}

/**
 * The optimizer of the rule that a model comes with.
 * @throws TrainerError ('argument') for arguments that are given and that the rule decides, unless they say the same.
 */
export function optimizerOfRule(rule: UpdateRule, args: TrainingArguments): Optimizer {
  const { name } = rule.optimizer
  if (args.optimizerKind !== name && args.isGiven('optim')) throw decided(rule, 'optim', args.optim, name)
  for (const [argument, value] of Object.entries(rule.decides) as [keyof ResolvedArguments, number][]) {
    if (!args.isGiven(argument)) continue
    const given = Number(args[argument])
    // the attributes of a file's node are float32
    if (Math.fround(given) !== Math.fround(value)) throw decided(rule, argument, String(given), String(value))
  }
  return rule.optimizer
}

function decided({ source }: UpdateRule, argument: string, given: string, own: string): TrainerError {
  return new TrainerError('argument', `${argument} is ${given}, but ${source} decides the update rule, with ${own}.`, {
    fix: `Leave ${argument} out; or remove that file, and the arguments decide.`,
  })
}
