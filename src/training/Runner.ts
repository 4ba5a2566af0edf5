import type { PreTrainedModel } from '../auto/PreTrainedModel'
import { createEngine, type Engine, type EngineOptions, type EngineValue, type Program } from '../engine/Engine'
import { createFusedEngine, type FusedEngine } from '../engine/fused/FusedEngine'
import { TrainerError } from '../errors'
import type { ProblemType } from '../models/config'
import { type Batch, packBatch, type PackedBatch } from '../models/packing'
import { encode } from '../onnx/encode'
import type { Graph } from '../onnx/types'
import type { Optimizer } from '../optim/Optimizer'
import { Tensor } from '../tensor'
import { createEvaluationGraph, createPredictionGraph, createTrainingGraph, type LossChoice, type TrainingGraph } from '../TrainingGraph'
import { countLabels, labelFeed, problemTypeOf, type RowName } from './labels'
import { MaskSource } from './MaskSource'
import type { ParameterState } from './ParameterState'
import { createSharedState } from './sharedState'

/** How a runner computes. */
export interface RunnerOptions {
  readonly model: PreTrainedModel
  readonly engine: EngineOptions
  /** The loss, but for its problem type, which the first labels decide. */
  readonly loss: Omit<LossChoice, 'problemType'>
}

/** What training needs beside. */
export interface TrainingOptions {
  readonly optimizer: Optimizer
  readonly weightDecay: (name: string) => number
  /** What dropout is drawn from. */
  readonly seed: number
}

/** A batch, ready to run. */
export interface PreparedBatch {
  readonly packed: PackedBatch
  readonly labels: Tensor | undefined
  /** Labels that count. */
  readonly count: number
}

/** Where a micro-batch stands: dropout is a function of it. */
export interface MicroBatch {
  /** The update, from 0. */
  readonly step: number
  readonly index: number
  /** Labels that count in the whole update. */
  readonly count: number
}

/** The sum of a batch's loss, and what it is to be divided by. */
export interface LossSum {
  readonly loss: number
  readonly count: number
}

/**
 * A model on an engine: runs batches forward, and forward and backward, and updates the parameters. Here values meet programs.
 */
export class Runner {
  readonly engine: Engine
  readonly fused: FusedEngine
  readonly #model: PreTrainedModel
  readonly #loss: Omit<LossChoice, 'problemType'>
  readonly #programs = new Map<string, Promise<Program>>()
  #training: { graph: TrainingGraph; state: ParameterState; masks: MaskSource } | undefined
  #options: TrainingOptions | undefined

  private constructor(engine: Engine, options: RunnerOptions) {
    this.engine = engine
    this.fused = createFusedEngine({ threads: engine.threads })
    this.#model = options.model
    this.#loss = options.loss
  }

  /** @throws TrainerError when the engine cannot be had. */
  static async create(options: RunnerOptions): Promise<Runner> {
    return new Runner(await createEngine(options.engine), options)
  }

