// which labels a model has: what its config says, as Python reads it, and what a caller says instead
import { nearest, quoted, TrainerError } from '../errors'
import { type ProblemType, problemTypes } from '../heads/problemType'
import { isJsonObject } from '../json'
import { log } from '../logging'
import type { ModelConfig } from './config'

/** How many labels there are to be, and what they are called. */
export interface LabelOptions {
  readonly numLabels?: number | undefined
  readonly id2label?: Readonly<Record<string, string>> | readonly string[] | undefined
  readonly label2id?: Readonly<Record<string, number>> | undefined
}

/** How many labels the head has: `num_labels`, else the size of `id2label`, else 2, as Python takes it. */
export function labelCount({ num_labels: count, id2label }: ModelConfig): number {
  return count ?? (id2label === undefined || id2label === null ? 2 : Object.keys(id2label).length)
}

/**
 * The config with its labels as Python's config class reads them, and without `num_labels`, which they state.
 *
 * `num_labels` beats `id2label` of another size, and the names are LABEL_0 … then. `id2label` may be in any order, begin
 * anywhere and have gaps: its size counts, and its names stay. `label2id` alone counts for nothing. What is lost or odd
 * is told in a warning. `label2id` is made of `id2label` where it is absent or does not invert it, unlike in Python, which
 * leaves LABEL_0 … there: what aligns a dataset's labels with the model reads it.
 * @param source what the config is called in messages: its file.
 * @param warns whether what is lost or odd is told; not where a caller names the labels anyway.
 * @throws TrainerError ('model') for ids that are no integers or occur twice, names that are lists, objects or null, and a
 * number of labels below 1.
 */
export function withOwnLabels(config: ModelConfig, source: string, warns = true): ModelConfig {
  const { num_labels: stated, ...rest } = config
  if (stated !== undefined && !isCount(stated))
    throw labelError(source, 'num_labels', 'a whole number of at least 1', stated)
  const names = config.id2label ?? undefined
  const read = names === undefined ? undefined : namesById(names, source)
  if (read !== undefined && (stated === undefined || stated === read.size)) {
    if (warns) warnOfIds([...read.keys()], source)
    return { ...rest, ...labelsById(read, config.label2id) } as ModelConfig
  }
  if (stated === undefined && (config.label2id ?? undefined) === undefined) return config
  const numbered = numberedLabels(stated ?? 2)
  if (warns) warnOfLoss(config, read?.size, numbered, source)
  return { ...rest, ...numbered } as ModelConfig
}

/**
 * The config with the labels that a caller gives: names, or LABEL_0 … for a number of them alone. `id2label` and
 * `label2id` have to name each of 0 to n - 1 once; either is made of the other.
 * @throws TrainerError ('argument') when they do not, or disagree with each other or with `numLabels`.
 */
export function withLabels(config: ModelConfig, { numLabels, id2label, label2id }: LabelOptions): ModelConfig {
  if (numLabels !== undefined && !isCount(numLabels))
    throw new TrainerError(
      'argument',
      `numLabels has to be a whole number of at least 1, not ${JSON.stringify(numLabels)}.`,
    )
  const names = id2label === undefined ? undefined : namesInOrder(id2label)
  const namesToo = label2id === undefined ? undefined : namesOfIds(label2id)
  const given = names ?? namesToo
  if (given === undefined) return numLabels === undefined ? config : withNumber(config, numLabels)
  if (names !== undefined && namesToo !== undefined && names.join('\0') !== namesToo.join('\0')) {
    const both = `id2label names ${quoted(names)}, label2id ${quoted(namesToo)}`
    throw disagreement(`${both}, in the order of their ids.`)
  }
  if (numLabels !== undefined && numLabels !== given.length) {
    const which = names === undefined ? 'label2id' : 'id2label'
    throw disagreement(`numLabels is ${numLabels}, but ${which} names ${given.length} labels.`)
  }
  return { ...config, ...labelsNamed(given) }
}

