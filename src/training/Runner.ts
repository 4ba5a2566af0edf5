import type { PreTrainedModel } from '../auto/PreTrainedModel'
import type { Engine, EngineValue, Program } from '../engine/Engine'
import { createFusedEngine, type FusedEngine } from '../engine/fused/FusedEngine'
import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import type { ProblemType } from '../models/config'
import { type Batch, packBatch, type PackedBatch } from '../models/packing'
import { encode } from '../onnx/encode'
import type { Graph } from '../onnx/types'
import type { Optimizer } from '../optim/Optimizer'
import { Tensor } from '../tensor'
import {
  createEvaluationGraph,
  createPredictionGraph,
  createTrainingGraph,
  type LossChoice,
  type TrainingGraph,
} from '../TrainingGraph'
import { createEngines, type Engines, type EnginesOptions, type Use } from './engines'
import { countLabels, labelFeed, problemTypeOf, type RowName } from './labels'
import { MaskSource } from './MaskSource'
import type { ParameterState } from './ParameterState'
import { type Profile, profiledState, timed } from './profile'
import { inOrder, outOfOrder } from './rowOrder'
import { createSharedState } from './sharedState'
import { copyInTurns, nextTurn, takeTurns } from '../turns'

type LossOptions = Omit<LossChoice, 'problemType'> & { readonly problemType?: ProblemType }

/** How a runner computes. */
export interface RunnerOptions extends EnginesOptions {
  readonly model: PreTrainedModel
  /** The loss; its problem type is decided by the first labels, unless it is given. */
  readonly loss: LossOptions
  /** Rows that most batches have; 8 unless given. */
  readonly batchSize?: number
  /** Computes layers again in the backward pass, in place of keeping what they computed. */
  readonly gradientCheckpointing?: boolean
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
  /** Rows of the batch. */
  readonly rows: number
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

/** Of where shapes cost time and memory: few are left of those that batches have. */
const roundedShapes = { tokens: 64, length: 16 }

/** The training program for batches of a certain number of groups. */
interface Variant {
  readonly program: Promise<Program>
  readonly masks: MaskSource
}

/**
 * A model on an engine: runs batches forward, and forward and backward, and updates the parameters. Here values meet
 * programs.
 */
export class Runner {
  /** Where everything runs that is not computed in bfloat16. */
  readonly engine: Engine
  readonly fused: FusedEngine
  readonly #engines: Engines
  readonly #model: PreTrainedModel
  readonly #loss: LossOptions
  readonly #groups: number
  readonly #checkpointing: boolean
  readonly #profile: Profile | undefined
  readonly #programs = new Map<string, Promise<Program>>()
  #training:
    | {
        readonly state: ParameterState
        readonly options: TrainingOptions
        readonly loss: LossChoice
        readonly variants: Map<number, Variant>
      }
    | undefined

  private constructor(engines: Engines, options: RunnerOptions) {
    this.engine = engines.float32
    this.#engines = engines
    this.fused = createFusedEngine({ threads: this.engine.threads })
    this.#model = options.model
    this.#loss = options.loss
    this.#groups = attentionGroups(options.batchSize ?? 8)
    this.#checkpointing = options.gradientCheckpointing ?? false
    this.#profile = options.profile
  }

  /** @throws TrainerError when the engine cannot be had. */
  static async create(options: RunnerOptions): Promise<Runner> {
    const engines = await createEngines(options)
    await nextTurn()
    return new Runner(engines, options)
  }

