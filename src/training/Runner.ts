import type { TrainableModel } from '../auto/TrainableModel'
import type { Engine, Program } from '../engine/Engine'
import { ProgramCache } from '../engine/ProgramCache'
import { TrainerError } from '../errors'
import type { FeedLayout, RowName } from '../feeds/FeedLayout'
import type { Predictions } from '../heads/Head'
import type { Model } from '../models/Model'
import { encode } from '../onnx/encode'
import type { Graph } from '../onnx/types'
import { copyInTurns } from '../parameters/copying'
import { createDeviceStore } from '../parameters/deviceStore'
import type { ParameterStore, StoreOptions } from '../parameters/ParameterStore'
import { createSharedStore } from '../parameters/sharedStore'
import { evaluationGraph } from '../programs/evaluation'
import { countedOf, type Objective } from '../programs/loss'
import { inPrecision } from '../programs/mixedPrecision'
import { lossScaleInput, trainingProgram } from '../programs/training'
import type { TrainingProgram } from '../programs/TrainingProgram'
import { type Batch, Tensor } from '../tensor'
import { nextTurn, takeTurns } from '../turns'
import { createEngines, type Engines, type EnginesOptions, type Use } from './engines'
import { inputsOf, type LabelledFeed } from './LabelledFeed'
import { checkCounted, lossOf, type LossSum } from './lossSums'
import { MaskSource } from './MaskSource'
import type { MicroBatch } from './MicroBatch'
import { type Profile, profiledStore, timed } from './profile'

/** How a runner computes. */
export interface RunnerSettings {
  readonly model: TrainableModel
  /** What the model is trained by; the loss of its head unless given. */
  readonly objective?: Objective
  /** Rows that most batches have; 8 unless given. */
  readonly batchSize?: number
  /** Computes layers again in the backward pass, in place of keeping what they computed. */
  readonly gradientCheckpointing?: boolean
  /** Takes note of where the time goes. */
  readonly profile?: Profile | undefined
}

/** How a runner computes, and on what. */
export interface RunnerOptions extends RunnerSettings, EnginesOptions {}

/** What training needs beside. */
export interface BeginOptions extends Pick<StoreOptions, 'optimizer' | 'weightDecay'> {
  /** What dropout is drawn from. */
  readonly seed: number
}

/** The training program for one variant of feeds. */
interface Variant {
  readonly definition: TrainingProgram
  readonly program: Promise<Program>
  readonly masks: MaskSource | undefined
}

interface Training {
  /** What is trained: what the model computed when training began, whatever is frozen or decided since. */
  readonly model: Model
  readonly options: BeginOptions
  readonly store: ParameterStore
  readonly trained: readonly string[]
  readonly variants: Map<string, Variant>
}

/**
 * A model on an engine: runs batches forward, and forward and backward, and updates the parameters. Here values meet
 * programs.
 */
export class Runner {
  readonly #engines: Engines
  readonly #model: TrainableModel
  readonly #objective: Objective
  readonly #batchSize: number
  /** How batches are fed, by what makes layouts: another function where the model has been resized. */
  #laidOut: (Readonly<Record<Use, FeedLayout>> & { readonly by: unknown }) | undefined
  readonly #checkpointing: boolean
  readonly #profile: Profile | undefined
  /** Programs that run the model forward, and what the model computed when they were made. */
  #forward: { readonly model: Model; readonly programs: ProgramCache } | undefined
  #training: Training | undefined

  /** On engines that are there, and are the runner's from now on. */
  constructor(engines: Engines, settings: RunnerSettings) {
    const { model, objective = {}, batchSize = 8, gradientCheckpointing = false, profile } = settings
    this.#engines = engines
    this.#model = model
    this.#objective = objective
    this.#batchSize = batchSize
    this.#checkpointing = gradientCheckpointing
    this.#profile = profile
  }

  /** @throws TrainerError when the engine cannot be had. */
  static async create(options: RunnerOptions): Promise<Runner> {
    const engines = await createEngines(options)
    await nextTurn()
    return new Runner(engines, options)
  }

