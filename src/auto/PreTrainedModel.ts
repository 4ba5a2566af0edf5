import { loadPretrained, newlyInitializedWarning, unusedMessage } from '../checkpoint/pretrained'
import { nearest, quoted, TrainerError } from '../errors'
import { checkOptions, refuseArguments, shown } from '../options'
import type { Head } from '../heads/Head'
import type { ProblemType } from '../heads/problemType'
import { log } from '../logging'
import { completeConfig, fieldNames, misspeltFields, withoutAliases } from '../models/checkConfig'
import type { ModelConfig } from '../models/config'
import { startingWeights } from '../models/initialize'
import { labelCount, type LabelOptions, withLabels, withOwnLabels, withProblemType } from '../models/labels'
import type { Model } from '../models/Model'
import { architectureOf } from '../models/registry'
import { resizedWeights, rowsAskedFor, type ResizeOptions } from '../models/resize'
import { transformer } from '../models/transformer'
import type { Tensor } from '../tensor'
import { type HeadChoice, headOf, refuseLabelOptions, taskOf } from './headOf'
import { type PretrainedSource, type SourceOptions, sourceOptionNames } from './sources'
import { apartWarning, tieWords, withOtherNames } from './tiedWords'
import { TrainableModel } from './TrainableModel'

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

/** A transformer: a config and its parameters, under Hugging Face's names. */
export class PreTrainedModel<Prediction = Tensor> extends TrainableModel<Prediction> {
  #config: ModelConfig
  /** Weights that the folder lacks that it was loaded from, and that started at random. */
  readonly newlyInitialized: readonly string[] = []

  /** @param definition what the config's model computes; a sequence classifier unless given. */
  constructor(
    config: ModelConfig,
    parameters: Map<string, Tensor<'float32'>>,
    nameOrPath?: string,
    definition: Model = definitionOf(config, 'sequence-classification'),
    repository?: string,
  ) {
    super(definition, parameters, nameOrPath, repository)
    const family = architectureOf(config).config
    const { torch_dtype: _, ...rest } = withoutAliases(config, family)
    const own = { architectures: [this.definition.name], dtype: 'float32' }
    this.#config = { ...rest, ...family.saved?.(config), ...definition.head.configFields, ...own } as ModelConfig
  }

  /** The model's `config.json`, under Python's names. */
  get config(): ModelConfig {
    return this.#config
  }

