import type { TrainableModel } from '../auto/TrainableModel'
import type { Engine, Program } from '../engine/Engine'
import { ProgramCache } from '../engine/ProgramCache'
import { TrainerError } from '../errors'
import type { FeedLayout, RowName } from '../feeds/FeedLayout'
import type { Predictions } from '../heads/Head'
import type { Model } from '../models/Model'
import type { Graph } from '../onnx/types'
import { copyInTurns } from '../parameters/copying'
import type { ParameterStore } from '../parameters/ParameterStore'
import { evaluationGraph } from '../programs/evaluation'
import { countedOf, type Objective } from '../programs/loss'
import { forEngine } from '../programs/forDevice'
import { trainingProgram } from '../programs/training'
import type { TrainingProgram } from '../programs/TrainingProgram'
import { type Batch, Tensor } from '../tensor'
import { nextTurn, takeTurns } from '../turns'
import { createEngines, type Engines, type Use } from './engines'
import { explaining } from './failedRun'
import { inputsOf, type LabelledFeed } from './LabelledFeed'
import { checkCounted, lossOf, type LossSum } from './lossSums'
import { memoryReport, type MemoryReport, type Planned } from './memoryReport'
import { type Profile, timed } from './profile'
import type { RunnerOptions, RunnerSettings } from './runnerOptions'
import { type BeginOptions, Training } from './Training'

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
    const labels = head.feed(batch, feed.places, rowName, feed.lengths)
    const counted = lossOnly && labels !== undefined ? countedOf(head, this.#objective)?.feed(labels) : undefined
    return { ...feed, shape, labels: counted ?? labels, lossOnly, rowName }
  }

  /** What training on such feeds takes in memory, the first ones of a run. */
  memoryOf(feeds: readonly LabelledFeed[], planned: Pick<Planned, 'accumulates' | 'optimizer'>): MemoryReport {
    const programOf = (variant: string): TrainingProgram =>
      this.#define(this.#model.definition, this.#layouts.training, variant)
    const { resident } = this.#engines.training
    return memoryReport(feeds, { ...planned, programOf, resident, weights: this.#model.parameters })
  }

  /** The engine that trains. */
  get engine(): Pick<Engine, 'provider' | 'version' | 'library'> {
    const { provider, version, library } = this.#engines.training
    return { provider, version, library }
  }

  /** What trains the model while training lasts. */
  get training(): Training {
    if (this.#training === undefined) throw new TrainerError('internal', 'internal: training has not begun.')
    return this.#training
  }

  /** Where the parameters are while training lasts. */
  get store(): ParameterStore {
    return this.training.store
  }

  /** The parameters that are trained. */
  get trained(): readonly string[] {
    return this.training.trained
  }

  /** Makes gradients and slots, and moves the parameters to where they are trained. */
  async beginTraining(options: BeginOptions): Promise<void> {
    await this.endTraining()
    await nextTurn()
    const model = this.#model.definition
    const layout = this.#layouts.training
    this.#training = await Training.begin({
      ...options,
      engines: this.#engines,
      model,
      weights: this.#model.parameters,
      usualVariant: layout.usualVariant,
      define: variant => this.#define(model, layout, variant),
      isModelResized: () => this.#model.definition.layout !== model.layout,
      profile: this.#profile,
    })
    await this.synchronise()
  }

  /**
   * Forward without dropout: the loss's sum, if there are labels, and the predictions, which stay on the device until
   * they are asked for; none of a feed whose loss alone is wanted.
   */
  async forward(feed: LabelledFeed): Promise<{ loss: LossSum | undefined; predictions: () => Promise<Predictions> }> {
    const { definition } = this.#model
    const objective = feed.labels && this.#objective
    const name = objective === undefined ? 'prediction' : feed.lossOnly ? 'loss' : 'evaluation'
    const { evaluation, reduced } = this.#engines
    const program = await this.#forwardProgram(definition, `${name}/${feed.variant}`, () => {
      const graph = evaluationGraph(definition, this.#layouts.evaluation, feed.variant, objective, feed.lossOnly)
      return forEngine(graph, reduced.evaluation, evaluation.resident)
    })
    const training = this.#training?.model.layout === definition.layout ? this.#training : undefined // not resized
    const parameters = training?.store.inputs ?? Object.fromEntries(this.#model.parameters)
    const inputs = inputsOf(program, feed, feed.labels ?? { count: 0 }, parameters)
    const names = (definition.head.outputNames ?? ['logits']).filter(output => program.outputs.includes(output))
    const outputs = await explaining(definition, feed, () => program.run(inputs, {}, { keep: names }))
    const predictions = async (): Promise<Predictions> => {
      const found: Record<string, Tensor> = {}
      for (const output of names) found[output] = await this.#engines.evaluation.download(outputs[output]!)
      return definition.head.predictions(found, feed.places, feed.shape)
    }
    const loss = outputs.loss && lossOf(outputs, { sum: 'loss', count: 'count' })
    if (loss !== undefined) checkCounted(loss.count, feed.labels, definition.name)
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

  /** Frees gradients and slots; the model keeps its weights, in memory of its own, unless they are not wanted. */
  async endTraining(keeping = true): Promise<void> {
    const training = this.#training
    if (training === undefined) return
    const turns = takeTurns()
    for await (const [name, { data, dims }] of keeping ? training.store.read('parameters') : []) {
      const own = new Float32Array(data.length)
      await copyInTurns(own, data as Float32Array, turns)
      this.#keep(name, new Tensor('float32', own, dims))
    }
    this.#training = undefined
    await training.dispose()
  }

  async dispose(keeping = true): Promise<void> {
    await this.endTraining(keeping)
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

  #define(model: Model, layout: FeedLayout, variant: string): TrainingProgram {
    return trainingProgram(model, layout, variant, this.#objective, {
      checkpointing: this.#checkpointing,
      onProcessor: !this.#engines.training.resident,
      onDevice: this.#engines.training.resident,
      precision: this.#engines.reduced.training,
    })
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