/**
 * The config with a problem type, where one is given.
 * @param source what the config is called in messages: its file.
 * @throws TrainerError when that, or what the config says itself, is none of Hugging Face's three, or does not go with
 * the number of labels.
 */
export function withProblemType(config: ModelConfig, given: ProblemType | undefined, source: string): ModelConfig {
  const type = given ?? config.problem_type ?? undefined
  const code = given === undefined ? 'model' : 'argument'
  const subject = `${given === undefined ? `${source} has the` : 'The'} problem type ${JSON.stringify(type)}`
  if (type !== undefined && !problemTypes.includes(type)) {
    const close = nearest(String(type), problemTypes)
    throw new TrainerError(code, `${subject}, which is not known; these are: ${problemTypes.join(', ')}.`, {
      fix: close === undefined ? `Correct ${given === undefined ? 'it' : 'problemType'}.` : `Did you mean "${close}"?`,
    })
  }
  if (type === 'single_label_classification' && labelCount(config) === 1) {
    throw new TrainerError(code, `${subject}, which needs at least 2 labels, but there is 1.`, {
      fix: "Use numLabels: 2 for two classes, or the problem type 'regression'.",
    })
  }
  return given === undefined ? config : { ...config, problem_type: given }
}

function withNumber(config: ModelConfig, count: number): ModelConfig {
  const named = config.id2label !== undefined && config.id2label !== null && labelCount(config) === count
  return named ? config : { ...config, ...numberedLabels(count) }
}

function numberedLabels(count: number): Pick<ModelConfig, 'id2label' | 'label2id'> {
  return labelsNamed(Array.from({ length: count }, (_, id) => `LABEL_${id}`))
}

function labelsNamed(names: readonly string[]): Pick<ModelConfig, 'id2label' | 'label2id'> {
  return {
    id2label: Object.fromEntries(names.map((name, id) => [String(id), name])),
    label2id: Object.fromEntries(names.map((name, id) => [name, id])),
  }
}

// ── what a config says ──

/** Both fields of the labels by their ids; `label2id` as it stands where it is the inverse. */
function labelsById(
  names: ReadonlyMap<string, string>,
  label2id: ModelConfig['label2id'],
): Pick<ModelConfig, 'id2label' | 'label2id'> {
  const inverse = Object.fromEntries([...names].map(([id, name]) => [name, Number(id)]))
  const kept = isJsonObject(label2id) && sameIds(label2id, inverse) ? label2id : inverse
  return { id2label: Object.fromEntries(names), label2id: kept }
}

/** The labels of an `id2label` by their ids, which Python's `int()` reads: `"01"` is 1. */
function namesById(id2label: unknown, source: string): Map<string, string> {
  if (!isJsonObject(id2label)) {
    const form = 'an object from ids to names, or null'
    throw labelError(source, 'id2label', form, id2label)
  }
  const names = new Map<string, string>()
  for (const [key, name] of Object.entries(id2label)) {
    const id = integerText(key)
    if (id === undefined) throw labelError(source, 'id2label', 'an object whose keys are integers', id2label)
    if (names.has(id)) throw labelError(source, 'id2label', `an object that names label ${id} once`, id2label)
    if (typeof name === 'object') throw labelError(source, 'id2label', 'an object of names that are texts', id2label)
    names.set(id, String(name)) // a number is a name by its text, as JSON writes the keys of label2id
  }
  if (names.size === 0) throw labelError(source, 'id2label', 'an object of at least one label', id2label)
  return names
}

/** An integer's shortest text; undefined where Python's `int()` reads none. */
function integerText(key: string): string | undefined {
  const match = /^\s*([+-]?)(\d+(?:_\d+)*)\s*$/.exec(key)
  if (match === null) return undefined
  const size = BigInt(match[2]!.replaceAll('_', ''))
  return String(match[1] === '-' ? -size : size)
}

