import { loadPretrained, newlyInitializedWarning, unusedMessage } from '../checkpoint/pretrained'
import { TrainerError } from '../errors'
import { refuseArguments } from '../options'
import type { Head } from '../heads/Head'
import { log } from '../logging'
import { completeConfig, misspeltFields, withoutAliases } from '../models/checkConfig'
import type { ModelConfig } from '../models/config'
import { startingWeights } from '../models/initialize'
import { labelCount, withLabels } from '../models/labels'
import type { Model } from '../models/Model'
import { architectureOf } from '../models/registry'
import { resizedWeights, rowsAskedFor, type ResizeOptions } from '../models/resize'
import { transformer } from '../models/transformer'
import type { Tensor } from '../tensor'
import { type HeadChoice, headOf, taskOf } from './headOf'
import { applyOptions, checkModelOptions, type ModelOptions, type PretrainedOptions } from './modelOptions'
import type { PretrainedSource } from './sources'
import { apartWarning, tieWords, withOtherNames } from './tiedWords'
import { type ModelSource, TrainableModel } from './TrainableModel'

/** Where a transformer was loaded from. */
export interface PreTrainedSource extends ModelSource {
  readonly newlyInitialized?: readonly string[] | undefined
  readonly resizedParameters?: readonly string[] | undefined
}

/** A transformer: a config and its parameters, under Hugging Face's names. */
export class PreTrainedModel<Prediction = Tensor> extends TrainableModel<Prediction> {
  #config: ModelConfig
  /** Weights that started at random, because the folder lacks them that it was loaded from. */
  readonly newlyInitialized: readonly string[]
  #resized: readonly string[]

  /** @param definition what the config's model computes; a sequence classifier unless given. */
  constructor(
    config: ModelConfig,
    parameters: Map<string, Tensor<'float32'>>,
    definition: Model = definitionOf(config, 'sequence-classification'),
    source: PreTrainedSource = {},
  ) {
    super(definition, parameters, source)
    this.newlyInitialized = source.newlyInitialized ?? []
    this.#resized = source.resizedParameters ?? []
    const family = architectureOf(config).config
    const { torch_dtype: _, ...rest } = withoutAliases(config, family)
    const own = { architectures: [this.definition.name], dtype: 'float32' }
    this.#config = { ...rest, ...family.saved?.(config), ...definition.head.configFields, ...own } as ModelConfig
  }

  /** The model's `config.json`, under Python's names. */
  get config(): ModelConfig {
    return this.#config
  }

  /** What `resizeTokenEmbeddings()` has given another number of rows than the folder has that it was loaded from. */
  get resizedParameters(): readonly string[] {
    return this.#resized
  }

  /** The most tokens of a row that its positions count; Infinity where they count any number. */
  get maxPositions(): number {
    const architecture = architectureOf(this.#config)
    return architecture.geometry(completeConfig(this.#config, architecture.config)).positions
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
    const resized = resizedWeights(this.parameters, fresh.parameters, { meanResizing, seed, isTied })
    for (const [name, tensor] of resized) this.parameters.set(name, tensor)
    this.#resized = [...new Set([...this.#resized, ...resized.keys()])]
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
  checkModelOptions(options, task)
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
  return new PreTrainedModel<Prediction>(complete, weights, definition)
}

/**
 * A model of a folder's config and weights; what the weights lack starts at random, and a warning names it, as in Python.
 * Its options are those that `checkPretrainedOptions` has let pass.
 * @param from where the folder comes from; by default it is what was asked for, and has everything.
 * @param brought names of weights that are taken from elsewhere afterwards, so that none has to be there.
 */
export async function modelFromFolder<Prediction = Tensor>(
  folder: string,
  config: ModelConfig,
  options: PretrainedOptions = {},
  task: HeadChoice = 'sequence-classification',
  from?: Pick<PretrainedSource, 'name' | 'repository' | 'revision' | 'fetchWeights'>,
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
  const newlyInitialized = [...random.keys()].filter(parameter => brought?.has(parameter) !== true)
  const { repository, revision } = from ?? {}
  return new PreTrainedModel<Prediction>(complete, new Map(weights), definition, {
    nameOrPath: name,
    repository,
    revision,
    newlyInitialized,
  })
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
    missing: missing.filter(
      parameter => ![parameter, ties.find(({ own }) => own === parameter)?.shared ?? ''].some(one => brought?.has(one)),
    ),
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
