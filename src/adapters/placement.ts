// an adapter's options and a model → which layers have A and B, and what of the model is trained beside
import { nearest, quoted, TrainerError } from '../errors'
import { linearLayers, type LowRank } from '../models/lora'
import type { Initialization, Model } from '../models/Model'
import { checkOptions, shown } from '../options'
import { type LoraConfig, peftNames, type PeftTask, peftTasks, taskTypes, withLoraDefaults } from './LoraConfig'
import { endMatches, fullMatches } from './patterns'

/** Where an adapter is in a model. */
export interface PlacedAdapter {
  /** By the names of linear layers. */
  readonly layers: ReadonlyMap<string, LowRank>
  /** The model's own parameters that are trained and saved with it. */
  readonly trained: ReadonlySet<string>
  readonly taskType: PeftTask | undefined
  /** The parts of the model that are trained whole, by the ends of their names. */
  readonly modulesToSave: readonly string[]
  /** The pattern or the list that was given for the layers; undefined where only their names say which they are. */
  readonly targetModules: LoraConfig['targetModules']
}

/** The options of a new adapter for a model: its head is trained and saved with it, unless the options say what is. */
export function withOwnHead<Inputs>(model: Model<Inputs>, given: LoraConfig): LoraConfig {
  const { head } = model
  const config = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as LoraConfig
  const taskType = config.taskType ?? taskTypes[head.task]
  if (taskType !== undefined) return { ...config, taskType }
  if (head.own !== undefined) return { modulesToSave: layersOf(model, head.own.layers), ...config }
  return head.task === 'multiple-choice' ? { modulesToSave: ['classifier'], ...config } : config
}

/**
 * The layers of a head of the user's own, as parts that are saved.
 * @throws TrainerError ('argument') for one whose name is also the end of a part of the encoder: by PEFT's rule both are meant.
 */
function layersOf<Inputs>(model: Model<Inputs>, layers: readonly string[]): readonly string[] {
  for (const layer of layers) {
    const other = moduleNames(model).find(
      name => name.endsWith(layer) && !layers.some(own => name === own || name.startsWith(`${own}.`)),
    )
    if (other === undefined) continue
    throw new TrainerError('argument', `The layer "${layer}" of ${model.name} is called as the end of "${other}".`, {
      fix: 'An adapter would save that part too: give the layer another name, or say what is saved with modulesToSave.',
    })
  }
  return layers
}

/**
 * Finds the layers that an adapter is for, by PEFT's rules.
 * @param where what the options are called in messages: a call, or a file.
 * @throws TrainerError ('argument') for options that cannot be, and where no layer or no part is of a given name.
 */
export function placeAdapter<Inputs>(model: Model<Inputs>, config: LoraConfig, where: string): PlacedAdapter {
  checkOptions(config, Object.keys(peftNames), where)
  checkNumbers(config, where)
  const { taskType } = config
  checkTask(model, taskType, where)
  const saved = savedModules(model, config, taskType, where)
  const names = linearLayers(model)
  const isSaved = (parameter: string): boolean => saved.some(module => isInside(parameter, module))
  const free = names.filter(name => !isSaved(`${name}.weight`))
  const layers = lowRanks(targetLayers(model, free, config, where), config, where)
  const isTrained = (name: string): boolean => isSaved(name) || isTrainedBias(name, config.bias ?? 'none', layers)
  const trained = new Set(model.parameters.map(({ name }) => name).filter(isTrained))
  const targetModules = isAllLinear(config.targetModules) ? undefined : config.targetModules
  return { layers, trained, taskType, modulesToSave: saved, targetModules }
}

/** Whether a parameter is of a module whose name ends so: PEFT's rule, which asks for no dot before. */
function isInside(parameter: string, module: string): boolean {
  const parts = parameter.split('.')
  return parts.some((_, i) => i > 0 && parts.slice(0, i).join('.').endsWith(module))
}

