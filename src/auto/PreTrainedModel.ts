import { loadPretrained, newlyInitializedWarning } from '../checkpoint/pretrained'
import { refuseUnknown } from '../errors'
import type { Head } from '../heads/Head'
import { type ProblemType, sequenceClassification } from '../heads/sequenceClassification'
import { log } from '../logging'
import { labelCount, type ModelConfig, withLabels, withProblemType } from '../models/config'
import { initialValues } from '../models/initialize'
import type { Parameter } from '../models/Model'
import { architectureOf } from '../models/registry'
import { transformer } from '../models/transformer'
import { Tensor } from '../tensor'
import { TrainableModel } from './TrainableModel'

/**
 * What can be changed of a config when a model is made of it; the rest of the config can be overridden under its own
 * (Python's) names.
 */
export interface ModelOptions {
  /** How many labels the head has; 1 makes it a regression. Default: what the config says, else 2. */
  readonly numLabels?: number
  readonly id2label?: Readonly<Record<string, string>> | readonly string[]
  readonly label2id?: Readonly<Record<string, number>>
  /** Default: chosen by the labels at the first batch, as Hugging Face chooses it. */
  readonly problemType?: ProblemType
  /** Config fields to change, under Python's names: `{ hidden_dropout_prob: 0 }`. */
  readonly config?: Readonly<Record<string, unknown>>
  /** What weights that no checkpoint has are drawn from. Default 42. */
  readonly seed?: number
}

/** What can be changed when a model is made of a folder. */
export interface PretrainedOptions extends ModelOptions {
  /** Weights of another shape start at random instead of being refused. Default false. */
  readonly ignoreMismatchedSizes?: boolean
}

/** A transformer: a config and its parameters, under Hugging Face's names. */
export class PreTrainedModel extends TrainableModel {
  #config: ModelConfig

  constructor(config: ModelConfig, parameters: Map<string, Tensor<'float32'>>, nameOrPath?: string) {
    super(definitionOf(config), parameters, nameOrPath)
    this.#config = { ...config, architectures: [this.definition.name], dtype: 'float32' }
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

  /** The names of the classes, in the order of their numbers; undefined while they are LABEL_0, LABEL_1, … */
  override get classNames(): readonly string[] | undefined {
    const named = Object.entries(this.#config.id2label ?? {})
    return named.every(([id, name]) => name === `LABEL_${id}`) ? undefined : named.map(([, name]) => name)
  }
}

/** A model of a config with random weights: a function of the seed. */
export function modelFromConfig(config: ModelConfig, options: ModelOptions = {}): PreTrainedModel {
  const complete = applyOptions(config, options)
  const { parameters } = definitionOf(complete)
  return new PreTrainedModel(complete, new Map(parameters.map(p => [p.name, startingTensor(p, options.seed)])))
}

/** A model of a folder's config and weights; what the weights lack starts at random, and a warning names it, as in Python. */
export async function modelFromFolder(
  folder: string,
  config: ModelConfig,
  options: PretrainedOptions = {},
): Promise<PreTrainedModel> {
  const complete = applyOptions(config, options)
  const { name, parameters } = definitionOf(complete)
  const expected = parameters.map(parameter => ({ name: parameter.name, dims: parameter.shape }))
  const found = await loadPretrained(folder, expected, {
    baseModelPrefix: architectureOf(complete).prefix,
    ignoreMismatchedSizes: options.ignoreMismatchedSizes ?? false,
  })
  const warning = newlyInitializedWarning(name, folder, found)
  if (warning !== undefined) log('warning', warning)
  const weights = parameters.map(p => [p.name, found.weights.get(p.name) ?? startingTensor(p, options.seed)] as const)
  return new PreTrainedModel(complete, new Map(weights), folder)
}

/** What a config's model computes. */
function definitionOf(config: ModelConfig): ReturnType<typeof transformer> {
  const head = sequenceClassification(labelCount(config), config.problem_type ?? undefined)
  return transformer(architectureOf(config), config, head)
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
} satisfies Record<keyof PretrainedOptions, 1>)

function applyOptions(config: ModelConfig, options: PretrainedOptions): ModelConfig {
  refuseUnknown(options, modelOptions, 'A model')
  const labelled = withLabels({ ...config, ...options.config }, options)
  return withProblemType(labelled, options.problemType)
}

function startingTensor(parameter: Parameter, seed = 42): Tensor<'float32'> {
  return new Tensor('float32', initialValues(parameter, seed), parameter.shape)
}
