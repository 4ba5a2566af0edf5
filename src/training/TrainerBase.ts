import type { PreTrainedModel } from '../auto/PreTrainedModel'
import { CallbackHandler, type CallbackOrClass } from '../callbacks/CallbackHandler'
import { defaultCallbacks } from '../callbacks/defaults'
import { formatMetrics } from '../callbacks/format'
import { printMetrics } from '../callbacks/printMetrics'
import type {
  CallbackContext,
  CallbackEvent,
  TrainerCallback,
  TrainerCallbackClass,
} from '../callbacks/TrainerCallback'
import { TrainerControl } from '../callbacks/TrainerControl'
import { type LogEntry, TrainerState } from '../callbacks/TrainerState'
import { expandHome } from '../files/paths'
import { saveTrainerState } from '../checkpoint/state'
import { defaultDataCollator } from '../collators/default'
import { DataCollatorWithPadding } from '../collators/withPadding'
import type { Dataset } from '../data/dataset'
import type { Loader, LoaderRows } from '../data/loader'
import type { Tokenizer } from '../tokenizers/tokenizer'
import { TrainerError } from '../errors'
import { log, setLogLevel } from '../logging'
import type { Loss } from '../losses/loss'
import type { Batch } from '../models/packing'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { decays } from '../optim/groups'
import type { Optimizer } from '../optim/Optimizer'
import type { Schedule } from '../optim/schedules'
import { TrainingArguments } from '../TrainingArguments'
import { type ModelOutputs, standardLoss } from '../TrainingGraph'
import { evaluationLoader, type LoaderParts, trainLoader } from './data'
import { datasetNamed } from './datasets'
import type { LoadedBatch } from './evaluation'
import { lossNamed } from './losses'
import { type ModelCardOptions, writeModelCard } from '../hub/modelCard'
import { optimizerOf } from './optimizers'
import {
  checkOptions,
  checkOverrides,
  type DataCollator,
  type EvalData,
  type TrainData,
  type TrainerOptions,
} from './options'
import { saveResults } from './results'
import type { TrainingRun } from './TrainingRun'

/** Parameters that are updated alike: with weight decay, or without. */
export interface OptimizerGroup {
  readonly parameters: readonly string[]
  readonly weightDecay: number
  /** That of the next update. */
  readonly learningRate: number
}

/**
 * What a Trainer is made of, what it tells of itself, and what a subclass may do otherwise; {@link Trainer} adds the
 * loop.
 */
export abstract class TrainerBase {
  readonly callbackHandler: CallbackHandler
  readonly dataCollator: DataCollator
  readonly trainDataset: TrainData | undefined
  readonly evalDataset: EvalData | undefined
  readonly processingClass: Tokenizer | undefined
  /** The run's state; only the Trainer writes to it. */
  state = new TrainerState()
  /** What callbacks ask for. */
  control = new TrainerControl()
  protected readonly options: TrainerOptions
  /** Settled once `onInitEnd` is over. */
  protected readonly begun: Promise<void>
  protected currentArguments: TrainingArguments
  protected currentModel: PreTrainedModel | undefined
  protected run: TrainingRun | undefined
  #busy = false
  #depth = 0

  /** @throws TrainerError when the options do not go together. */
  constructor(options: TrainerOptions) {
    this.currentArguments = argumentsOf(options)
    checkOptions(options, this.args)
    checkOverrides(this)
    const level = this.args.getProcessLogLevel()
    if (level !== undefined) setLogLevel(level)
    this.options = options
    this.currentModel = options.model
    this.trainDataset = options.trainDataset
    this.evalDataset = options.evalDataset
    this.processingClass = options.processingClass
    const { dataCollator, processingClass } = options
    this.dataCollator =
      dataCollator ?? (processingClass === undefined ? defaultDataCollator : DataCollatorWithPadding(processingClass))
    const { first, last } = defaultCallbacks(this.args)
    this.callbackHandler = new CallbackHandler([...first, ...(options.callbacks ?? []), ...last])
    this.callbackHandler.context = { model: options.model, processingClass }
    this.begun = this.callbackHandler.call('onInitEnd', this.args, this.state, this.control)
    this.begun.catch(() => undefined) // thrown by the first method that waits for it
  }

  /** How to train; in a trial of a hyperparameter search, with the trial's values. */
  get args(): TrainingArguments {
    return this.currentArguments
  }

  /** The model. @throws TrainerError before `modelInit` has made it. */
  get model(): PreTrainedModel {
    if (this.currentModel === undefined)
      throw new TrainerError('training', 'There is no model yet: modelInit makes it when train() begins.')
    return this.currentModel
  }

  // ── what a subclass may do otherwise ──

  /**
   * The loss, as graph code: called once while a graph is built, with graph values instead of numbers. It returns a sum
   * and a count, or one scalar that is already divided by `count`. By default: `computeLossFunc`, else that of the
   * head.
   */
  computeLoss(outputs: ModelOutputs, labels: Value, count: Value, graph: GraphBuilder): Value | Loss {
    const { custom } = lossNamed(this.options.computeLossFunc)
    if (custom !== undefined) return custom(outputs, labels, count, graph)
    return standardLoss(graph, outputs.logits, labels, this.model.config, {
      labelSmoothing: this.args.labelSmoothingFactor,
    })
  }