  get numLabels(): number {
    return labelCount(this.#config)
  }

  /** Gives the model another head of the same shape; the config says what it predicts, as in Python. */
  override useHead(head: Head): void {
    super.useHead(head)
    this.#config = { ...this.#config, ...head.configFields }
  }

  /**
   * Gives labels that are only numbered (LABEL_0, …) the names of the classes of a dataset, so that what is saved says
   * them. Custom names stay.
   */
  nameLabels(names: readonly string[]): void {
    if (this.classNames !== undefined || names.length !== this.numLabels) return
    this.#config = withLabels(this.#config, { id2label: names })
  }

  /**
   * Gives the table of words `count` rows, for a tokenizer to which tokens were added, or fewer; old rows stay as they
   * are bit for bit. A head that guesses words changes with it, and `config.vocab_size`.
   * @param count by default as many as there are: with `padToMultipleOf` that pads.
   * @returns the number of rows.
   * @throws TrainerError ('argument') for a number that is none; ('model') where `pad_token_id` would have no row.
   *
   * @example
   * tokenizer.addTokens(['<city>', '<date>'])
   * model.resizeTokenEmbeddings(tokenizer.length)
   */
  resizeTokenEmbeddings(count?: number, options: ResizeOptions = {}, ...extra: readonly never[]): number {
    refuseArguments(extra, 'resizeTokenEmbeddings(), beside the number and its options,')
    const rows = rowsAskedFor(count, Number(this.#config['vocab_size']), options)
    const config = { ...this.#config, vocab_size: rows } as ModelConfig
    const { head, parameters } = this.definition
    const fresh = transformer(
      architectureOf(config),
      config,
      head.task === 'masked-lm' ? headOf(head.task, config) : head,
    )
    const frozen = new Set(parameters.filter(({ trainable }) => !trainable).map(({ name }) => name))
    const { meanResizing = true, seed = 42 } = options
    const isTied = config['tie_word_embeddings'] !== false
    for (const [name, tensor] of resizedWeights(this.parameters, fresh.parameters, { meanResizing, seed, isTied }))
      this.parameters.set(name, tensor)
    this.redefine({ ...fresh, parameters: fresh.parameters.map(p => ({ ...p, trainable: !frozen.has(p.name) })) })
    this.#config = config
    return rows
  }

  /** The names of the classes, in the order of their numbers; undefined while they are LABEL_0, LABEL_1, … */
  override get classNames(): readonly string[] | undefined {
    const named = Object.entries(this.#config.id2label ?? {})
    return named.every(([id, name]) => name === `LABEL_${id}`) ? undefined : named.map(([, name]) => name)
  }
}

/**
 * A model of a config with random weights: a function of the seed.
 * @throws TrainerError for a field that cannot be, or is a slip of a known one.
 */
export function modelFromConfig<Prediction = Tensor>(
  config: ModelConfig,
  options: ModelOptions = {},
  task: HeadChoice = 'sequence-classification',
): PreTrainedModel<Prediction> {
  checkOptions(options, ownOptions, 'fromConfig()')
  refuseLabelOptions({ ...options }, task)
  const [slip] = misspeltFields(config, architectureOf(config).config)
  if (slip !== undefined)
    throw new TrainerError(
      'argument',
      `The config has the field "${slip.written}", which no ${config.model_type} has.`,
      {
        fix: `Did you mean "${slip.meant}"?`,
      },
    )
  const complete = applyOptions(config, options, `The config of this ${config.model_type} model`)
  const definition = definitionOf(complete, task)
  const weights = startingWeights(definition.parameters, options.seed)
  return new PreTrainedModel<Prediction>(complete, weights, undefined, definition)
}

/** @throws TrainerError ('argument') for what `fromPretrained` does not take, before anything is fetched. */
export function checkPretrainedOptions(options: PretrainedOptions, task: HeadChoice): void {
  checkOptions(options, [...modelOptions, ...sourceOptionNames], 'A model')
  refuseLabelOptions({ ...options }, task)
}

/**
 * A model of a folder's config and weights; what the weights lack starts at random, and a warning names it, as in Python.
 * Its options are those that {@link checkPretrainedOptions} has let pass.
 * @param from where the folder comes from; by default it is what was asked for, and has everything.
 * @param brought names of weights that are taken from elsewhere afterwards, so that none has to be there.
 */
export async function modelFromFolder<Prediction = Tensor>(
  folder: string,
  config: ModelConfig,
  options: PretrainedOptions = {},
  task: HeadChoice = 'sequence-classification',
  from?: Pick<PretrainedSource, 'name' | 'repository' | 'fetchWeights'>,
  brought?: ReadonlySet<string>,
): Promise<PreTrainedModel<Prediction>> {
  const source = `${folder}/config.json`
  for (const { written, meant } of misspeltFields(config, architectureOf(config, source).config))
    log('warning', `${source} has the field "${written}", which counts for nothing. Was "${meant}" meant?`)
  const changed = applyOptions(config, options, source)
  await from?.fetchWeights()
  const name = from?.name ?? folder
  const { ignoreMismatchedSizes = false } = options
  const read = await readWeights(folder, changed, { ignoreMismatchedSizes, task, name, brought })
  const { complete, definition, weights: found } = read
  const { parameters } = definition
  const random = startingWeights(
    parameters.filter(parameter => !found.has(parameter.name)),
    options.seed,
  )
  const weights = parameters.map(parameter => {
    return [parameter.name, found.get(parameter.name) ?? random.get(parameter.name)!] as const
  })
  const model = new PreTrainedModel<Prediction>(complete, new Map(weights), name, definition, from?.repository)
  const newlyInitialized = [...random.keys()].filter(parameter => brought?.has(parameter) !== true)
  return Object.assign(model, { newlyInitialized })
}

/** A folder's weights for the model of a config; says which start at random, and which are not used. */
async function readWeights(
  folder: string,
  config: ModelConfig,
  options: {
    readonly ignoreMismatchedSizes: boolean
    readonly task: HeadChoice
    readonly name: string
    readonly brought?: ReadonlySet<string> | undefined
  },
): Promise<{
  complete: ModelConfig
  definition: ReturnType<typeof definitionOf>
  weights: ReadonlyMap<string, Tensor<'float32'>>
}> {
  const { task, ignoreMismatchedSizes, name: checkpoint, brought } = options
  const definition = definitionOf(config, task)
  const { name, parameters } = definition
  const { prefix, heads, renames } = architectureOf(config)
  const ties = heads[taskOf(task)]?.tied ?? []
  const expected = parameters.map(parameter => ({ name: parameter.name, dims: parameter.shape }))
  const found = await loadPretrained(folder, withOtherNames(expected, ties), {
    baseModelPrefix: prefix,
    renames: renames?.(config),
    ignoreMismatchedSizes,
  })
  const { weights, missing, apart } = tieWords(ties, found, config.tie_word_embeddings !== false)
  const warning = newlyInitializedWarning(name, checkpoint, {
    ...found,
    missing: missing.filter(parameter => brought?.has(parameter) !== true),
  })
  if (warning !== undefined) log('warning', warning)
  const unused = unusedMessage(name, checkpoint, found)
  if (unused !== undefined) log([config.architectures].flat().includes(name) ? 'warning' : 'info', unused)
  if (apart === undefined) return { complete: config, definition, weights }
  log('warning', apartWarning(checkpoint, apart))
  const complete = { ...config, tie_word_embeddings: false }
  return { complete, definition: definitionOf(complete, task), weights }
}

/** What a config's model computes. */
function definitionOf(config: ModelConfig, task: HeadChoice): ReturnType<typeof transformer> {
  const architecture = architectureOf(config)
  return transformer(architecture, config, headOf(task, completeConfig(config, architecture.config)))
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
function applyOptions(config: ModelConfig, options: PretrainedOptions, source: string): ModelConfig {
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
