// an adapter's options and a model → which layers have A and B, and what of the model is trained beside
import { nearest, quoted, TrainerError } from '../errors'
import { log } from '../logging'
import { linearLayers, type LowRank } from '../models/lora'
import type { Initialization, Model } from '../models/Model'
import { checkConfig } from './checkConfig'
import {
  called,
  type LoraConfig,
  type OptionsSource,
  type PeftTask,
  peftTasks,
  taskTypes,
  withLoraDefaults,
} from './LoraConfig'
import { isInside, moduleName, moduleNames, type NamedModel } from './moduleNames'
import { endMatches } from './patterns'
import { isAllLinear, targetLayers } from './targets'
import { wholeModules } from './wholeModules'

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

/** A model that has an adapter placed in it. */
export interface AdaptedModel<Inputs> extends NamedModel<Inputs> {
  readonly model: Model<Inputs>
}

/** A model's parts that an adapter trains and saves beside its own. */
export interface OwnParts {
  /** Parameters that the model's folder lacks: who opens the adapter would draw them anew. */
  readonly lacking: readonly string[]
  /** Parameters that the model has twice. */
  readonly shared: ReadonlySet<string>
}

/**
 * The options of a new adapter for a model: its head is trained and saved with it, unless the options say what is, and
 * in any case what the model's folder lacks.
 */
export function withOwnParts<Inputs>(
  named: AdaptedModel<Inputs>,
  given: LoraConfig,
  { lacking, shared }: OwnParts,
): LoraConfig {
  const config = withOwnHead(named, given)
  const { modulesToSave = [], taskType } = config
  if (!Array.isArray(modulesToSave) || (taskType !== undefined && !(taskType in peftTasks))) return config // refused later
  const saved = [...modulesToSave, ...(taskType === undefined ? [] : peftTasks[taskType])]
  const isSaved = (name: string): boolean => saved.some(module => isInside(moduleName(name, named), module))
  const kept = new Set(named.model.parameters.map(({ name }) => name).filter(isSaved))
  const rest = lacking.filter(name => !kept.has(name))
  const modules = wholeModules(named, rest, { kept, shared, layers: new Set() })
  return modules.length === 0 ? config : { ...config, modulesToSave: [...modulesToSave, ...modules] }
}

function withOwnHead<Inputs>(named: AdaptedModel<Inputs>, given: LoraConfig): LoraConfig {
  const { head } = named.model
  const config = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as LoraConfig
  const taskType = config.taskType ?? taskTypes[head.task]
  if (taskType !== undefined) return { ...config, taskType }
  if (head.own !== undefined) return { modulesToSave: layersOf(named, head.own.layers), ...config }
  return head.task === 'multiple-choice' ? { modulesToSave: ['classifier'], ...config } : config
}

/**
 * The layers of a head of the user's own, as parts that are saved.
 * @throws TrainerError ('argument') for one whose name is also the end of a part of the encoder: by PEFT's rule both are meant.
 */
function layersOf<Inputs>(named: AdaptedModel<Inputs>, layers: readonly string[]): readonly string[] {
  for (const layer of layers) {
    const other = moduleNames(named).find(
      name => name.endsWith(layer) && !layers.some(own => name === own || name.startsWith(`${own}.`)),
    )
    if (other === undefined) continue
    throw new TrainerError(
      'argument',
      `The layer "${layer}" of ${named.model.name} is called as the end of "${other}".`,
      {
        fix: 'An adapter would save that part too: give the layer another name, or say what is saved with modulesToSave.',
      },
    )
  }
  return layers
}

/**
 * Finds the layers that an adapter is for, by PEFT's rules.
 * @throws TrainerError ('argument') for options that cannot be, and where no layer or no part is of a given name.
 */
export function placeAdapter<Inputs>(
  named: AdaptedModel<Inputs>,
  config: LoraConfig,
  source: OptionsSource,
): PlacedAdapter {
  const { model } = named
  checkConfig(model, config, source)
  const { taskType } = config
  const saved = savedModules(named, config, source)
  const isSaved = (name: string): boolean => saved.some(module => isInside(moduleName(name, named), module))
  const free = linearLayers(model).filter(name => !isSaved(`${name}.weight`))
  const targets = targetLayers(named, { free, saved, config, source })
  const layers = lowRanks(targets, named, config, source)
  checkPatterns(
    config,
    targets.map(layer => moduleName(layer, named)),
    source,
  )
  const isTrained = (name: string): boolean => isSaved(name) || isTrainedBias(name, config.bias ?? 'none', layers)
  const trained = new Set(model.parameters.map(({ name }) => name).filter(isTrained))
  const targetModules = isAllLinear(config.targetModules) ? undefined : config.targetModules
  return { layers, trained, taskType, modulesToSave: saved, targetModules }
}

