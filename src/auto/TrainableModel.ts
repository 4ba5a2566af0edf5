import { loadPretrained } from '../checkpoint/pretrained'
import { nearest, TrainerError } from '../errors'
import { refuseArguments, withDefaults } from '../options'
import { type ParameterPatterns, withTrainable } from '../models/freeze'
import type { Head } from '../heads/Head'
import { pushSaved } from '../hub/push'
import type { PushedCommit, PushToHubOptions } from '../hub/pushOptions'
import type { Model } from '../models/Model'
import type { OptimizerMemory, UpdateRule } from '../optim/UpdateRule'
import { type Batch, sizeOf, type Tensor } from '../tensor'
import { type SavedWeights, saveModelFolder } from './saveModel'

/** What a model's head predicts for a dataset: one tensor, unless its type says that there are several. */
export type PredictionOf<Model> =
  Model extends TrainableModel<infer Prediction> ? (unknown extends Prediction ? Tensor : Prediction) : Tensor

/** Where a model was loaded from; nothing of one that started at random. */
export interface ModelSource {
  readonly nameOrPath?: string | undefined
  readonly repository?: string | undefined
  readonly revision?: string | undefined
}

/**
 * A model with its weights: what a Trainer trains.
 *
 * `Prediction` is what its head predicts for a dataset: a Tensor, or several.
 */
export class TrainableModel<Prediction = unknown> {
  /** Never there: it carries the type. */
  declare protected readonly prediction?: Prediction
  /** Where it was loaded from; undefined for a model that started at random. */
  readonly nameOrPath: string | undefined
  /** The id on the Hub that it was loaded by; undefined for what lay on this machine, or started at random. */
  readonly repository: string | undefined
  /** The branch, tag or commit of the repository that was asked for; undefined for that which counts without asking. */
  readonly revision: string | undefined
  /** The weights. A trainer moves them to where it trains: read them here again after an update. */
  readonly parameters: Map<string, Tensor<'float32'>>
  #definition: Model

  constructor(definition: Model, parameters: Map<string, Tensor<'float32'>>, source: ModelSource = {}) {
    this.#definition = definition
    this.parameters = parameters
    this.nameOrPath = source.nameOrPath
    this.repository = source.repository
    this.revision = source.revision
  }

  /** What the model computes. */
  get definition(): Model {
    return this.#definition
  }

  /** Lets the model compute something else; its weights are to fit. */
  protected redefine(definition: Model): void {
    this.#definition = definition
  }

  /** The columns that the model takes beside labels. */
  get inputNames(): readonly string[] {
    return this.#definition.inputNames
  }

  /** The names of the classes, in the order of their numbers; undefined where they are only numbered. */
  get classNames(): readonly string[] | undefined {
    return undefined
  }

  /** The update rule that it comes with; undefined where the training arguments decide. */
  get updateRule(): UpdateRule | undefined {
    return undefined
  }

  /** Where it keeps an optimizer's state between runs; undefined where every run begins anew. */
  get optimizerMemory(): OptimizerMemory | undefined {
    return undefined
  }

  /** @throws TrainerError ('model') where weights are missing, so that nothing can be computed. */
  checkWeights(): void {
    // those of most models are there from the beginning
  }

  /** The number of weights, or of those that are trained; statistics are not counted. */
  numParameters(options: { readonly onlyTrainable?: boolean } = {}): number {
    const { onlyTrainable } = withDefaults(options, { onlyTrainable: false }, 'numParameters()')
    return this.#definition.parameters
      .filter(({ trainable, isStatistic = false }) => !isStatistic && (trainable || !onlyTrainable))
      .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }

  /** Weights outside of embedding tables: those that take part in products for every token. */
  countedParameters(): number {
    return this.#definition.parameters
      .filter(({ isTable = false, isStatistic = false }) => !isTable && !isStatistic)
      .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }

