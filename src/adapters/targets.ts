// which linear layers an adapter is for, by PEFT's rules
import { nearest, quoted, TrainerError } from '../errors'
import { log } from '../logging'
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
  throw nothingMeant(named, names, meant, choice, targetModules)
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

/** Names in a list that mean no layer that may have an adapter, though others may. */
function checkNames<Inputs>(
  named: NamedModel<Inputs>,
  names: readonly string[],
  { config, source, saved }: Choice,
  option: 'targetModules' | 'excludeModules',
): void {
  const given = config[option]
  if (!Array.isArray(given)) return
  const modules = moduleNames(named)
  const isThere = (end: string): boolean => modules.some(name => endsIn(name, end))
  const isSaved = (end: string): boolean =>
    modules.some(name => endsIn(name, end) && saved.some(whole => isInside(`${name}.`, whole)))
  const lost = (given as readonly string[]).filter(end => !names.some(name => endsIn(name, end)))
  const where = called(source, option)
  const refuse = (problem: string, fix: string): never => {
    throw new TrainerError('argument', `${where} names ${problem}.`, { fix })
  }
  if (option === 'targetModules') {
    const other = lost.find(end => isThere(end) && !isSaved(end))
    if (other !== undefined)
      refuse(`"${other}", which is no linear layer of ${named.model.name}: no others have adapters here`, endsOf(names))
    const whole = source.isFile ? undefined : lost.find(isSaved)
    if (whole !== undefined) refuse(`"${whole}", which is trained and saved whole (modulesToSave)`, 'Leave it out.')
  }
  const unknown = lost.find(end => !isThere(end))
  if (unknown === undefined || (option === 'targetModules' && lost.length === given.length)) return
  if (source.isFile) return log('warning', `${where} names "${unknown}", which is nothing in ${named.model.name}.`)
  const close = nearest(unknown, new Set(names.map(lastPart)))
  const fix = close === undefined ? endsOf(names) : `Did you mean "${close}"?`
  refuse(`"${unknown}", which is nothing in ${named.model.name}`, fix)
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
  meant: ReadonlySet<string>,
  { config, source }: Choice,
  targets: string | readonly string[] | RegExp,
): TrainerError {
  const text = (value: unknown): string => (value instanceof RegExp ? String(value) : JSON.stringify(value))
  const option = (name: keyof LoraConfig): string => (source.isFile ? peftNames[name] : name)
  const narrower = (['excludeModules', 'layersToTransform', 'layersPattern'] as const).filter(
    name => config[name] !== undefined,
  )
  const given = [
    `${called(source, 'targetModules')} is ${text(targets)}`,
    ...narrower.map(name => `${option(name)} ${text(config[name])}`),
  ]
  const alone = [...meant].slice(0, 3)
  const fix =
    alone.length > 0
      ? `By ${option('targetModules')} alone it would be ${quoted(alone)}${meant.size > 3 ? ', …' : ''}: change ${narrower.map(option).join(' or ')}.`
      : typeof targets === 'string' || targets instanceof RegExp
        ? patternAdvice(targets, names)
        : endsOf(names)
  return new TrainerError(
    'argument',
    `${given.join(', ')}, but no linear layer of ${model.name} is meant by ${narrower.length === 0 ? 'it' : 'these'}.`,
    { fix },
  )
}

function patternAdvice(pattern: string | RegExp, names: readonly string[]): string {
  const isEnd = typeof pattern === 'string' && names.some(name => endsIn(name, pattern))
  const example = isEnd ? `['${pattern}']` : `['${lastPart(names[0] ?? 'query')}']`
  return `A text or a regular expression is a pattern for the whole name, such as "${names[0] ?? ''}"; the ends of names are given as a list: ${example}. ${isEnd ? '' : endsOf(names)}`.trim()
}