  /** Batches to train on. @throws TrainerError without a training dataset. */
  getTrainDataloader(): Loader<LoadedBatch> {
    if (this.trainDataset === undefined) {
      throw new TrainerError('argument', 'There is nothing to train on.', {
        fix: 'Give trainDataset to the Trainer.',
      })
    }
    return trainLoader(this.#loaderParts(), this.trainDataset as LoaderRows<object>)
  }

  /**
   * Batches to evaluate on: of a dataset, of one of several by its name, or of the only one.
   * @throws TrainerError when there is none.
   */
  getEvalDataloader(
    dataset: Dataset<object> | LoaderRows<object> | string | undefined = undefined,
  ): Loader<LoadedBatch> {
    const chosen = typeof dataset === 'object' ? dataset : datasetNamed(this.evalDataset, dataset)
    return evaluationLoader(this.#loaderParts(), chosen as LoaderRows<object>, this.#mayBeSorted())
  }

  /** Batches to predict. */
  getTestDataloader(dataset: Dataset<object> | LoaderRows<object>): Loader<LoadedBatch> {
    return evaluationLoader(this.#loaderParts(), dataset as LoaderRows<object>, this.#mayBeSorted())
  }

  /** {@link getTrainDataloader} in another spelling; either may be overridden. */
  getTrainDataLoader(): Loader<LoadedBatch> {
    return this.getTrainDataloader()
  }
  /** {@link getEvalDataloader} in another spelling. */
  getEvalDataLoader(dataset?: Dataset<object> | LoaderRows<object> | string): Loader<LoadedBatch> {
    return this.getEvalDataloader(dataset)
  }
  /** {@link getTestDataloader} in another spelling. */
  getTestDataLoader(dataset: Dataset<object> | LoaderRows<object>): Loader<LoadedBatch> {
    return this.getTestDataloader(dataset)
  }

  /** The optimizer: the one given, else the one that `optim` names. */
  createOptimizer(): Optimizer {
    const [create, kwargs] = this.options.optimizerClsAndKwargs ?? []
    return this.options.optimizers?.[0] ?? create?.(kwargs as never) ?? optimizerOf(this.args)
  }

  /**
   * A schedule of one's own, from the number of updates made to a factor; undefined for the one that `lrSchedulerType`
   * names.
   */
  createScheduler(_totalSteps: number, _optimizer: Optimizer): Schedule | undefined {
    return this.options.optimizers?.[1]
  }

  /** Both, for a run of so many updates. */
  createOptimizerAndScheduler(totalSteps: number): readonly [Optimizer, Schedule | undefined] {
    const optimizer = this.createOptimizer()
    return [optimizer, this.createScheduler(totalSteps, optimizer)]
  }

  /** The parameters that weight decay applies to: not biases and normalisations. */
  getDecayParameterNames(): readonly string[] {
    return this.model.shapes.map(({ name }) => name).filter(decays)
  }

  /**
   * Logs numbers: into the state's history with epoch, step and the tokens seen (if they are counted), and to the
   * callbacks.
   */
  async log(logs: LogEntry): Promise<void> {
    const entry = this.stamped(logs)
    this.state.logHistory.push({ ...entry, step: this.state.globalStep })
    await this.fire('onLog', { logs: entry })
  }

  // ── results ──

  /** Prints metrics as a table, in units for people to read. */
  logMetrics(split: string, metrics: LogEntry): void {
    printMetrics(split, metrics)
  }
  /** A copy of metrics in units for people to read: `1:02:03.45`, `3073364GF`. */
  metricsFormat(metrics: LogEntry): Record<string, number | string | boolean> {
    return formatMetrics(metrics)
  }

  /** Writes `<split>_results.json` into `outputDir`, and with `combined` adds the metrics to `all_results.json`. */
  async saveMetrics(split: string, metrics: LogEntry, combined = true): Promise<void> {
    await saveResults(this.args.outputDir, split, metrics, combined)
  }

  /** Writes `trainer_state.json` into `outputDir`. */
  async saveState(): Promise<void> {
    await saveTrainerState(this.args.outputDir, this.state.toJSON())
  }

  /**
   * Writes a model card, `README.md`, into `outputDir`: how the model was trained, and what the evaluations came to.
   */
  async createModelCard(options: ModelCardOptions = {}): Promise<void> {
    await writeModelCard(
      { args: this.args, model: this.model, logHistory: this.state.logHistory, optimizer: this.run?.optimizer.name },
      options,
    )
  }

  // ── what it tells of itself ──

  /** The number of weights that training changes: all of them. */
  getNumTrainableParameters(): number {
    return this.model.numParameters()
  }

  /** The learning rate of the next update, for each of the groups. @throws TrainerError before training. */
  getLearningRates(): number[] {
    return this.getOptimizerGroup().map(({ learningRate }) => learningRate)
  }

  /**
   * The groups of parameters, or the one that a parameter is in.
   * @throws TrainerError before training, and for a name that there is not.
   */
  getOptimizerGroup(): readonly OptimizerGroup[]
  getOptimizerGroup(parameter: string): OptimizerGroup
  getOptimizerGroup(parameter?: string): OptimizerGroup | readonly OptimizerGroup[] {
    if (this.run === undefined) throw new TrainerError('training', 'There is no optimizer yet: train() makes it.')
    const [decayed, learningRate] = [new Set(this.getDecayParameterNames()), this.run.rates.rate(this.state.globalStep)]
    const names = this.model.shapes.map(({ name }) => name)
    const groups = [true, false].map((decay): OptimizerGroup => ({
      parameters: names.filter(name => decayed.has(name) === decay),
      weightDecay: decay ? this.args.weightDecay : 0,
      learningRate,
    }))
    if (parameter === undefined) return groups
    this.model.parameter(parameter)
    return groups.find(({ parameters }) => parameters.includes(parameter))!
  }

  /** Rows of a loader's dataset; where that has no length, the loader's batches times their size, if it knows them. */
  numExamples(loader: Loader<unknown>): number {
    return loader.rows ?? (loader.length ?? 0) * loader.batchSize
  }

  /**
   * What a batch costs to train on, in floating-point operations: 6 for each token and weight outside of embedding
   * tables.
   */
  floatingPointOps(batch: Batch): number {
    return 6 * (batch.input_ids?.size ?? 0) * this.model.countedParameters()
  }

  /** Whether this process is the first of its machine: there is only one. */
  isLocalProcessZero(): boolean {
    return this.state.isLocalProcessZero
  }
  /** Whether this process is the first of all: there is only one. */
  isWorldProcessZero(): boolean {
    return this.state.isWorldProcessZero
  }

  /** Adds a callback at the end; of a class, a new one. */
  addCallback(callback: CallbackOrClass): void {
    this.callbackHandler.add(callback)
  }
  /** Takes a callback out, or the first of a class, and returns it. */
  popCallback(callback: TrainerCallback | TrainerCallbackClass): TrainerCallback | undefined {
    return this.callbackHandler.pop(callback)
  }
  /** Takes a callback out, or the first of a class. */
  removeCallback(callback: TrainerCallback | TrainerCallbackClass): void {
    this.callbackHandler.remove(callback)
  }

  /** Numbers with what every log says of where the run is. */
  protected stamped<Entry extends LogEntry>(logs: Entry): Entry & { readonly epoch: number } {
    const { epoch, numInputTokensSeen } = this.state
    return {
      ...logs,
      epoch,
      ...(this.args.includeNumInputTokensSeen !== 'no' && { num_input_tokens_seen: numInputTokensSeen }),
    }
  }

  protected stopForWantOfBatches(): void {
    log(
      'warning',
      `There was no batch in this epoch, so training stops at step ${this.state.globalStep} of ${this.state.maxSteps}.`,
    )
    this.control.shouldTrainingStop = true
  }

  protected async fire(event: CallbackEvent, extra: Pick<CallbackContext, 'logs' | 'metrics'> = {}): Promise<void> {
    await this.inside(async () => this.callbackHandler.call(event, this.args, this.state, this.control, extra))
  }

  /**
   * @throws TrainerError while train() goes on, unless a callback or train() itself asks: most often `await` was
   * forgotten.
   */
  protected notBeside(what: string): void {
    if (!this.#busy || this.#depth > 0) return
    throw new TrainerError('training', `${what} was called while train() is not done.`, {
      fix: 'Write await before train().',
    })
  }

  /** Does what train() or an event asks for. */
  protected async inside<T>(work: () => Promise<T>): Promise<T> {
    this.#depth++
    return work().finally(() => this.#depth--)
  }

  /** Does what nothing else may be done beside. @throws TrainerError while another call is not done. */
  protected async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy)
      throw new TrainerError('training', 'train() was called while another call of it is not done.', {
        fix: 'Write await before train().',
      })
    this.#busy = true
    return work().finally(() => (this.#busy = false))
  }

  /** Whether the order in which rows are evaluated shows in no result. */
  #mayBeSorted(): boolean {
    return (
      !this.args.batchEvalMetrics &&
      this.args.includeForMetrics.length === 0 &&
      this.options.preprocessLogitsForMetrics === undefined
    )
  }

  #loaderParts(): LoaderParts {
    return { args: this.args, collator: this.dataCollator, inputNames: this.model.inputNames }
  }
}

/** The arguments of the options, `~` in their folder made the home folder. */
function argumentsOf({ args: given }: TrainerOptions): TrainingArguments {
  const args =
    given instanceof TrainingArguments ? given : new TrainingArguments({ outputDir: 'tmp_trainer', ...given })
  const outputDir = expandHome(args.outputDir)
  return outputDir === args.outputDir ? args : args.with({ outputDir })
}