/** As PEFT does, a pattern that means no layer with an adapter is told; in a call it is refused. */
function checkPatterns(config: LoraConfig, layers: readonly string[], source: OptionsSource): void {
  for (const option of ['rankPattern', 'alphaPattern'] as const)
    for (const pattern of Object.keys(config[option] ?? {})) {
      if (endMatches(pattern, layers, called(source, option)).size > 0) continue
      const problem = `${called(source, option)} has "${pattern}", which means no layer with an adapter.`
      if (source.isFile) log('warning', problem)
      else
        throw new TrainerError('argument', problem, {
          fix: `These are ${quoted(layers.slice(0, 3))}${layers.length > 3 ? ', …' : ''}.`,
        })
    }
}

function savedModules<Inputs>(
  named: AdaptedModel<Inputs>,
  { modulesToSave = [], taskType }: LoraConfig,
  source: OptionsSource,
): readonly string[] {
  const modules = moduleNames(named)
  const usual = taskType === undefined ? [] : peftTasks[taskType]
  const isThere = (name: string): boolean => modules.some(module => module.endsWith(name))
  const lost = modulesToSave.find(name => !isThere(name) && !usual.includes(name))
  if (lost !== undefined) {
    const isOfOwnHead = source.isFile && named.model.head.task === 'feature-extraction' && taskType === undefined
    const close = nearest(lost, new Set(modules.flatMap(name => [name, name.split('.').at(-1)!])))
    throw new TrainerError(
      'argument',
      `${called(source, 'modulesToSave')} names "${lost}", but no part of ${named.model.name} ends in it.`,
      {
        fix: isOfOwnHead
          ? 'Is it an adapter of a head of your own? Open it with that: AutoModel.fromPretrained(folder, { head }).'
          : close === undefined
            ? `Its parts are, for example, ${quoted(modules.slice(0, 3))}.`
            : `Did you mean "${close}"?`,
      },
    )
  }
  return [...new Set([...modulesToSave, ...usual])]
}

function isTrainedBias(parameter: string, bias: string, layers: ReadonlyMap<string, LowRank>): boolean {
  if (bias === 'none' || !parameter.includes('bias')) return false
  return bias === 'all' || (parameter.endsWith('.bias') && layers.has(parameter.slice(0, -'.bias'.length)))
}

/** What is added to each of these layers. */
export function lowRanks<Inputs>(
  layers: readonly string[],
  named: AdaptedModel<Inputs>,
  config: LoraConfig,
  source: OptionsSource,
): ReadonlyMap<string, LowRank> {
  const { r, loraAlpha, loraDropout, useRslora, initLoraWeights, rankPattern, alphaPattern } = withLoraDefaults(config)
  const names = layers.map(layer => moduleName(layer, named))
  const ranks = byPattern(rankPattern, names, called(source, 'rankPattern'))
  const alphas = byPattern(alphaPattern, names, called(source, 'alphaPattern'))
  const lowRank = (name: string): LowRank => {
    const rank = ranks.get(name) ?? r
    const alpha = alphas.get(name) ?? loraAlpha
    return {
      rank,
      scale: useRslora ? alpha / Math.sqrt(rank) : alpha / rank,
      dropout: loraDropout,
      startOfA: inputs => (initLoraWeights === 'gaussian' ? { kind: 'normal', deviation: 1 / rank } : uniform(inputs)),
      startOfB: initLoraWeights === false ? uniform(rank) : { kind: 'zeros' },
    }
  }
  return new Map(layers.map((layer, at) => [layer, lowRank(names[at]!)]))
}

/** How PyTorch starts a linear layer: `kaiming_uniform_` with a = √5, whose bound is 1 / √inputs. */
function uniform(inputs: number): Initialization {
  return { kind: 'uniform', bound: 1 / Math.sqrt(inputs) }
}

/** For each layer the end of whose name a pattern matches, the value of the first that does. */
function byPattern(
  patterns: Readonly<Record<string, number>>,
  names: readonly string[],
  option: string,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const [pattern, value] of Object.entries(patterns))
    for (const name of endMatches(pattern, names, option)) if (!found.has(name)) found.set(name, value)
  return found
}