function warnOfIds(ids: readonly string[], source: string): void {
  const missing = ids.map((_, id) => String(id)).filter(id => !ids.includes(id))
  if (missing.length === 0) return
  log(
    'warning',
    `${source} has an "id2label" of the labels ${ids.join(', ')}, but the model's outputs count from 0 to ` +
      `${ids.length - 1}: ${missing.join(', ')} ${missing.length === 1 ? 'has' : 'have'} no name. Correct the file, ` +
      'or give id2label.',
  )
}

function warnOfLoss(
  config: ModelConfig,
  named: number | undefined,
  kept: Pick<ModelConfig, 'id2label' | 'label2id'>,
  source: string,
): void {
  const count = Object.keys(kept.id2label!).length
  if (named !== undefined) {
    log(
      'warning',
      `${source} has "num_labels" ${count}, but its "id2label" names ${named} labels: as in Python num_labels ` +
        'counts, and the labels are called LABEL_0, …. Give id2label to name them.',
    )
  } else if (isJsonObject(config.label2id) && !sameIds(config.label2id, kept.label2id!)) {
    log(
      'warning',
      `${source} has a "label2id" without an "id2label", which counts for nothing, as in Python: the model has ` +
        `${count} labels, LABEL_0, …. Give label2id as an option to name them.`,
    )
  }
}

function sameIds(a: object, b: object): boolean {
  const text = (ids: object): string => JSON.stringify(Object.entries(ids).toSorted())
  return text(a) === text(b)
}

// ── what a caller says ──

function namesInOrder(id2label: unknown): string[] {
  if (!Array.isArray(id2label) && !isJsonObject(id2label))
    throw new TrainerError('argument', `id2label has to be a list or an object, not ${JSON.stringify(id2label)}.`)
  const names = Object.values(id2label)
  const odd = names.find(name => typeof name !== 'string')
  if (odd !== undefined) {
    const found = `not ${JSON.stringify(odd)}`
    throw new TrainerError('argument', `id2label has to name labels by texts, ${found}.`)
  }
  checkIds(Object.keys(id2label), 'id2label')
  const inOrder = names.map((_, id) => (id2label as Readonly<Record<string, string>>)[String(id)]!)
  const twice = inOrder.find((name, id) => inOrder.indexOf(name) !== id)
  if (twice !== undefined) throw new TrainerError('argument', `id2label names two labels "${twice}".`)
  return inOrder
}

function namesOfIds(label2id: unknown): string[] {
  if (!isJsonObject(label2id))
    throw new TrainerError('argument', `label2id has to be an object, not ${JSON.stringify(label2id)}.`)
  const odd = Object.values(label2id).find(id => typeof id !== 'number')
  if (odd !== undefined)
    throw new TrainerError('argument', `label2id has to give ids that are numbers, not ${JSON.stringify(odd)}.`)
  checkIds(Object.values(label2id).map(String), 'label2id')
  return Object.entries(label2id as Readonly<Record<string, number>>)
    .toSorted(([, a], [, b]) => a - b)
    .map(([name]) => name)
}

function checkIds(ids: readonly string[], option: string): void {
  if (ids.length === 0) throw new TrainerError('argument', `${option} has to name at least one label.`)
  if (ids.every((_, id) => ids.includes(String(id)))) return
  throw new TrainerError(
    'argument',
    `${option} has the ids ${ids.join(', ')}; ${ids.length} labels need each of 0 to ${ids.length - 1} once.`,
    { fix: 'Count from 0, as the labels of the dataset have to.' },
  )
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1
}

function disagreement(problem: string): TrainerError {
  return new TrainerError('argument', problem, { fix: 'Give only one of the two, or make them agree.' })
}

function labelError(source: string, field: string, expected: string, given: unknown): TrainerError {
  return new TrainerError('model', `${source} needs "${field}" as ${expected}, but it is ${JSON.stringify(given)}.`, {
    fix: 'Correct it, or leave it out and give numLabels or id2label as options.',
  })
}