function savedModules<Inputs>(
  model: Model<Inputs>,
  { modulesToSave = [] }: LoraConfig,
  taskType: PeftTask | undefined,
  where: string,
): readonly string[] {
  const modules = moduleNames(model)
  const usual = taskType === undefined ? [] : peftTasks[taskType]
  const isThere = (name: string): boolean => modules.some(module => module.endsWith(name))
  const lost = modulesToSave.find(name => !isThere(name) && !usual.includes(name))
  if (lost !== undefined) {
    const close = nearest(lost, new Set(modules.flatMap(name => [name, name.split('.').at(-1)!])))
    throw new TrainerError(
      'argument',
      `${where}: modulesToSave names "${lost}", but no part of ${model.name} ends in it.`,
      {
        fix:
          close === undefined
            ? `Its parts are, for example, ${quoted(modules.slice(0, 3))}.`
            : `Did you mean "${close}"?`,
      },
    )
  }
  return [...new Set([...modulesToSave, ...usual])]
}

/** The names of everything that parameters are in. */
function moduleNames<Inputs>({ parameters }: Model<Inputs>): readonly string[] {
  const ends = parameters.flatMap(({ name }) => {
    const parts = name.split('.')
    return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('.'))
  })
  return [...new Set(ends)]
}

function isTrainedBias(parameter: string, bias: string, layers: ReadonlyMap<string, LowRank>): boolean {
  if (bias === 'none' || !parameter.includes('bias')) return false
  return bias === 'all' || (parameter.endsWith('.bias') && layers.has(parameter.slice(0, -'.bias'.length)))
}

/** The linear layers that are meant. */
function targetLayers<Inputs>(
  model: Model<Inputs>,
  names: readonly string[],
  config: LoraConfig,
  where: string,
): readonly string[] {
  const { targetModules = defaultTargets(names), excludeModules } = config
  const meant = isAllLinear(targetModules)
    ? new Set(names.filter(name => !isHead(model, name, config.taskType)))
    : namesMeant(targetModules, names, `${where}: targetModules`)
  const excluded =
    excludeModules === undefined ? undefined : namesMeant(excludeModules, names, `${where}: excludeModules`)
  const found = names.filter(name => meant.has(name) && excluded?.has(name) !== true)
  const inLayers = Array.isArray(targetModules) ? found.filter(name => isInLayers(name, config)) : found
  if (inLayers.length > 0) return inLayers
  const given = targetModules instanceof RegExp ? String(targetModules) : JSON.stringify(targetModules)
  throw new TrainerError(
    'argument',
    `${where}: targetModules is ${given}, but no linear layer of ${model.name} is meant by it.`,
    {
      fix: `The last parts of their names are ${quoted([...new Set(names.map(name => name.split('.').at(-1)!))])}.`,
    },
  )
}

/** The layers of queries and values: what PEFT takes for BERT and its kin, under the names of every family. */
function defaultTargets(names: readonly string[]): readonly string[] {
  const ends = ['query', 'value', 'query_proj', 'value_proj', 'q_lin', 'v_lin', 'q', 'v', 'Wqkv']
  return ends.filter(end => names.some(name => name.endsWith(`.${end}`)))
}

function isAllLinear(targets: LoraConfig['targetModules']): boolean {
  return typeof targets === 'string' && targets.toLowerCase() === 'all-linear'
}

function namesMeant(
  given: string | readonly string[] | RegExp,
  names: readonly string[],
  field: string,
): ReadonlySet<string> {
  if (typeof given === 'string' || given instanceof RegExp) return fullMatches(given, names, field)
  return new Set(names.filter(name => given.some(end => name === end || name.endsWith(`.${end}`))))
}

/** The head's output: PEFT leaves it out for classifiers of texts, and whatever is tied to the table of words. */
function isHead<Inputs>({ head }: Model<Inputs>, layer: string, taskType: PeftTask | undefined): boolean {
  const outputs = taskType === undefined ? [] : peftTasks[taskType]
  return outputs.includes(layer) || (head.task === 'multiple-choice' && layer === 'classifier')
}