  /** A weight. @throws TrainerError ('model') for a name that the model does not have. */
  parameter(name: string): Tensor<'float32'> {
    const tensor = this.parameters.get(name)
    if (tensor !== undefined) return tensor
    const close = nearest(name, this.parameters.keys())
    throw new TrainerError('model', `${this.#definition.name} has no parameter "${name}".`, {
      fix: close === undefined ? 'The keys of `parameters` are the names.' : `Did you mean "${close}"?`,
    })
  }

  /** What was loaded before it was trained: itself, unless it was made of another. */
  get origin(): Pick<TrainableModel, 'nameOrPath' | 'repository'> {
    return this
  }

  /** What a folder has of it. */
  get saved(): SavedWeights {
    return { weights: this.parameters }
  }

  /** The weights of a folder that it was saved in. @throws TrainerError ('model') for those of another model. */
  async readWeights(folder: string): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
    const expected = this.#definition.parameters.map(({ name, shape }) => ({ name, dims: shape }))
    return (await loadPretrained(folder, expected)).weights
  }

  /**
   * Leaves parameters as they are from the next `train()` on: they have no gradient, and the optimizer keeps nothing
   * for them.
   * @param pattern a regular expression that is tested on names, or a name, or the beginning of names up to a dot; or
   * several of these.
   *
   * @example
   * model.freeze('bert.embeddings')
   * model.freeze(/encoder\.layer\.[0-3]\./)
   * @throws TrainerError ('argument') for a pattern that no parameter has.
   */
  freeze(pattern: ParameterPatterns): void {
    this.#definition = withTrainable(this.#definition, pattern, false)
  }

  /**
   * Trains parameters again that were frozen. @throws TrainerError ('argument') for a pattern that no parameter has.
   */
  unfreeze(pattern: ParameterPatterns): void {
    this.#definition = withTrainable(this.#definition, pattern, true)
  }

  /** Lets a batch's labels decide what is still open in the head: Python does so in the first forward pass. */
  decideHead(batch: Batch): void {
    this.useHead(this.#definition.head.decided(batch))
  }

  /**
   * Gives the model another head, which says otherwise what its outputs mean.
   * @throws TrainerError ('argument') for a head of other outputs: those are the model's.
   */
  useHead(head: Head): void {
    const { head: own, name } = this.#definition
    if (head === own) return
    for (const property of ['task', 'reads', 'width', 'outputNames'] as const) {
      if (String(head[property]) === String(own[property])) continue
      const found = `the head that was given has the ${property} ${head[property]}, but the model's ${own[property]}`
      throw new TrainerError('argument', `${name} computes other outputs: ${found}.`, {
        fix: 'Make or load a model with such a head.',
      })
    }
    this.#definition = { ...this.#definition, head }
  }

  /**
   * Saves weights and config for Python's `from_pretrained`, and an ONNX file for transformers.js. The tokenizer saves
   * itself; `trainer.saveModel()` saves both.
   * @throws TrainerError ('file') when the folder cannot be written; an existing one stays as it was.
   */
  async savePretrained(folder: string, ...extra: readonly never[]): Promise<void> {
    refuseArguments(extra, 'savePretrained(), beside the folder,')
    await saveModelFolder(folder, { model: this })
  }

  /**
   * Pushes what {@link savePretrained} saves to the Hub, into a repository that is made unless it is there.
   * `trainer.pushToHub()` pushes the tokenizer and a model card too.
   * @param id ORGANIZATION/NAME, or NAME in the namespace of the token.
   * @param options by default the message is 'Upload' and the name of the model's class.
   * @returns the commit.
   * @throws TrainerError ('hub') without a token that may write there, and for what the Hub refuses.
   *
   * @example
   * await model.pushToHub('my-model', { private: true }) // after npx ts-trainer login
   */
  async pushToHub(id: string, options: PushToHubOptions = {}, ...extra: readonly never[]): Promise<PushedCommit> {
    refuseArguments(extra, 'pushToHub(), beside the name and its options,')
    const { name } = this.#definition
    const message = `Upload ${name.includes('Model') ? 'model' : name}` // Python's rule
    const save = (folder: string): Promise<void> => saveModelFolder(folder, { model: this })
    return pushSaved(id, { where: 'model.pushToHub()', message, save }, options)
  }
}
