import { adapterConfigJson, readAdapterConfig } from '../adapters/adapterConfig'
import { type AdapterShape, readAdapter, storedNames } from '../adapters/adapterWeights'
import { type LoraConfig, peftNames } from '../adapters/LoraConfig'
import { moduleName } from '../adapters/moduleNames'
import { lowRanks, type PlacedAdapter, placeAdapter, withOwnParts } from '../adapters/placement'
import { checkSameAdapter, type ResumedAdapter } from '../adapters/sameAdapter'
import { wholeModules } from '../adapters/wholeModules'
import { quoted, TrainerError } from '../errors'
import { adapterConfigName, loadAdapterWeights } from '../files/weights'
import { log } from '../logging'
import { initialValues } from '../models/initialize'
import { lowRankNames, withLowRank } from '../models/lora'
import type { ParameterPatterns } from '../models/freeze'
import type { Model } from '../models/Model'
import { architectureOf } from '../models/registry'
import { checkOptions, refuseArguments, shown } from '../options'
import { Tensor } from '../tensor'
import { mergedWeight } from './mergedWeight'
import { PreTrainedModel } from './PreTrainedModel'
import type { SavedWeights } from './saveModel'
import { openSource, type PretrainedSource, type SourceOptions, sourceOptionNames } from './sources'
import { lackingIn, sharedIn, tiesOf, withSavedTablesApart } from './tablesApart'
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
  /** Parameters of the base that were unfrozen beside the adapter. */
  readonly #unfrozen = new Set<string>()
  /** Those whose values the base's folder does not have: an adapter's had them, or nothing. */
  readonly #kept: Set<string>

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
    this.#kept = new Set(lackingIn(base))
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
    checkBase(base, 'PeftModel.fromPretrained()')
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

  /**
   * Trains parameters of the base too, or again: from then on they are the adapter's own, and saved with it.
   * @throws TrainerError ('argument') for a pattern that no parameter has.
   */
  override unfreeze(pattern: ParameterPatterns): void {
    super.unfreeze(pattern)
    for (const { name, trainable } of this.definition.parameters) {
      if (!trainable || this.#placed.trained.has(name) || this.#unfrozen.has(name)) continue
      const own = this.base.parameters.get(name)
      if (own === undefined) continue
      this.#unfrozen.add(name)
      const tensor = this.parameter(name)
      if (tensor === own) this.parameters.set(name, new Tensor('float32', own.data.slice(), own.dims))
    }
  }

  /** What a folder has of it, under PEFT's names. */
  override get saved(): Required<SavedWeights> {
    const shape = this.#shape
    const { taskType, layers } = this.#placed
    const targetModules = this.#placed.targetModules ?? [...layers.keys()].map(name => moduleName(name, shape))
    const { repository, nameOrPath, revision } = this.base
    const base = { name: repository ?? nameOrPath, revision }
    const modulesToSave = [...this.#placed.modulesToSave, ...this.#trainedModules()]
    const stored = storedNames(this.#savedNames(), modulesToSave, shape)
    const weights = stored.map(([inFile, name]) => [inFile, this.parameter(name)] as const)
    const adapter = adapterConfigJson({ ...this.#lora, modulesToSave, targetModules }, base, taskType)
    return { adapter, weights: new Map(weights) }
  }

  /**
   * The weights of a checkpoint of this adapter.
   * @throws TrainerError ('model') for another adapter's, ('argument') where it was trained otherwise.
   */
  override async readWeights(folder: string): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
    const weights = await this.#read(folder)
    const { lora } = await readAdapterConfig(folder)
    const resumed = (config: LoraConfig, names: readonly string[]): ResumedAdapter => {
      const source = { where: `${folder}/${adapterConfigName}`, isFile: true }
      const added = lowRanks([...this.#placed.layers.keys()], namedModel(this.base), config, source)
      return { names, lora: config, scales: new Map([...added].map(([layer, { scale }]) => [layer, scale])) }
    }
    checkSameAdapter(folder, resumed(lora, [...weights.keys()]), resumed(this.#lora, this.#savedNames()))
    return weights
  }

  /** Takes over what an adapter's folder has; what it lacks stays as the base has it. */
  protected async takeOver(folder: string): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
    const weights = await this.#read(folder)
    for (const [name, tensor] of weights) {
      this.parameters.set(name, tensor)
      if (this.base.parameters.has(name)) this.#kept.add(name)
    }
    return weights
  }

  async #read(folder: string): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
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

  /** What is saved: the adapters, and whatever the base's folder does not have as it is here. */
  #savedNames(): readonly string[] {
    const own = this.base.parameters
    const { trained } = this.#placed
    return this.definition.parameters
      .map(({ name }) => name)
      .filter(name => !own.has(name) || trained.has(name) || this.#unfrozen.has(name) || this.#kept.has(name))
  }

  /** The modules that were unfrozen whole: PEFT opens single parameters too, but would neither train nor save them. */
  #trainedModules(): readonly string[] {
    const kept = new Set([...this.#placed.trained, ...this.#kept])
    const layers = new Set(this.#placed.layers.keys())
    return wholeModules(namedModel(this.base), [...this.#unfrozen], { kept, layers, shared: sharedIn(this.base) })
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

  override takeOver(folder: string): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
    return super.takeOver(folder)
  }
}

/** A model with the adapter of a folder whose files are there. */
export async function withAdapter<Prediction>(
  base: PreTrainedModel<Prediction>,
  lora: LoraConfig,
  source: PretrainedSource,
): Promise<PeftModel<Prediction>> {
  const model = new NewPeftModel({ base, lora, from: source })
  const weights = await model.takeOver(source.folder)
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
  checkBase(model, 'getPeftModel()')
  checkOptions(options, [...Object.keys(peftNames), 'seed'], 'getPeftModel()')
  const { seed, ...lora } = options
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw new TrainerError('argument', `getPeftModel(): seed is ${shown(seed)}; a whole number was expected.`)
  const parts = { lacking: model.newlyInitialized, shared: sharedIn(model) }
  return new NewPeftModel({ base: model, lora: withOwnParts(namedModel(model), lora, parts), seed })
}

/** @throws TrainerError ('argument') for what is no transformer, or has an adapter. */
function checkBase(model: unknown, where: string): void {
  if (model instanceof PeftModel)
    throw new TrainerError('argument', `${where}: the model has an adapter already.`, {
      fix: 'Merge it first, model.mergeAndUnload(), or give the model without it: model.base.',
    })
  if (model instanceof PreTrainedModel) return
  throw new TrainerError('argument', `${where} takes a transformer first, not ${shown(model)}.`, {
    fix: 'Load it: await AutoModelForSequenceClassification.fromPretrained(folder), or another AutoModelFor….',
  })
}
