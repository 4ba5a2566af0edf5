// which linear layers an adapter is for, by PEFT's rules
import { nearest, quoted, TrainerError } from '../errors'
import { called, type LoraConfig, type OptionsSource, peftNames, peftTasks } from './LoraConfig'
import { isInside, moduleName, moduleNames, type NamedModel } from './moduleNames'
import { fullMatches, layerNumbers } from './patterns'

/** Layers that may have an adapter, and how they are chosen. */
export interface Choice {
  /** The model's linear layers but those that are trained whole, by its own names. */
  readonly free: readonly string[]
  /** What is trained whole, by the ends of names. */
  readonly saved: readonly string[]
  readonly config: LoraConfig
  /** In a file PEFT passes over names that mean nothing; of a call each has to mean something. */
  readonly source: OptionsSource
}

/** The linear layers that are meant, by the model's own names. */
export function targetLayers<Inputs>(named: NamedModel<Inputs>, choice: Choice): readonly string[] {
  const { free, config, source } = choice
  const own = new Map(free.map(name => [moduleName(name, named), name]))
  const names = [...own.keys()]
  const { targetModules = defaultTargets(names), excludeModules = [] } = config
  for (const option of ['targetModules', 'excludeModules'] as const) checkNames(named, names, choice, option)
  const meant = isAllLinear(targetModules)
    ? new Set(names.filter(name => !isHead(named, name, config)))
    : namesMeant(targetModules, names, called(source, 'targetModules'))
  const excluded = namesMeant(excludeModules, names, called(source, 'excludeModules'))
  const found = names.filter(name => meant.has(name) && !excluded.has(name))
  const chosen = Array.isArray(targetModules) ? inLayers(found, targetModules as readonly string[], choice) : found
  if (chosen.length > 0) return chosen.map(name => own.get(name)!)
  throw nothingMeant(named, names, choice, targetModules)
}

/** The layers of queries and values: what PEFT takes for BERT and its kin, under the names of every family. */
function defaultTargets(names: readonly string[]): readonly string[] {
  const ends = ['query', 'value', 'query_proj', 'value_proj', 'q_lin', 'v_lin', 'q', 'v', 'Wqkv']
  return ends.filter(end => names.some(name => name.endsWith(`.${end}`)))
}

export function isAllLinear(targets: LoraConfig['targetModules']): boolean {
  return typeof targets === 'string' && targets.toLowerCase() === 'all-linear'
}

function namesMeant(
  given: string | readonly string[] | RegExp,
  names: readonly string[],
  option: string,
): ReadonlySet<string> {
  if (typeof given === 'string' || given instanceof RegExp) return fullMatches(given, names, option)
  return new Set(names.filter(name => given.some(end => endsIn(name, end))))
}

function endsIn(name: string, end: string): boolean {
  return name === end || name.endsWith(`.${end}`)
}

/** The head's output: PEFT leaves it out for classifiers of texts, and whatever is tied to the table of words. */
function isHead<Inputs>({ model }: NamedModel<Inputs>, layer: string, { taskType }: LoraConfig): boolean {
  const outputs = taskType === undefined ? [] : peftTasks[taskType]
  return outputs.includes(layer) || (model.head.task === 'multiple-choice' && layer === 'classifier')
}

/**
 * Of the layers those in numbered layers that are wanted: by the first number in a name, behind whatever the list of
 * layers is called, or behind one of the patterns. A layer that is given by its whole name is meant in any case.
 */
function inLayers(
  names: readonly string[],
  targets: readonly string[],
  { config: { layersToTransform, layersPattern }, source }: Choice,
): readonly string[] {
  const wanted = [layersToTransform ?? []].flat()
  if (wanted.length === 0) return names
  const patterns = [layersPattern ?? []].flat().filter(pattern => pattern !== '')
  const found = (patterns.length === 0 ? [undefined] : patterns).map(pattern =>
    layerNumbers(pattern, names, called(source, 'layersPattern')),
  )
  const numberOf = (name: string): number | undefined => found.find(numbers => numbers.has(name))?.get(name)
  return names.filter(name => targets.includes(name) || wanted.includes(numberOf(name) ?? -1))
}

/** @throws TrainerError ('argument') for a name in a list that means no linear layer, though others may. */
function checkNames<Inputs>(
  named: NamedModel<Inputs>,
  names: readonly string[],
  { config, source, saved }: Choice,
  option: 'targetModules' | 'excludeModules',
): void {
  const given = config[option]
  if (!Array.isArray(given)) return
  const modules = moduleNames(named)
  const lost = (given as readonly string[]).filter(end => !names.some(name => endsIn(name, end)))
  const isOther = (end: string): boolean =>
    modules.some(name => endsIn(name, end) && !saved.some(whole => isInside(`${name}.`, whole)))
  const other = option === 'targetModules' ? lost.find(isOther) : undefined
  if (other !== undefined)
    throw new TrainerError(
      'argument',
      `${called(source, option)} names "${other}", which is no linear layer of ${named.model.name}: no others have adapters here.`,
      { fix: endsOf(names) },
    )
  const unknown = source.isFile ? undefined : lost.find(end => !modules.some(name => endsIn(name, end)))
  if (unknown === undefined || (option === 'targetModules' && lost.length === given.length)) return
  const close = nearest(unknown, new Set(names.map(lastPart)))
  throw new TrainerError(
    'argument',
    `${called(source, option)} names "${unknown}", which is nothing in ${named.model.name}.`,
    {
      fix: close === undefined ? endsOf(names) : `Did you mean "${close}"?`,
    },
  )
}

function lastPart(name: string): string {
  return name.split('.').at(-1)!
}

function endsOf(names: readonly string[]): string {
  return `The last parts of the names of linear layers are ${quoted([...new Set(names.map(lastPart))])}.`
}

function nothingMeant<Inputs>(
  { model }: NamedModel<Inputs>,
  names: readonly string[],
  { config, source }: Choice,
  targets: string | readonly string[] | RegExp,
): TrainerError {
  const text = (value: unknown): string => (value instanceof RegExp ? String(value) : JSON.stringify(value))
  const narrower = (['excludeModules', 'layersToTransform', 'layersPattern'] as const).filter(
    option => config[option] !== undefined,
  )
  const given = [
    `${called(source, 'targetModules')} is ${text(targets)}`,
    ...narrower.map(option => `${source.isFile ? peftNames[option] : option} ${text(config[option])}`),
  ]
  return new TrainerError(
    'argument',
    `${given.join(', ')}, but no linear layer of ${model.name} is meant by ${narrower.length === 0 ? 'it' : 'these'}.`,
    { fix: endsOf(names) },
  )
}