  /**
   * Packs a batch and checks its labels.
   * @throws TrainerError naming the row for an id or a label that the model does not have.
   */
  prepare(batch: Batch, rowName: RowName, use: Use = 'training'): PreparedBatch {
    const rows = batch.input_ids?.dims[0] ?? 0
    const rules = this.#model.family.packing(this.#model.config)
    const groups = rows < this.#groups ? 1 : this.#groups
    const round = this.#engines[use].preparesShapes ? roundedShapes : undefined
    const packed = timed(this.#profile, 'pack', () => packBatch(batch, rules, { rowName, groups, round }))
    const labels = batch.labels
    if (labels === undefined) return { packed, labels: undefined, count: 0, rows }
    if (labels.dims[0] !== rows) {
      throw new TrainerError(
        'data',
        `The batch has ${rows} rows, but its labels have the shape [${labels.dims.join(', ')}].`,
        {
          fix: 'Check the collator: labels need one entry a row.',
        },
      )
    }
    const feed = labelFeed(labels, this.#problemType(labels), this.#model.config, rowName)
    return { packed, labels: inOrder(feed, packed.order), count: countLabels(labels), rows }
  }

  /** What training updates; there is none before {@link beginTraining} and the first labels. */
  get state(): ParameterState {
    if (this.#training === undefined) throw new TrainerError('internal', 'internal: training has not begun.')
    return this.#training.state
  }

  /** Makes gradients and slots. The labels decide the problem type, if the config does not. */
  async beginTraining(options: TrainingOptions, labels: Tensor): Promise<void> {
    await this.endTraining()
    const loss = { ...this.#loss, problemType: this.#problemType(labels) }
    await nextTurn()
    const groups = this.#engines.training.preparesShapes ? 1 : this.#groups
    const graph = this.#trainingGraph(loss, groups)
    await nextTurn()
    const state = await createSharedState({ model: this.#model, graph, ...options }, this.engine, this.fused)
    this.#training = {
      state: this.#profile === undefined ? state : profiledState(state, this.#profile),
      options,
      loss,
      variants: new Map(),
    }
    this.#addVariant(groups, graph)
  }

  /** Forward and backward: adds the gradients of the loss's sum to the update's, and returns the sum. */
  async train(batch: PreparedBatch, place: MicroBatch): Promise<LossSum> {
    const { state, options, loss } = this.#training!
    const groups = batch.packed.groups.length
    const { program, masks } =
      this.#training!.variants.get(groups) ?? this.#addVariant(groups, this.#trainingGraph(loss, groups))
    const key = { seed: options.seed, step: place.step, microBatch: place.index }
    const [loaded, dropout] = [await program, await timed(this.#profile, 'masks', () => masks.draw(batch.packed, key))]
    const feeds = this.#feeds(loaded, batch, place.count, { ...state.parameters, ...dropout })
    const outputs = await loaded.run(feeds, state.targets(place.index, batch.packed.tokens), { keep: state.keep })
    await state.collect(outputs, place.index)
    return this.#lossOf(outputs, 'training')
  }

  /** Forward without dropout: the loss's sum, if there are labels, and logits [rows, labels]. */
  async evaluate(batch: PreparedBatch): Promise<{ loss: LossSum | undefined; logits: Tensor<'float32'> }> {
    const { loss, logits } = await this.forward(batch)
    return { loss, logits: await logits() }
  }

  /** The same, but the logits stay on the device until they are asked for. */
  async forward(
    batch: PreparedBatch,
  ): Promise<{ loss: LossSum | undefined; logits: () => Promise<Tensor<'float32'>> }> {
    const {
      groups: { length: groups },
      order,
    } = batch.packed
    const program = await (batch.labels === undefined
      ? this.#program(`prediction/${groups}`, () => createPredictionGraph(this.#model.config, groups))
      : this.#program(`evaluation/${groups}`, () =>
          createEvaluationGraph(
            this.#model.config,
            { ...this.#loss, problemType: this.#problemType(batch.labels!) },
            groups,
          ),
        ))
    const outputs = await program.run(
      this.#feeds(program, batch, batch.count, this.#parameters()),
      {},
      { keep: ['logits'] },
    )
    const loss = outputs.loss === undefined ? undefined : await this.#lossOf(outputs, 'evaluation')
    return {
      loss,
      logits: async () =>
        outOfOrder((await this.#engines.evaluation.download(outputs.logits!)) as Tensor<'float32'>, order),
    }
  }

  /**
   * Brings the model's tensors up to date, where training keeps copies of them; before the first update there are none.
   */
  async synchronise(): Promise<void> {
    await this.#training?.state.synchronise()
  }

  /** Takes new weights; names that are not given stay as they are. */
  async loadParameters(weights: ReadonlyMap<string, Tensor<'float32'>>): Promise<void> {
    if (this.#training !== undefined) return this.#training.state.loadParameters(weights)
    const turns = takeTurns()
    for (const [name, { data }] of weights) await copyInTurns(this.#model.parameter(name).data, data, turns)
  }

  /** Frees gradients and slots; the model keeps its weights. */
  async endTraining(): Promise<void> {
    const training = this.#training
    this.#training = undefined
    await training?.state.dispose()
    for (const { program, masks } of training?.variants.values() ?? []) {
      masks.dispose()
      ;(await program.catch(() => undefined))?.dispose()
    }
  }

  async dispose(): Promise<void> {
    await this.endTraining()
    await this.fused.dispose()
    for (const engine of new Set(Object.values(this.#engines))) engine.dispose()
  }

  #problemType(labels: Tensor): ProblemType {
    const problemType = this.#loss.problemType ?? problemTypeOf(this.#model.config, labels)
    if (problemType !== 'single_label_classification') this.#checkLossOptions(problemType)
    if (this.#model.config.problem_type !== problemType)
      this.#model.config = { ...this.#model.config, problem_type: problemType }
    return problemType
  }

  /** Label smoothing and class weights are of cross-entropy: Python ignores the first elsewhere, with a warning. */
  #checkLossOptions(problemType: ProblemType): void {
    const head = problemType.replaceAll('_', ' ')
    if (this.#loss.classWeights !== undefined) {
      throw new TrainerError('argument', `classWeights go with classes, but the model's head is one for ${head}.`, {
        fix: 'Leave classWeights out, or weigh in a computeLossFunc.',
      })
    }
    if ((this.#loss.labelSmoothing ?? 0) !== 0) logOnce('warning', `labelSmoothingFactor has no effect on ${head}.`)
  }

  #trainingGraph(loss: LossChoice, groups: number): TrainingGraph {
    return createTrainingGraph(this.#model.config, loss, true, groups, this.#checkpointing)
  }

  /** The training program for batches of so many groups. */
  #addVariant(groups: number, graph: TrainingGraph): Variant {
    const program = this.#load('training', `training/${groups}`, graph.training)
    program.catch(() => undefined) // thrown where a batch is run by it
    const variant = { program, masks: new MaskSource(graph.dropoutSites, this.fused) }
    this.#training!.variants.set(groups, variant)
    return variant
  }

  #program(name: string, graph: () => Graph): Promise<Program> {
    const known = this.#programs.get(name) ?? this.#load('evaluation', name, graph())
    this.#programs.set(name, known)
    known.catch(() => this.#programs.delete(name)) // the next call tries again
    return known
  }

  #load(use: Use, name: string, graph: Graph): Promise<Program> {
    return this.#engines[use].load(encode(graph).model, { name })
  }

  #parameters(): Readonly<Record<string, EngineValue>> {
    return this.#training?.state.parameters ?? Object.fromEntries(this.#model.parameters)
  }

  /** What a program asks for, out of what there is. */
  #feeds(
    program: Program,
    batch: PreparedBatch,
    count: number,
    values: Readonly<Record<string, EngineValue>>,
  ): Record<string, EngineValue> {
    const given: Record<string, EngineValue> = {
      ...values,
      ...batch.packed.feeds,
      num_items_in_batch: Tensor.from('float32', count),
    }
    if (batch.labels !== undefined) given.labels = batch.labels
    return Object.fromEntries(
      program.inputs.map(({ name }) => {
        const value = given[name]
        if (value === undefined)
          throw new TrainerError(
            name === 'labels' ? 'data' : 'internal',
            `The program needs "${name}", which the batch does not have.`,
          )
        return [name, value]
      }),
    )
  }

  async #lossOf(outputs: Readonly<Record<string, EngineValue>>, use: Use): Promise<LossSum> {
    const engine = this.#engines[use]
    const [loss, count] = [await engine.download(outputs.loss!), await engine.download(outputs.count!)]
    return { loss: Number(loss.data[0]), count: Number(count.data[0]) }
  }
}

/**
 * Groups that attention is computed in: rows of a group share its longest row's length, but many small groups are many
 * small products.
 */
function attentionGroups(batchSize: number): number {
  return batchSize >= 16 ? 4 : batchSize >= 8 ? 2 : 1
}
