import { nearest, TrainerError } from '../errors'

/** The update rules; several names of `optim` mean the same one. */
export type OptimizerKind = 'adamw' | 'sgd' | 'adagrad' | 'rmsprop' | 'adafactor' | 'lion'

/**
 * Every accepted name of `optim`, and its rule: Hugging Face's variants of a rule differ in how they run, not in
 * numbers.
 */
export const optimizerKinds = {
  adamw_torch: 'adamw',
  adamw_torch_fused: 'adamw',
  adamw_torch_xla: 'adamw',
  adamw_torch_npu_fused: 'adamw',
  paged_adamw_32bit: 'adamw',
  sgd: 'sgd',
  adagrad: 'adagrad',
  rmsprop: 'rmsprop',
  rmsprop_bnb: 'rmsprop',
  rmsprop_bnb_32bit: 'rmsprop',
  adafactor: 'adafactor',
  lion_32bit: 'lion',
  paged_lion_32bit: 'lion',
} as const satisfies Readonly<Record<string, OptimizerKind>>

export type OptimizerName = keyof typeof optimizerKinds

/** The options that each rule takes in `optimArgs`, with their types. */
const optimizerArguments: Readonly<Record<OptimizerKind, Readonly<Record<string, 'number' | 'boolean'>>>> = {
  adamw: {}, // betas and epsilon are training arguments
  sgd: { momentum: 'number', dampening: 'number', nesterov: 'boolean' },
  adagrad: { lrDecay: 'number', eps: 'number' },
  rmsprop: { alpha: 'number', eps: 'number', momentum: 'number', centered: 'boolean' },
  adafactor: {},
  lion: {}, // its betas are adamBeta1 and adamBeta2
}

const eightBits = 'it keeps its state in 8 bits, which ts-trainer does not support'
const lowRank = 'low-rank optimizers are not part of ts-trainer'
const another = 'this optimizer is not part of ts-trainer'

/** Hugging Face's other names, and why they are refused. */
const refusedOptimizers: Readonly<Record<string, string>> = {
  adamw_hf: "it was removed from transformers; use 'adamw_torch'",
  adamw_apex_fused: "it was removed from transformers; use 'adamw_torch'",
  adamw: "its name is 'adamw_torch'",
  lion: "its name is 'lion_32bit'",
  adam: "use 'adamw_torch'; without weight decay it is Adam",
  adamw_anyprecision: "its purpose is state of low precision; use 'adamw_torch'",
  adamw_torch_4bit: 'it keeps its state in 4 bits, which ts-trainer does not support',
  adamw_torch_8bit: eightBits,
  adamw_bnb_8bit: eightBits,
  adamw_8bit: eightBits,
  paged_adamw_8bit: eightBits,
  lion_8bit: eightBits,
  paged_lion_8bit: eightBits,
  rmsprop_bnb_8bit: eightBits,
  ademamix_8bit: eightBits,
  paged_ademamix_8bit: eightBits,
  ademamix: another,
  paged_ademamix_32bit: another,
  lomo: another,
  adalomo: another,
  grokadamw: another,
  stable_adamw: another,
  schedule_free_radam: another,
  schedule_free_adamw: another,
  schedule_free_sgd: another,
  galore_adamw: lowRank,
  galore_adamw_8bit: lowRank,
  galore_adafactor: lowRank,
  galore_adamw_layerwise: lowRank,
  galore_adamw_8bit_layerwise: lowRank,
  galore_adafactor_layerwise: lowRank,
  apollo_adamw: lowRank,
  apollo_adamw_layerwise: lowRank,
}

/** What is wrong with a value of `optim`; `undefined` if nothing. */
export function optimizerProblem(name: unknown): string | undefined {
  if (typeof name === 'string' && Object.hasOwn(optimizerKinds, name)) return undefined
  const accepted = Object.keys(optimizerKinds).join(', ')
  if (typeof name !== 'string') return `optim should be one of ${accepted}, but is ${JSON.stringify(name)}.`
  const why = refusedOptimizers[name]
  if (why !== undefined) return `optim '${name}' is refused: ${why}. Accepted are ${accepted}.`
  const near = nearest(name, Object.keys(optimizerKinds))
  return `optim '${name}' is unknown; accepted are ${accepted}.${near === undefined ? '' : ` Did you mean '${near}'?`}`
}

/** Options of the optimizer, besides those that are training arguments. */
export type OptimizerArguments = Readonly<Record<string, number | boolean>>

/**
 * Reads `optimArgs`: an object, or Python's text `"momentum=0.9,nesterov=True"`.
 * @throws TrainerError (`argument`) for a text of another form.
 */
export function readOptimizerArguments(given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given !== 'string') return given as Readonly<Record<string, unknown>>
  const parts = given
    .replaceAll(' ', '')
    .split(',')
    .filter(part => part !== '')
  return Object.fromEntries(
    parts.map(part => {
      const [name, value, ...more] = part.split('=')
      if (value === undefined || more.length > 0) {
        throw new TrainerError(
          'argument',
          `optimArgs as a text should look like "momentum=0.9,nesterov=True", but has the part "${part}".`,
        )
      }
      return [name!, readScalar(value)]
    }),
  )
}

function readScalar(value: string): number | boolean | string {
  if (/^(true|yes)$/i.test(value)) return true
  if (/^(false|no)$/i.test(value)) return false
  return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value
}

/** Python's text for `optimArgs`; `undefined` without options. */
export function writeOptimizerArguments(
  given: OptimizerArguments,
  spell: (name: string) => string,
): string | undefined {
  const parts = Object.entries(given).map(
    ([name, value]) => `${spell(name)}=${typeof value === 'boolean' ? (value ? 'True' : 'False') : value}`,
  )
  return parts.length === 0 ? undefined : parts.join(',')
}

/**
 * Checks the options of an optimizer.
 * @throws TrainerError (`argument`) for one that it does not take, or of the wrong type.
 */
export function checkOptimizerArguments(name: OptimizerName, given: Readonly<Record<string, unknown>>): void {
  const known = optimizerArguments[optimizerKinds[name]]
  for (const [option, value] of Object.entries(given)) {
    const type = known[option]
    if (type === undefined) throw unknownOption(name, option, Object.keys(known))
    if (typeof value !== type || (type === 'number' && !Number.isFinite(value))) {
      throw new TrainerError('argument', `optimArgs.${option} should be a ${type}, but is ${JSON.stringify(value)}.`)
    }
  }
  if (given.nesterov === true && !(((given.momentum as number | undefined) ?? 0) > 0 && (given.dampening ?? 0) === 0)) {
    throw new TrainerError('argument', 'optimArgs.nesterov needs a momentum above 0 and no dampening.')
  }
}

const ownArguments: Readonly<Record<string, string>> = {
  weightDecay: 'weightDecay',
  beta1: 'adamBeta1',
  beta2: 'adamBeta2',
  lr: 'learningRate',
  epsilon: 'adamEpsilon',
  eps: 'adamEpsilon',
}

function unknownOption(name: OptimizerName, option: string, known: readonly string[]): TrainerError {
  const own = ownArguments[option]
  const near = nearest(option, known)
  const fix =
    own !== undefined ? `Use the training argument ${own}.` : near === undefined ? undefined : `Did you mean ${near}?`
  const takes = known.length === 0 ? 'takes no options' : `takes ${known.join(', ')}`
  return new TrainerError(
    'argument',
    `optimArgs.${option} is unknown: ${name} ${takes}.`,
    fix === undefined ? {} : { fix },
  )
}
