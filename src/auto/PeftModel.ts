import { adapterConfigJson, readAdapterConfig } from '../adapters/adapterConfig'
import { type AdapterShape, readAdapter, storedName } from '../adapters/adapterWeights'
import type { LoraConfig } from '../adapters/LoraConfig'
import { moduleName } from '../adapters/moduleNames'
import { type PlacedAdapter, placeAdapter, withOwnHead } from '../adapters/placement'
import { quoted, TrainerError } from '../errors'
import { adapterConfigName, loadAdapterWeights } from '../files/weights'
import { log } from '../logging'
import { initialValues } from '../models/initialize'
import { lowRankNames, withLowRank } from '../models/lora'
import type { Model } from '../models/Model'
import { architectureOf } from '../models/registry'
import { checkOptions, refuseArguments } from '../options'
import { Tensor } from '../tensor'
import { mergedWeight } from './mergedWeight'
import { PreTrainedModel } from './PreTrainedModel'
import type { SavedWeights } from './saveModel'
import { openSource, type PretrainedSource, type SourceOptions, sourceOptionNames } from './sources'
import { tiesOf, withSavedTablesApart } from './tablesApart'
import type { ModelSource } from './TrainableModel'

/**
 * A model with low-rank adapters, as PEFT makes one: what is trained are the adapters and the head, and these are what is
 * saved. The model that it was made of keeps its weights.
 */
export class PeftModel<Prediction = Tensor> extends PreTrainedModel<Prediction> {
  /** The model without adapters. */
  readonly base: PreTrainedModel<Prediction>
  readonly #lora: LoraConfig
  readonly #placed: PlacedAdapter

  /**
   * @param seed what A is drawn from.
   * @param from where the adapter's files are, if they are to be read into it.
   */
  protected constructor(given: PreTrainedModel<Prediction>, lora: LoraConfig, seed = 42, from?: PretrainedSource) {
    const base = withSavedTablesApart(given, lora.modulesToSave ?? [])
    const isFile = from !== undefined
    const where = isFile ? `${from.folder}/${adapterConfigName}` : 'getPeftModel()'
    const placed = placeAdapter(namedModel(base), lora, { where, isFile })
    const definition = withLowRank(base.definition, placed.layers, name => placed.trained.has(name))
    const weights = definition.parameters.map(parameter => {
      const { name, shape } = parameter
      const own = base.parameters.get(name)
      if (own === undefined) return [name, new Tensor('float32', initialValues(parameter, seed), shape)] as const
      // what is trained is the adapter's own
      return [name, placed.trained.has(name) ? new Tensor('float32', own.data.slice(), own.dims) : own] as const
    })
    super(base.config, new Map(weights), definition, from && sourceOf(from))
    this.base = base
    this.#lora = lora
    this.#placed = placed
  }

  /**
   * Adds an adapter that was saved to the model that it is for. The classes of tasks do that by themselves:
   * `AutoModelForSequenceClassification.fromPretrained(folder)` loads the base too.
   * @param folderOrId the folder of the adapter, or the id of its repository.
   * @throws TrainerError ('file') where there is none; ('model') for one of another kind or another model, by the field
   * or the tensor.
   *
   * @example
   * const base = await AutoModelForSequenceClassification.fromPretrained('./bert', { numLabels: 2 })
   * const model = await PeftModel.fromPretrained(base, './adapter')
   */
  static async fromPretrained<Prediction>(
    base: PreTrainedModel<Prediction>,
    folderOrId: string,
    options: SourceOptions = {},
  ): Promise<PeftModel<Prediction>> {
    checkOptions(options, sourceOptionNames, 'PeftModel.fromPretrained()')
    const source = await openSource('model', folderOrId, options)
    await source.fetchConfig()
    const { lora } = await readAdapterConfig(source.folder)
    await source.fetchWeights()
    return withAdapter(base, lora, source)
  }

  /** The options of the adapter. */
  get peftConfig(): LoraConfig {
    return this.#lora
  }

  override get origin(): PreTrainedModel<Prediction> {
    return this.base
  }