  /**
   * Packs a batch and checks its labels.
   * @throws TrainerError naming the row for an id or a label that the model does not have.
   */
  prepare(batch: Batch, rowName: RowName): PreparedBatch {
    const packed = packBatch(batch, this.#model.family.packing(this.#model.config), rowName)
    const labels = batch.labels
    if (labels === undefined) return { packed, labels: undefined, count: 0 }
    return { packed, labels: labelFeed(labels, this.#problemType(labels), this.#model.config, rowName), count: countLabels(labels) }
  }

  /** What training updates; there is none before {@link beginTraining} and the first labels. */
  get state(): ParameterState {
    if (this.#training === undefined) throw new TrainerError('internal', 'internal: training has not begun.')
    return this.#training.state
  }

  /** Makes gradients and slots. The labels decide the problem type, if the config does not. */
  async beginTraining(options: TrainingOptions, labels: Tensor): Promise<void> {
    await this.endTraining()
    this.#options = options
    const graph = createTrainingGraph(this.#model.config, { ...this.#loss, problemType: this.#problemType(labels) }, true)
    const state = createSharedState({ model: this.#model, graph, ...options }, this.engine, this.fused)
    this.#training = { graph, state, masks: new MaskSource(graph.dropoutSites, this.fused) }
    this.#programs.set('training', this.#load('training', graph.training))
  }

  /** Forward and backward: adds the gradients of the loss's sum to the update's, and returns the sum. */
  async train(batch: PreparedBatch, place: MicroBatch): Promise<LossSum> {
    const { state, masks } = this.#training!
    const program = await this.#programs.get('training')!
    const dropout = await masks.draw(batch.packed, { seed: this.#options!.seed, step: place.step, microBatch: place.index })
    const outputs = await program.run(this.#feeds(program, batch, place.count, { ...state.parameters, ...dropout }), state.targets(place.index), { keep: state.keep })
    await state.collect(outputs, place.index)
    return this.#lossOf(outputs)
  }

  /** Forward without dropout: the loss's sum, if there are labels, and logits [rows, labels]. */
  async evaluate(batch: PreparedBatch): Promise<{ loss: LossSum | undefined; logits: Tensor<'float32'> }> {
    const program = batch.labels === undefined ? await this.#program('prediction', () => createPredictionGraph(this.#model.config)) : await this.#evaluation(batch.labels)
    const outputs = await program.run(this.#feeds(program, batch, batch.count, this.#parameters()))
    const logits = (await this.engine.download(outputs.logits!)) as Tensor<'float32'>
    return { loss: outputs.loss === undefined ? undefined : await this.#lossOf(outputs), logits }
  }

  /** Frees gradients and slots; the model keeps its weights. */
  async endTraining(): Promise<void> {
    await this.#training?.state.dispose()
    this.#training?.masks.dispose()
    this.#training = undefined
    const program = this.#programs.get('training')
    this.#programs.delete('training')
    ;(await program)?.dispose()
  }

  async dispose(): Promise<void> {
    await this.endTraining()
    await this.fused.dispose()
    this.engine.dispose()
  }

  #problemType(labels: Tensor): ProblemType {
    const problemType = problemTypeOf(this.#model.config, labels)
    if (this.#model.config.problem_type !== problemType) this.#model.config = { ...this.#model.config, problem_type: problemType }
    return problemType
  }

  #evaluation(labels: Tensor): Promise<Program> {
    return this.#program('evaluation', () => createEvaluationGraph(this.#model.config, { ...this.#loss, problemType: this.#problemType(labels) }))
  }

  #program(name: string, graph: () => Graph): Promise<Program> {
    const known = this.#programs.get(name) ?? this.#load(name, graph())
    this.#programs.set(name, known)
    return known
  }

  #load(name: string, graph: Graph): Promise<Program> {
    return this.engine.load(encode(graph).model, { name })
  }

  #parameters(): Readonly<Record<string, EngineValue>> {
    return this.#training?.state.parameters ?? Object.fromEntries(this.#model.parameters)
  }

  /** What a program asks for, out of what there is. */
  #feeds(program: Program, batch: PreparedBatch, count: number, values: Readonly<Record<string, EngineValue>>): Record<string, EngineValue> {
    const given: Record<string, EngineValue> = { ...values, ...batch.packed.feeds, num_items_in_batch: Tensor.from('float32', count) }
    if (batch.labels !== undefined) given.labels = batch.labels
    return Object.fromEntries(program.inputs.map(({ name }) => {
      const value = given[name]
      if (value === undefined) throw new TrainerError(name === 'labels' ? 'data' : 'internal', `The program needs "${name}", which the batch does not have.`)
      return [name, value]
    }))
  }

  async #lossOf(outputs: Readonly<Record<string, EngineValue>>): Promise<LossSum> {
    const [loss, count] = [await this.engine.download(outputs.loss!), await this.engine.download(outputs.count!)]
    return { loss: Number(loss.data[0]), count: Number(count.data[0]) }
  }
}