  /**
   * A batch as the inputs of a program. Its labels must have decided the model's head.
   * @param lossOnly whether nothing is wanted of it but its loss, as in training; the head may judge fewer tokens then.
   * @throws TrainerError naming the row for an id or a label that the model does not have.
   */
  feed(batch: Batch, rowName: RowName, use: Use = 'training', lossOnly = use === 'training'): LabelledFeed {
    const { head, inputNames } = (use === 'training' ? this.#training?.model : undefined) ?? this.#model.definition
    const rows = head.rows?.(batch) ?? batch
    const main = inputNames[0]!
    const shape = batch[main]?.dims ?? []
    const together = (rows[main]?.dims[0] ?? 0) / (shape[0] ?? 1) // rows of tokens for each of the batch
    const feed = timed(this.#profile, 'pack', () =>
      this.#layouts[use].feed(rows, row => rowName(Math.floor(row / together))),
    )
    const labels = head.feed(batch, feed.places, rowName)
    const counted = lossOnly && labels !== undefined ? countedOf(head, this.#objective)?.feed(labels) : undefined
    return { ...feed, shape, labels: counted ?? labels, lossOnly }
  }

  /** Where the parameters are while training lasts. */
  get store(): ParameterStore {
    return this.#begun.store
  }

  /** The parameters that are trained. */
  get trained(): readonly string[] {
    return this.#begun.trained
  }

  /** Makes gradients and slots, and moves the parameters to where they are trained. */
  async beginTraining(options: BeginOptions): Promise<void> {
    await this.endTraining()
    await nextTurn()
    const variant = this.#layouts.training.usualVariant
    const model = this.#model.definition
    const definition = this.#define(model, variant)
    await nextTurn()
    const store = await this.#createStore({ ...options, weights: this.#model.parameters, ...definition })
    this.#training = { model, options, store, trained: [...definition.gradients.keys()], variants: new Map() }
    await this.synchronise()
    this.#addVariant(variant, definition)
  }

  /** Forward and backward: adds the gradients of the loss's sum to the update's, and returns the sum. */
  async train(feed: LabelledFeed, microBatch: MicroBatch): Promise<LossSum> {
    const { model, store, options, variants } = this.#begun
    if (model.layout !== this.#model.definition.layout) {
      throw new TrainerError('argument', 'The model was resized in the middle of its training.', {
        fix: 'Call resizeTokenEmbeddings() before train().',
      })
    }
    const variant = variants.get(feed.variant) ?? this.#addVariant(feed.variant, this.#define(model, feed.variant))
    const program = await variant.program
    const key = { seed: options.seed, step: microBatch.step }
    const masks = await timed(this.#profile, 'masks', () => variant.masks?.draw(feed, microBatch.numbers, key))
    const { into, keep } = store.targets(feed, microBatch.index)
    const scale = { [lossScaleInput]: Tensor.from('float32', microBatch.lossScale ?? 1) }
    const inputs = inputsOf(program, feed, microBatch, { ...store.inputs, ...masks, ...scale })
    const outputs = await program.run(inputs, into, { keep })
    await store.add(outputs, microBatch.index)
    const loss = lossOf(outputs, variant.definition.loss)
    checkCounted(loss, feed.labels, model.name)
    return loss
  }

  /**
   * Forward without dropout: the loss's sum, if there are labels, and the predictions, which stay on the device until
   * they are asked for; none of a feed whose loss alone is wanted.
   */
  async forward(feed: LabelledFeed): Promise<{ loss: LossSum | undefined; predictions: () => Promise<Predictions> }> {
    const { definition } = this.#model
    const objective = feed.labels === undefined ? undefined : this.#objective
    const name = objective === undefined ? 'prediction' : feed.lossOnly ? 'loss' : 'evaluation'
    const { evaluation, reduced } = this.#engines
    const program = await this.#forwardProgram(definition, `${name}/${feed.variant}`, () => {
      const graph = evaluationGraph(definition, this.#layouts.evaluation, feed.variant, objective, feed.lossOnly)
      return inPrecision(graph, reduced.evaluation, !evaluation.resident)
    })
    const training = this.#training?.model.layout === definition.layout ? this.#training : undefined // not resized
    const parameters = training?.store.inputs ?? Object.fromEntries(this.#model.parameters)
    const inputs = inputsOf(program, feed, feed.labels ?? { count: 0 }, parameters)
    const names = (definition.head.outputNames ?? ['logits']).filter(output => program.outputs.includes(output))
    const outputs = await program.run(inputs, {}, { keep: names })
    const predictions = async (): Promise<Predictions> => {
      const found: Record<string, Tensor> = {}
      for (const output of names) found[output] = await this.#engines.evaluation.download(outputs[output]!)
      return definition.head.predictions(found, feed.places, feed.shape)
    }
    const loss = outputs.loss && lossOf(outputs, { sum: 'loss', count: 'count' })
    if (loss !== undefined) checkCounted(loss, feed.labels, definition.name)
    return { loss, predictions }
  }

  /** Brings the model's tensors up to date; before training they are. */
  async synchronise(): Promise<void> {
    if (this.#training === undefined) return
    for await (const [name, tensor] of this.#training.store.read('parameters')) this.#keep(name, tensor)
  }

  /** Takes new weights; names that are not given stay as they are. */
  async loadParameters(weights: ReadonlyMap<string, Tensor<'float32'>>): Promise<void> {
    if (this.#training !== undefined) {
      await this.#training.store.write('parameters', weights)
      return this.synchronise()
    }
    const turns = takeTurns()
    for (const [name, { data }] of weights) await copyInTurns(this.#model.parameter(name).data, data, turns)
  }

  /** Frees gradients and slots; the model keeps its weights, in memory of its own. */
  async endTraining(): Promise<void> {
    const training = this.#training
    if (training === undefined) return
    const turns = takeTurns()
    for await (const [name, { data, dims }] of training.store.read('parameters')) {
      const own = new Float32Array(data.length)
      await copyInTurns(own, data as Float32Array, turns)
      this.#keep(name, new Tensor('float32', own, dims))
    }
    this.#training = undefined
    await training.store.dispose()
    for (const { program, masks } of training.variants.values()) {
      masks?.dispose()
      ;(await program.catch(() => undefined))?.dispose()
    }
  }

  async dispose(): Promise<void> {
    await this.endTraining()
    await this.#engines.dispose()
  }

  /** Gives the model a weight back, unless that has been resized since. */
  #keep(name: string, tensor: Tensor): void {
    if (this.#model.parameter(name).dims[0] !== tensor.dims[0]) return
    this.#model.parameters.set(name, tensor as Tensor<'float32'>)
  }

  get #layouts(): Readonly<Record<Use, FeedLayout>> {
    const { definition } = this.#model
    if (this.#laidOut?.by !== definition.layout) {
      const layout = ({ preparesShapes }: Engine): FeedLayout =>
        definition.layout({ rows: this.#batchSize, fewShapes: preparesShapes })
      const { training, evaluation } = this.#engines
      this.#laidOut = { by: definition.layout, training: layout(training), evaluation: layout(evaluation) }
    }
    return this.#laidOut
  }

  get #begun(): Training {
    if (this.#training === undefined) throw new TrainerError('internal', 'internal: training has not begun.')
    return this.#training
  }

  async #createStore(options: StoreOptions): Promise<ParameterStore> {
    const { float32, training } = this.#engines
    const store = training.resident
      ? await createDeviceStore(options, training)
      : await createSharedStore(options, float32, this.#engines.workers())
    return this.#profile === undefined ? store : profiledStore(store, this.#profile)
  }

  #define(model: Model, variant: string): TrainingProgram {
    return trainingProgram(model, this.#layouts.training, variant, this.#objective, {
      checkpointing: this.#checkpointing,
      onProcessor: !this.#engines.training.resident,
      byteMasks: this.#engines.training.resident,
      precision: this.#engines.reduced.training,
    })
  }

  #addVariant(name: string, definition: TrainingProgram): Variant {
    const program = this.#engines.training.load(encode(definition.graph).model, { name: `training/${name}` })
    program.catch(() => undefined) // thrown where a batch is run by it
    const masks =
      definition.dropout.length === 0 ? undefined : new MaskSource(definition.dropout, this.#engines.workers())
    const variant = { definition, program, masks }
    this.#begun.variants.set(name, variant)
    return variant
  }

  async #forwardProgram(model: Model, name: string, graph: () => Graph): Promise<Program> {
    if (this.#forward?.model !== model) {
      const before = this.#forward?.programs
      this.#forward = { model, programs: new ProgramCache(this.#engines.evaluation) }
      await before?.dispose()
    }
    return this.#forward.programs.get(name, graph)
  }
}