  /** What a folder has of it, under PEFT's names. */
  override get saved(): Required<SavedWeights> {
    const shape = this.#shape
    const weights = this.#savedNames().map(name => [storedName(name, shape), this.parameter(name)] as const)
    const { taskType, modulesToSave, layers } = this.#placed
    const targetModules = this.#placed.targetModules ?? [...layers.keys()].map(name => moduleName(name, shape))
    const { repository, nameOrPath, revision } = this.base
    const base = { name: repository ?? nameOrPath, revision }
    const adapter = adapterConfigJson({ ...this.#lora, modulesToSave, targetModules }, base, taskType)
    return { adapter, weights: new Map(weights) }
  }

  /** The weights of an adapter's folder, for this one. @throws TrainerError ('model') for another adapter's. */
  override async readWeights(folder: string): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
    const source = await loadAdapterWeights(folder)
    try {
      return await readAdapter(source, this.#shape)
    } finally {
      await source.close()
    }
  }

  /**
   * A model without adapters that computes the same: W + scale · B A in each layer, and the head as it was trained. It is
   * saved and used like any other.
   */
  mergeAndUnload(...extra: readonly never[]): PreTrainedModel<Prediction> {
    refuseArguments(extra, 'mergeAndUnload()')
    const weights = new Map(this.base.definition.parameters.map(({ name }) => [name, this.parameter(name)]))
    for (const [layer, { scale }] of this.#placed.layers) {
      const name = `${layer}.weight`
      const { a, b } = lowRankNames(layer)
      weights.set(name, mergedWeight(this.parameter(name), this.parameter(a), this.parameter(b), scale))
    }
    const { definition } = this.base
    const merged = new PreTrainedModel<Prediction>(this.config, weights, definition)
    merged.useHead(this.definition.head)
    return merged
  }

  /** 'trainable params: 296,450 || all params: 109,780,228 || trainable%: 0.2700', as PEFT has it. */
  trainableParameters(): string {
    const [trained, all] = [this.numParameters({ onlyTrainable: true }), this.numParameters()]
    const share = ((100 * trained) / all).toFixed(4)
    return `trainable params: ${grouped(trained)} || all params: ${grouped(all)} || trainable%: ${share}`
  }

  /** @throws TrainerError always: the base has to be resized before. */
  override resizeTokenEmbeddings(): never {
    throw new TrainerError('model', 'A model with an adapter cannot be resized.', {
      fix: 'Call resizeTokenEmbeddings() on the model that the adapter is made for, before getPeftModel().',
    })
  }

  get #shape(): AdapterShape {
    const otherNames = tiesOf(this).flatMap(({ own, shared }): [string, string][] => {
      if (!this.parameters.has(own)) return [[own, shared]]
      return this.parameters.has(shared) ? [] : [[shared, own]]
    })
    const layers = new Set(this.#placed.layers.keys())
    return { ...namedModel(this), layers, otherNames: new Map(otherNames) }
  }

  /** What is saved: the adapters, and what is or was trained beside. */
  #savedNames(): readonly string[] {
    const own = this.base.parameters
    return this.definition.parameters
      .filter(({ name, trainable }) => trainable || !own.has(name) || this.#placed.trained.has(name))
      .map(({ name }) => name)
  }
}

/** A model with what Python's names need. */
function namedModel({ definition, config }: PreTrainedModel<unknown>): { model: Model; prefix: string } {
  return { model: definition, prefix: architectureOf(config).prefix }
}

function sourceOf({ name, repository, revision }: PretrainedSource): ModelSource {
  return { nameOrPath: name, repository, revision }
}

/** What a model with an adapter is made of. */
interface PeftParts<Prediction> {
  readonly base: PreTrainedModel<Prediction>
  readonly lora: LoraConfig
  readonly seed?: number | undefined
  readonly from?: PretrainedSource
}

/** One that can be made: users get theirs by functions that check what they give. */
class NewPeftModel<Prediction> extends PeftModel<Prediction> {
  constructor({ base, lora, seed, from }: PeftParts<Prediction>) {
    super(base, lora, seed, from)
  }
}

/** A model with the adapter of a folder whose files are there. */
export async function withAdapter<Prediction>(
  base: PreTrainedModel<Prediction>,
  lora: LoraConfig,
  source: PretrainedSource,
): Promise<PeftModel<Prediction>> {
  const model = new NewPeftModel({ base, lora, from: source })
  const weights = await model.readWeights(source.folder)
  for (const [parameter, tensor] of weights) model.parameters.set(parameter, tensor)
  const missing = model.definition.parameters.filter(({ name, trainable }) => trainable && !weights.has(name))
  if (missing.length > 0)
    log('warning', `${source.name} lacks ${quoted(missing.map(({ name }) => name))}: the base's are taken.`)
  return model
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

/**
 * Adds low-rank adapters to a model: from then on only they and the head are trained.
 * @param options those of PEFT's LoraConfig; `seed` is what A is drawn from, 42 unless given.
 * @returns a model for the Trainer; `base` is the one that was given, which keeps its weights.
 *
 * @example
 * const model = getPeftModel(base, { r: 8, loraAlpha: 16, targetModules: ['query', 'value'] })
 * console.log(model.trainableParameters())
 * @throws TrainerError ('argument') for options that cannot be, and for names that no layer of the model has.
 */
export function getPeftModel<Prediction>(
  model: PreTrainedModel<Prediction>,
  options: LoraConfig & { readonly seed?: number | undefined } = {},
): PeftModel<Prediction> {
  if (model instanceof PeftModel)
    throw new TrainerError('argument', 'The model has an adapter already.', {
      fix: 'Merge it first: model.mergeAndUnload().',
    })
  const { seed, ...lora } = options
  return new NewPeftModel({ base: model, lora: withOwnHead(namedModel(model), lora), seed })
}