/** PEFT's rule: the first number in a name, behind whatever the list of layers is called, or behind one of these. */
function isInLayers(name: string, { layersToTransform, layersPattern }: LoraConfig): boolean {
  const wanted = [layersToTransform ?? []].flat()
  if (wanted.length === 0) return true
  const patterns = [layersPattern ?? []].flat()
  const parts = name.split('.')
  const at = parts.findIndex(
    (part, i) =>
      /^\d+$/.test(part) &&
      i > (patterns.length === 0 ? 1 : 0) &&
      (patterns.length === 0 || patterns.includes(parts[i - 1]!)),
  )
  return at > 0 && at < parts.length - 1 && wanted.includes(Number(parts[at]))
}

/** What is added to each layer. */
function lowRanks(layers: readonly string[], config: LoraConfig, where: string): ReadonlyMap<string, LowRank> {
  const { r, loraAlpha, loraDropout, useRslora, initLoraWeights, ...patterns } = withLoraDefaults(config)
  const ranks = byPattern(patterns.rankPattern, layers, `${where}: rankPattern`)
  const alphas = byPattern(patterns.alphaPattern, layers, `${where}: alphaPattern`)
  const lowRank = (layer: string): LowRank => {
    const rank = ranks.get(layer) ?? r
    const alpha = alphas.get(layer) ?? loraAlpha
    return {
      rank,
      scale: useRslora ? alpha / Math.sqrt(rank) : alpha / rank,
      dropout: loraDropout,
      startOfA: inputs => (initLoraWeights === 'gaussian' ? { kind: 'normal', deviation: 1 / rank } : uniform(inputs)),
      startOfB: initLoraWeights === false ? uniform(rank) : { kind: 'zeros' },
    }
  }
  return new Map(layers.map(layer => [layer, lowRank(layer)]))
}

/** How PyTorch starts a linear layer: `kaiming_uniform_` with a = √5, whose bound is 1 / √inputs. */
function uniform(inputs: number): Initialization {
  return { kind: 'uniform', bound: 1 / Math.sqrt(inputs) }
}

/** For each layer the end of whose name a pattern matches, the value of the first that does. */
function byPattern(
  patterns: Readonly<Record<string, number>>,
  layers: readonly string[],
  field: string,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const [pattern, value] of Object.entries(patterns))
    for (const layer of endMatches(pattern, layers, field)) if (!found.has(layer)) found.set(layer, value)
  return found
}

function checkTask<Inputs>({ head, name }: Model<Inputs>, taskType: PeftTask | undefined, where: string): void {
  const own = taskTypes[head.task]
  if (taskType === undefined || taskType === own) return
  const known = Object.hasOwn(peftTasks, taskType)
  const problem = `${where}: taskType is '${String(taskType)}', ${known ? `but ${name} is for ${head.task.replaceAll('-', ' ')}` : 'which is none that encoders have'}.`
  throw new TrainerError('argument', problem, {
    fix: own === undefined ? 'Leave it out.' : `Leave it out, or give '${own}'.`,
  })
}

function checkNumbers(config: LoraConfig, where: string): void {
  const { r, rankPattern, loraAlpha, alphaPattern, loraDropout, bias, initLoraWeights } = withLoraDefaults(config)
  const check = (isRight: boolean, name: string, value: unknown, expected: string): void => {
    if (isRight) return
    throw new TrainerError('argument', `${where}: ${name} is ${shown(value)}; ${expected} was expected.`)
  }
  const ranks = Object.entries(rankPattern).map(([pattern, rank]) => [`the rank of "${pattern}"`, rank] as const)
  for (const [name, rank] of [['r', r] as const, ...ranks])
    check(Number.isInteger(rank) && rank > 0, name, rank, 'a whole number above 0')
  const alphas = Object.entries(alphaPattern).map(([pattern, alpha]) => [`the alpha of "${pattern}"`, alpha] as const)
  for (const [name, alpha] of [['loraAlpha', loraAlpha] as const, ...alphas])
    check(Number.isFinite(alpha), name, alpha, 'a number')
  check(loraDropout >= 0 && loraDropout < 1, 'loraDropout', loraDropout, 'a probability below 1')
  check(['none', 'all', 'lora_only'].includes(bias), 'bias', bias, "'none', 'all' or 'lora_only'")
  check(
    [true, false, 'gaussian'].includes(initLoraWeights),
    'initLoraWeights',
    initLoraWeights,
    "true, false or 'gaussian'",
  )
}
