import { loadPretrained, newlyInitializedWarning } from '../checkpoint/pretrained'
import { nearest, refuseUnknown, TrainerError } from '../errors'
import { log } from '../logging'
import { modelParameters } from '../models/classifier'
import { labelCount, type ModelConfig, type ProblemType, withLabels, withProblemType } from '../models/config'
import type { Family } from '../models/family'
import { initialValues } from '../models/initialize'
import type { Parameter } from '../models/layers'
import { familyOf } from '../models/registry'
import { sizeOf, Tensor } from '../tensor'
import { saveModelFolder } from './saveModel'

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

/** A model: a config and its parameters, under Hugging Face's names. */
export class PreTrainedModel {
  config: ModelConfig
  /** Where it was loaded from; undefined for a model that started at random. */
  readonly nameOrPath: string | undefined
  readonly family: Family
  /** The parameters' shapes, in the order in which the model uses them. */
  readonly shapes: readonly Parameter[]
  /** The weights. A trainer moves them to where it trains: read them here again after an update. */
  readonly parameters: Map<string, Tensor<'float32'>>

  constructor(config: ModelConfig, parameters: Map<string, Tensor<'float32'>>, nameOrPath?: string) {
    this.family = familyOf(config)
    this.config = { ...config, architectures: [this.family.sequenceClassifierName], dtype: 'float32' }
    this.shapes = modelParameters(config)
    this.parameters = parameters
    this.nameOrPath = nameOrPath
  }

  get numLabels(): number {
    return labelCount(this.config)
  }

  /** The columns that the model takes beside labels. */
  get inputNames(): readonly string[] {
    return this.family.inputNames
  }

  /** The number of weights. */
  numParameters(): number {
    return [...this.parameters.values()].reduce((sum, tensor) => sum + tensor.size, 0)
  }

  /** Weights outside of embedding tables: those that take part in products for every token. */
  countedParameters(): number {
    return this.shapes
      .filter(({ name }) => !name.endsWith('_embeddings.weight'))
      .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }

  /** A weight. @throws TrainerError for a name that the model does not have. */
  parameter(name: string): Tensor<'float32'> {
    const tensor = this.parameters.get(name)
    if (tensor !== undefined) return tensor
    const close = nearest(name, this.parameters.keys())
    throw new TrainerError('model', `${this.family.sequenceClassifierName} has no parameter "${name}".`, {
      fix: close === undefined ? 'The keys of `parameters` are the names.' : `Did you mean "${close}"?`,
    })
  }

  /**
   * Saves weights and config for Python's `from_pretrained`, and an ONNX file for transformers.js. The tokenizer saves
   * itself; `trainer.saveModel()` saves both.
   * @throws TrainerError (`file`) when the folder cannot be written; an existing one stays as it was.
   */
  async savePretrained(folder: string): Promise<void> {
    await saveModelFolder(folder, { model: this })
  }
}

/** A model of a config with random weights: a function of the seed. */
export function modelFromConfig(config: ModelConfig, options: ModelOptions = {}): PreTrainedModel {
  const complete = applyOptions(config, options)
  const parameters = new Map(modelParameters(complete).map(p => [p.name, startingTensor(p, options.seed)]))
  return new PreTrainedModel(complete, parameters)
}

/**
 * A model of a folder's config and weights; what the weights lack starts at random, and a warning names it, as in
 * Python.
 */
export async function modelFromFolder(
  folder: string,
  config: ModelConfig,
  options: PretrainedOptions = {},
): Promise<PreTrainedModel> {
  const complete = applyOptions(config, options)
  const family = familyOf(complete)
  const shapes = modelParameters(complete)
  const found = await loadPretrained(
    folder,
    shapes.map(({ name, shape }) => ({ name, dims: shape })),
    {
      baseModelPrefix: family.baseModelPrefix,
      ignoreMismatchedSizes: options.ignoreMismatchedSizes ?? false,
    },
  )
  const warning = newlyInitializedWarning(family.sequenceClassifierName, folder, found)
  if (warning !== undefined) log('warning', warning)
  const parameters = new Map(shapes.map(p => [p.name, found.weights.get(p.name) ?? startingTensor(p, options.seed)]))
  return new PreTrainedModel(complete, parameters, folder)
}

function applyOptions(config: ModelConfig, options: PretrainedOptions): ModelConfig {
  refuseUnknown(
    options,
    ['numLabels', 'id2label', 'label2id', 'problemType', 'config', 'seed', 'ignoreMismatchedSizes'],
    'A model',
  )
  const labelled = withLabels({ ...config, ...options.config }, options)
  return withProblemType(labelled, options.problemType)
}

function startingTensor(parameter: Parameter, seed = 42): Tensor<'float32'> {
  return new Tensor('float32', initialValues(parameter, seed), parameter.shape)
}
