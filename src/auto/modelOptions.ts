// the options that a model is made with, and what a config becomes by them
import { nearest, quoted, TrainerError } from '../errors'
import type { ProblemType } from '../heads/problemType'
import { completeConfig, fieldNames } from '../models/checkConfig'
import type { ModelConfig } from '../models/config'
import { type LabelOptions, withLabels, withOwnLabels, withProblemType } from '../models/labels'
import { architectureOf } from '../models/registry'
import { checkOptions, shown } from '../options'
import { type HeadChoice, refuseLabelOptions } from './headOf'
import { type SourceOptions, sourceOptionNames } from './sources'

/**
 * What can be changed of a config when a model is made of it; the rest of the config can be overridden under its own
 * (Python's) names.
 */
export interface ModelOptions {
  /** How many labels a classifier has; 1 makes it a regression. Default: what the config says, else 2. */
  readonly numLabels?: number
  /** Names of the labels, by id or in order; each of 0 to n - 1 once. */
  readonly id2label?: Readonly<Record<string, string>> | readonly string[]
  /** The same the other way round: either suffices. */
  readonly label2id?: Readonly<Record<string, number>>
  /** Default: chosen by the labels at the first batch, as Hugging Face chooses it. */
  readonly problemType?: ProblemType
  /** Config fields to change, under Python's names: `{ hidden_dropout_prob: 0 }`. */
  readonly config?: Readonly<Record<string, unknown>>
  /** What weights that no checkpoint has are drawn from. Default 42. */
  readonly seed?: number
}

/** What can be changed when a model is made of a folder or a repository, and where that is. */
export interface PretrainedOptions extends ModelOptions, SourceOptions {
  /** Weights of another shape start at random instead of being refused. Default false. */
  readonly ignoreMismatchedSizes?: boolean
}

/** @throws TrainerError ('argument') for what `fromPretrained` does not take, before anything is fetched. */
export function checkPretrainedOptions(options: PretrainedOptions, task: HeadChoice): void {
  refuseHead(options, 'fromPretrained(folder, { head })')
  checkOptions(options, [...modelOptions, ...sourceOptionNames], 'A model')
  refuseLabelOptions({ ...options }, task)
}

/** @throws TrainerError ('argument') for what `fromConfig` does not take. */
export function checkModelOptions(options: ModelOptions, task: HeadChoice): void {
  refuseHead(options, 'fromConfig(config, { head })')
  checkOptions(options, ownOptions, 'fromConfig()')
  refuseLabelOptions({ ...options }, task)
}

/** A head of the user's own is an option of `AutoModel`, whose options come here without it. */
function refuseHead(options: object, call: string): void {
  if (typeof options !== 'object' || options === null || !('head' in options)) return
  throw new TrainerError('argument', 'A class of a task has its own head: it has no option "head".', {
    fix: `For a head of your own: AutoModel.${call}.`,
  })
}

/** The options of a model; the type sees to it that none is missing. */
const modelOptions = Object.keys({
  numLabels: 1,
  id2label: 1,
  label2id: 1,
  problemType: 1,
  config: 1,
  seed: 1,
  ignoreMismatchedSizes: 1,
} satisfies Record<Exclude<keyof PretrainedOptions, keyof SourceOptions>, 1>)

/** Those of a model that no folder's weights are read for. */
const ownOptions = modelOptions.filter(name => name !== 'ignoreMismatchedSizes')

/**
 * A config with the options of a call, checked.
 * @param source what the config is called in messages: its file.
 */
export function applyOptions(config: ModelConfig, options: PretrainedOptions, source: string): ModelConfig {
  checkSeed(options.seed)
  const overrides = options.config ?? {}
  refuseUnknownFields(overrides, config)
  const { num_labels, id2label, label2id, problem_type, ...fields } = overrides
  const labels = {
    numLabels: options.numLabels === undefined ? num_labels : options.numLabels,
    id2label: options.id2label === undefined ? id2label : options.id2label,
    label2id: options.label2id === undefined ? label2id : options.label2id,
  } as LabelOptions
  const renamed = labels.id2label !== undefined || labels.label2id !== undefined
  const labelled = withLabels(withOwnLabels(config, source, !renamed), labels)
  const problem = options.problemType ?? (problem_type as ProblemType | undefined)
  const changed = withProblemType({ ...labelled, ...fields } as ModelConfig, problem, source)
  completeConfig(changed, architectureOf(changed).config, field =>
    Object.hasOwn(fields, field) ? 'The option config' : source,
  )
  return changed
}

/** What is no whole number would be taken for one, and other seeds give the same weights. */
function checkSeed(seed: unknown): void {
  if (seed === undefined || Number.isSafeInteger(seed)) return
  throw new TrainerError('argument', `The seed of a model has to be a whole number, not ${shown(seed)}.`, {
    fix: 'Leave it out for 42.',
  })
}

/** Fields to change are those of the family, or of this config; in Python others are not taken either. */
function refuseUnknownFields(fields: object, config: ModelConfig): void {
  const known = [...fieldNames(architectureOf(config).config), ...Object.keys(config)]
  const name = Object.keys(fields).find(field => !known.includes(field))
  if (name === undefined) return
  const close = nearest(name, known)
  throw new TrainerError('argument', `The option config has the field "${name}", which no ${config.model_type} has.`, {
    fix: close === undefined ? `Its fields are ${quoted(known)}.` : `Did you mean "${close}"?`,
  })
}
