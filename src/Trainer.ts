import type { PreTrainedModel } from './auto/PreTrainedModel'
import { type SavedParts, saveModelFolder } from './auto/saveModel'
import type { PredictionOf, TrainableModel } from './auto/TrainableModel'
import { CallbackHandler } from './callbacks/CallbackHandler'
import { defaultCallbacks } from './callbacks/defaults'
import { formatMetrics } from './callbacks/format'
import { printMetrics } from './callbacks/printMetrics'
import type { LogEntry } from './callbacks/TrainerState'
import { rotateCheckpoints } from './checkpoint/rotate'
import { markSession, type RunMark } from './checkpoint/runs'
import { saveTrainerState } from './checkpoint/state'
import { defaultDataCollator } from './collators/default'
import { DataCollatorWithPadding } from './collators/withPadding'
import type { Dataset } from './data/dataset'
import type { Loader, LoaderRows } from './data/loader'
import { LabelError, TrainerError } from './errors'
import { expandHome } from './files/paths'
import { checkWritable } from './files/folder'
import { type ModelCardOptions, writeModelCard } from './modelCard/modelCard'
import type { PushedCommit } from './hub/pushOptions'
import { log, setLogLevel } from './logging'
import type { Loss } from './losses/loss'
import type { LossFunction, ModelOutputs } from './losses/LossFunction'
import type { Metrics, MetricValue } from './metrics/Metrics'
import type { GraphBuilder } from './onnx/builder'
import type { Value } from './onnx/types'
import { decays } from './optim/groups'
import type { Optimizer } from './optim/Optimizer'
import type { Schedule } from './optim/schedules'
import { refuseArguments } from './options'
import { alone, type ProcessGroup } from './processes/ProcessGroup'
import { type BestRun, type Searched, searchHyperparameters, type SearchOptions, trialArguments } from './search/search'
import type { Batch } from './tensor'
import type { Tokenizer } from './tokenizers/tokenizer'
import {
  checkEvaluated,
  checkEvaluateOptions,
  checkFullBatch,
  checkFullBatches,
  checkOverrides,
  checkTrainable,
  checkTrainerOptions,
  checkTrainOptions,
} from './training/checkOptions'
import { findExecutableBatchSize, startingPoint } from './training/batchSize'
import type { MemoryReport } from './training/memoryReport'
import { bestWeights } from './training/bestModel'
import { saveCheckpoint } from './training/checkpoints'
import { createRunner, prepareModel } from './training/createRunner'
import { evaluationLoader, firstBatches, type LoaderParts, trainLoader } from './training/data'
import { adviceWithoutLabels, datasetNamed, isDatasets } from './training/datasets'
import { evaluatedBatch } from './training/evaluatedBatch'
import { type EvaluatedModel, evaluateModel, type ModelEvaluation } from './training/evaluateModel'
import { EvaluationStopped } from './training/evaluation'
import type { LoadedBatch } from './training/LoadedBatch'
import { locateCheckpoint } from './training/hubCheckpoint'
import { optimizerOf, optimizerOfRule, type UpdateSettings, updateSettings } from './training/optimizers'
import { groupsByName, groupsOf, type OptimizerGroup } from './training/parameterGroups'
import { advisedEvaluation, advisedTraining } from './training/memoryAdvice'
import type {
  DataCollator,
  EvalData,
  EvaluateOptions,
  PredictionOutput,
  TrainData,
  TrainerOptions,
  TrainOptions,
  TrainOutput,
} from './training/options'
import { planRun, startState } from './training/plan'
import { Pushes } from './training/pushing'
import {
  checkRepositoryOptions,
  checkTrainerPush,
  type PendingPush,
  type RepositoryOptions,
  type TrainerPushOptions,
} from './training/pushOptions'
import { rateSource } from './training/rates'
import { saveResults } from './training/results'
import {
  callbackStates,
  checkpointToResume,
  readCheckpoint,
  readWeights,
  startOf,
  trainedBatchSize,
} from './training/resuming'
import type { Runner } from './training/Runner'
import { listenForStop, type StopRequest } from './training/stopping'
import { TrainerEvents } from './training/TrainerEvents'
import type { RunHost } from './training/RunParts'
import { TrainingRun } from './training/TrainingRun'
import { trackerCallbacks } from './trackers/trackerCallbacks'
import { TrainingArguments } from './TrainingArguments'

/**
 * Trains a model on a dataset, evaluates it, and keeps the best: Hugging Face's Trainer.
 *
 * A step is an update of the parameters, however many micro-batches it takes.
 */
export class Trainer<Model extends TrainableModel = PreTrainedModel> extends TrainerEvents {
  readonly callbackHandler: CallbackHandler
  readonly dataCollator: DataCollator
  readonly trainDataset: TrainData | undefined
  readonly evalDataset: EvalData | undefined
  readonly processingClass: Tokenizer | undefined
  protected readonly options: TrainerOptions<Model>
  /** The processes that train together: this one alone. */
  protected readonly processes: ProcessGroup = alone
  /** Settled once `onInitEnd` is over. */
  readonly #initialized: Promise<void>
  readonly #pushes: Pushes
  #args: TrainingArguments
  /** What may end the evaluation that a run has asked for. */
  #evaluationStop: StopRequest | undefined
  /** What `autoFindBatchSize` has come to. */
  #batchSize: number | undefined
  #model: Model | undefined
  #runner: Promise<Runner> | undefined
  #run: TrainingRun | undefined
  /** Whose checkpoints the run writes and removes. */
  #mark: RunMark | undefined
  #trial: { readonly name: string; evaluated(metrics: Metrics, step: number): Promise<boolean> } | undefined

  /** @throws TrainerError ('argument') when the options do not go together. */
  constructor(options: TrainerOptions<Model>) {
    super()
    this.#args = argumentsOf(options)
    checkTrainerOptions(options, this.args)
    checkOverrides(this)
    const level = this.args.getProcessLogLevel()
    if (level !== undefined) setLogLevel(level)
    this.options = { ...options, args: this.args } // as they were given they may show a token
    this.#model = options.model
    if (options.model !== undefined) prepareModel(options.model, options, this.args)
    this.trainDataset = options.trainDataset
    this.evalDataset = options.evalDataset
    this.processingClass = options.processingClass
    this.dataCollator = collatorOf(options)
    this.#pushes = new Pushes(this.args)
    const { first, last } = defaultCallbacks(this.args, {
      prepare: () => this.#pushes.prepare(this.args),
      push: () => this.#pushCheckpoint(),
    })
    this.callbackHandler = new CallbackHandler([
      ...first,
      ...trackerCallbacks(this.args.reportTo),
      ...(options.callbacks ?? []),
      ...last,
    ])
    this.callbackHandler.context = { model: options.model, processingClass: options.processingClass }
    this.#initialized = this.callbackHandler.call('onInitEnd', this.args, this.state, this.control)
    this.#initialized.catch(() => undefined) // thrown by the first method that waits for it
  }

  /** How to train; in a trial of a hyperparameter search, with the trial's values. */
  get args(): TrainingArguments {
    return this.#args
  }

  /** Rows in a micro-batch of training: as the arguments say, or fewer where `autoFindBatchSize` had to try fewer. */
  get trainBatchSize(): number {
    return this.#batchSize ?? this.args.trainBatchSize
  }

  /** The model. @throws TrainerError ('training') before `modelInit` has made it. */
  get model(): Model {
    if (this.#model === undefined)
      throw new TrainerError('training', 'There is no model yet: modelInit makes it when train() begins.')
    return this.#model
  }

  // ── training ──

  /**
   * Trains to the end, or until a callback, Ctrl-C or the signal stops it.
   * @throws TrainerError when there is nothing to train on, a row does not fit the model, or the loss is not finite.
   */
  async train(options: TrainOptions = {}): Promise<TrainOutput> {
    checkTrainOptions(options)
    return this.exclusive.alone(async () => {
      const stop = listenForStop(options.signal, this.args.enableJitCheckpoint)
      try {
        return await this.#train(options, stop)
      } catch (error) {
        await this.callbackHandler.dispose()
        throw await advisedTraining(error, this.#runArgs, () => this.#memoryReport().catch(() => undefined))
      } finally {
        stop.dispose()
        await this.#pushes.finish()
      }
    })
  }

  /** A run; with `autoFindBatchSize`, one after the other until its batches fit into memory. */
  async #train({ trial, resumeFromCheckpoint }: TrainOptions, stop: StopRequest): Promise<TrainOutput> {
    await this.#initialized
    if (trial !== undefined) this.#args = this.#argumentsOf(trial)
    const { args } = this
    if (this.options.modelInit !== undefined) await this.#initModel(trial)
    checkTrainable(this.model)
    await checkWritable(args.outputDir)
    const isResumed = resumeFromCheckpoint !== undefined && resumeFromCheckpoint !== false
    const folder = isResumed ? await this.#checkpointToResume(resumeFromCheckpoint) : undefined
    this.#mark = await markSession(args.outputDir, folder)
    const attempt = async (size: number): Promise<TrainOutput> => {
      if (size !== this.trainBatchSize) await this.#disposeRunner()
      this.#batchSize = size
      this.#run = await this.#createRun({ trial, folder }, stop)
      return this.#run.train()
    }
    if (!args.autoFindBatchSize) return attempt(args.trainBatchSize)
    const known = folder === undefined ? undefined : await trainedBatchSize(folder)
    const size = known ?? (trial === undefined ? this.trainBatchSize : args.trainBatchSize)
    return findExecutableBatchSize({ size, attempt, startOver: await this.#startingPoint() })
  }

  /** What brings the model and the callbacks back to where they are now. */
  async #startingPoint(): Promise<() => Promise<void>> {
    await (await this.#runner)?.endTraining()
    const bringBack = startingPoint(this.model, this.callbackHandler, this.control)
    return async () => {
      await this.callbackHandler.dispose(true)
      await this.#disposeRunner(false)
      bringBack()
    }
  }

  /** Plan, optimizer and schedule, and what a checkpoint kept of them. */
  async #createRun(
    { trial, folder }: { readonly trial: TrainOptions['trial']; readonly folder: string | undefined },
    stop: StopRequest,
  ): Promise<TrainingRun> {
    const args = this.#runArgs
    const loader = this.getTrainDataLoader()
    checkFullBatches(loader.rows, this.evalDataset, args)
    const plan = planRun(loader.length, args.gradientAccumulationSteps, args.numTrainEpochs, args.maxSteps)
    const fresh = startState(plan, args)
    if (trial !== undefined)
      Object.assign(fresh, { isHyperParamSearch: true, trialName: this.#trial?.name, trialParams: trial })
    const resumed = folder === undefined ? undefined : await readCheckpoint(folder, fresh, this.args)
    this.state = resumed?.state ?? fresh
    const runner = await this.#runnerOf()
    await runner.endTraining()
    if (folder !== undefined) await runner.loadParameters(await readWeights(this.model, folder))
    const [optimizer, schedule] = this.createOptimizerAndScheduler(plan.totalUpdates)
    const rates = rateSource(args, plan.totalUpdates, schedule)
    const updates = this.#updateSettings(args, optimizer)
    this.callbackHandler.context = {
      ...this.callbackHandler.context,
      optimizer,
      lrScheduler: rates,
      trainDataloader: loader,
      engine: runner.engine,
    }
    if (resumed !== undefined && args.restoreCallbackStatesFromCheckpoint)
      this.callbackHandler.restoreStates(callbackStates(resumed.state))
    return new TrainingRun({
      ...{ args, plan, loader, runner, updates, rates, resumed, stop },
      ...{ model: this.model, state: this.state, control: this.control, processes: this.processes },
      host: this.#host(runner, stop),
      start: startOf(plan, this.state, args),
    })
  }

  #updateSettings(args: TrainingArguments, optimizer: Optimizer): UpdateSettings {
    const groups = groupsByName(this.options.parameterGroups ?? [], this.model)
    return updateSettings({
      args,
      optimizer,
      decayed: this.getDecayParameterNames(),
      groups,
      rule: this.model.updateRule,
    })
  }

  async #checkpointToResume(wanted: string | true): Promise<string> {
    const { args } = this
    const { outputDir } = args
    return checkpointToResume(outputDir, wanted === true || (await locateCheckpoint(wanted, outputDir, args)))
  }

  #argumentsOf(trial: Readonly<Record<string, unknown>>): TrainingArguments {
    if (this.options.modelInit !== undefined) return trialArguments(this.args, trial)
    throw new TrainerError('argument', 'train({ trial }) trains a new model by the arguments of a trial.', {
      fix: 'Give the Trainer modelInit in place of model.',
    })
  }

  /** What a run asks of its Trainer. */
  #host(runner: Runner, stop: StopRequest): RunHost {
    return {
      fire: event => this.fire(event),
      evaluate: () => this.exclusive.inside(() => this.#evaluateUnlessStopped(stop)),
      evaluated: async metrics => (await this.#trial?.evaluated(metrics, this.state.globalStep)) ?? false,
      log: logs => this.log(logs),
      stamped: logs => this.stamped(logs),
      save: () => this.#saveCheckpoint(runner),
      settle: () => this.#settle(runner, stop),
    }
  }

  /** Evaluates, up to the batch in which the run is asked to end. */
  async #evaluateUnlessStopped(stop: StopRequest): Promise<Metrics | undefined> {
    this.#evaluationStop = stop
    try {
      return await this.evaluate()
    } catch (error) {
      if (error instanceof EvaluationStopped) return undefined
      throw error
    } finally {
      this.#evaluationStop = undefined
    }
  }

  /** What callbacks evaluate on their own account is not ended by a stop request, which is the run's. */
  protected override async fire(...event: Parameters<TrainerEvents['fire']>): Promise<void> {
    const stop = this.#evaluationStop
    this.#evaluationStop = undefined
    await super.fire(...event).finally(() => (this.#evaluationStop = stop))
  }

  async #saveCheckpoint(runner: Runner): Promise<void> {
    await runner.synchronise()
    const { args, state, control, callbackHandler: callbacks } = this
    await this.#run!.keepOptimizer()
    const run = this.#run!.snapshot()
    const own = { run, mark: this.#mark!, store: runner.store }
    const parts = { ...this.#savedParts(), ...own, args, state, control, callbacks }
    Object.assign(state, await saveCheckpoint(parts))
  }

  async #pushCheckpoint(): Promise<void> {
    if (this.args.hubStrategy === 'end') return
    await this.fire('onPushBegin')
    await this.#pushes.pushCheckpoint(this.args, this.state)
  }

  /**
   * The model as it is to be after training, and no checkpoints that are too many. One that a stop request has left is
   * what the run goes on from, and stays.
   */
  async #settle(runner: Runner, { reason }: StopRequest): Promise<void> {
    const { args, state } = this
    const mark = this.#mark!
    await runner.synchronise()
    await this.#run!.keepOptimizer()
    if (args.loadBestModelAtEnd)
      await runner.loadParameters((await bestWeights(this.model, mark, state, args)) ?? new Map())
    const best = state.bestModelCheckpoint
    const atEnd = reason === undefined || state.globalStep >= state.maxSteps
    await rotateCheckpoints(args.outputDir, mark, { limit: args.saveTotalLimit, best, atEnd })
  }

  async #initModel(trial: Readonly<Record<string, unknown>> | undefined): Promise<void> {
    await this.dispose()
    const model = await this.options.modelInit!(trial)
    if (model === undefined) throw new TrainerError('argument', 'modelInit returned no model.')
    prepareModel(model, this.options, this.args)
    this.#model = model
    this.callbackHandler.context = { ...this.callbackHandler.context, model }
  }

  async #runnerOf(): Promise<Runner> {
    if (this.#model === undefined) await this.#initModel(undefined)
    this.model.checkWeights()
    const runner = (this.#runner ??= createRunner(this.model, this.#runArgs, this.options, overriddenLoss(this)))
    runner.catch(() => {
      if (this.#runner === runner) this.#runner = undefined // the next call tries again
    })
    return runner
  }

  /**
   * Trains again and again with other hyperparameters, each time a new model in a folder `run-<number>`, and returns
   * which did best. The Trainer is left with the last trial's model and its own arguments.
   * @throws TrainerError without `modelInit` or anything to evaluate on, and when no trial came to an objective.
   */
  async hyperparameterSearch(options: SearchOptions = {}): Promise<BestRun> {
    const { args } = this
    const { modelInit, computeMetrics } = this.options
    if (modelInit === undefined) {
      throw new TrainerError('argument', 'A hyperparameter search makes a model for every trial.', {
        fix: 'Give modelInit in place of model.',
      })
    }
    const runTrial: Searched['runTrial'] = async (trial, name, evaluated) => {
      let wasEvaluated = false
      this.#args = args.with({ outputDir: `${args.outputDir}/${name}` })
      this.#trial = { name, evaluated: (metrics, step) => ((wasEvaluated = true), evaluated(metrics, step)) }
      const { interrupted } = await this.train({ trial })
      if (!wasEvaluated && !interrupted) await evaluated(await this.evaluate(), this.state.globalStep)
      return !interrupted
    }
    try {
      const hasMetrics = computeMetrics !== undefined && !args.predictionLossOnly
      return await searchHyperparameters({ runTrial, args, hasMetrics }, options)
    } finally {
      this.#args = args
      this.#batchSize = undefined
      this.#trial = undefined
    }
  }

  /**
   * What training takes in memory, in bytes, on batches such as the first three: where later ones are larger, it is more.
   * It trains nothing.
   * @throws TrainerError ('data') when there is no batch.
   */
  async memoryReport(): Promise<MemoryReport> {
    this.exclusive.check('memoryReport()')
    return this.#memoryReport()
  }

  async #memoryReport(): Promise<MemoryReport> {
    await this.#initialized
    const runner = await this.#runnerOf()
    const batches = await firstBatches(this.getTrainDataLoader())
    this.model.decideHead(batches[0]!)
    const feeds = batches.map(batch => runner.feed(batch, row => `row ${row} of the first batches`))
    const accumulates = this.args.gradientAccumulationSteps > 1
    return runner.memoryOf(feeds, { accumulates, optimizer: this.createOptimizer() })
  }

  // ── evaluating ──

  /**
   * Evaluates on the evaluation dataset, or another; several by name one after the other, with their names in the keys.
   * Logs the metrics.
   * @returns `eval_loss`, the metrics with `eval_` before them, the speed, and the epoch.
   */
  async evaluate(
    dataset: EvalData | string | undefined = this.evalDataset,
    options: EvaluateOptions = {},
  ): Promise<Metrics> {
    this.exclusive.check('evaluate()')
    checkEvaluateOptions(options, 'evaluate()')
    checkEvaluated(dataset)
    await this.#initialized
    const prefix = options.metricKeyPrefix ?? 'eval'
    const chosen = typeof dataset === 'object' ? dataset : datasetNamed(this.evalDataset, dataset)
    if (isDatasets(chosen)) {
      const all: Metrics = {}
      for (const [name, one] of Object.entries(chosen))
        Object.assign(all, await this.evaluate(one, { metricKeyPrefix: `${prefix}_${name}` }))
      return all
    }
    const loader = this.getEvalDataLoader(chosen as LoaderRows<object>)
    const { metrics } = await this.#evaluate(loader, prefix, chosen as LoaderRows<object>)
    await this.log(metrics)
    const stamped = this.stamped(metrics)
    await this.fire('onEvaluate', { metrics: stamped })
    return stamped
  }

  /** Predicts: logits for every row, in the dataset's order; with labels, metrics too. Logs nothing. */
  async predict(
    dataset: Dataset<object> | LoaderRows<object>,
    options: EvaluateOptions = {},
  ): Promise<PredictionOutput<PredictionOf<Model>>> {
    this.exclusive.check('predict()')
    checkEvaluateOptions(options, 'predict()')
    await this.#initialized
    const loader = this.getTestDataLoader(dataset)
    const prefix = options.metricKeyPrefix ?? 'test'
    const { predictions, labels, metrics } = await this.#evaluate(loader, prefix).catch((error: unknown) => {
      throw error instanceof LabelError ? error.advising(adviceWithoutLabels(dataset, this.args)) : error
    })
    if (predictions === undefined) {
      throw new TrainerError('data', 'There is no batch to predict.', {
        fix: 'Give rows.',
      })
    }
    await this.fire('onPredict', { metrics })
    const found = { predictions, labels, labelIds: labels } as Omit<PredictionOutput<PredictionOf<Model>>, 'metrics'>
    return { ...found, metrics }
  }

  /** @param evaluated the rows, unless they are only to be predicted. */
  async #evaluate(
    loader: Loader<LoadedBatch>,
    prefix: string,
    evaluated?: LoaderRows<object>,
  ): Promise<ModelEvaluation> {
    const runner = await this.#runnerOf()
    const { args, options, model } = this
    checkFullBatch('evaluation', loader.rows, args)
    this.callbackHandler.context = { ...this.callbackHandler.context, evalDataloader: loader, engine: runner.engine }
    const isRead = evaluated !== undefined && !args.predictionLossOnly && this.callbackHandler.readsPredictions(model)
    const afterBatch: EvaluatedModel['afterBatch'] = async (loaded, predictions) => {
      const { labelNames } = model.definition.head
      const of = predictions && evaluated && { dataset: evaluated, prefix, labelNames }
      await this.fire('onPredictionStep', of && { evaluated: evaluatedBatch(loaded, predictions, of) })
      return this.#evaluationStop?.reason !== undefined
    }
    try {
      const own = { options: options as object, prefix, observed: isRead, predicting: evaluated === undefined }
      return await evaluateModel({ model, runner, loader, args, ...own, afterBatch })
    } catch (error) {
      throw advisedEvaluation(error, args)
    }
  }

  // ── what a subclass may do otherwise ──

  /**
   * The loss, as graph code: called once while a graph is built, with graph values instead of numbers. It returns a sum
   * and a count, or one scalar that is already divided by `count`. By default: `computeLossFunc`, else that of the
   * head.
   */
  computeLoss(outputs: ModelOutputs, labels: Value, count: Value, graph: GraphBuilder): Value | Loss {
    const { computeLossFunc } = this.options
    if (typeof computeLossFunc === 'function') return computeLossFunc(outputs, labels, count, graph)
    const { head } = this.model.definition
    const named = { [head.labelNames[0]!]: labels }
    return head.loss(graph, { ...outputs }, named, { labelSmoothing: this.args.labelSmoothingFactor })
  }

  /** Batches to train on. @throws TrainerError ('argument') without a training dataset. */
  getTrainDataloader(): Loader<LoadedBatch> {
    if (this.trainDataset === undefined) {
      throw new TrainerError('argument', 'There is nothing to train on.', {
        fix:
          'trainDataset' in this.options
            ? 'trainDataset is undefined: has the dataset no such split?'
            : 'Give trainDataset to the Trainer.',
      })
    }
    return trainLoader(this.#loaderParts(), this.trainDataset as LoaderRows<object>)
  }

  /**
   * Batches to evaluate on: of a dataset, of one of several by its name, or of the only one.
   * @throws TrainerError ('argument') when there is none.
   */
  getEvalDataloader(dataset?: Dataset<object> | LoaderRows<object> | string): Loader<LoadedBatch> {
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

  /** The optimizer: the one given, else the one that the model comes with, else the one that `optim` names. */
  createOptimizer(): Optimizer {
    const [create, kwargs] = this.options.optimizerClsAndKwargs ?? []
    const given = this.options.optimizers?.[0] ?? create?.(kwargs as never)
    const rule = this.model.updateRule
    return given ?? (rule === undefined ? optimizerOf(this.args) : optimizerOfRule(rule, this.args))
  }

  /**
   * A custom schedule, from the number of updates made to a factor; undefined for the one that `lrSchedulerType` names.
   */
  createScheduler(_totalSteps: number, _optimizer: Optimizer): Schedule | undefined {
    return this.options.optimizers?.[1]
  }

  /** Both, for a run of so many updates. */
  createOptimizerAndScheduler(totalSteps: number): readonly [Optimizer, Schedule | undefined] {
    const optimizer = this.createOptimizer()
    return [optimizer, this.createScheduler(totalSteps, optimizer)]
  }

  /** The trained parameters that weight decay applies to: not biases and normalisations. */
  getDecayParameterNames(): readonly string[] {
    return this.#trainedNames().filter(decays)
  }

  // ── results ──

  /**
   * Saves model, tokenizer and arguments, for Python and for transformers.js: in `outputDir` unless a folder is given.
   * With `pushToHub` among the arguments, the model is saved in `outputDir` too, which is pushed with the message 'Model
   * save'.
   */
  async saveModel(outputDir?: string): Promise<void>
  async saveModel(outputDir: string = this.args.outputDir, ...extra: readonly unknown[]): Promise<void> {
    refuseArguments(extra, 'saveModel(), beside the folder,')
    this.exclusive.check('saveModel()')
    await this.#saveModel(outputDir)
    if (!this.args.pushToHub) return
    await (
      await this.#push({ commitMessage: 'Model save' }, outputDir === this.args.outputDir)
    ).finished
  }

  async #saveModel(folder: string): Promise<void> {
    await (await this.#runner)?.synchronise()
    await saveModelFolder(folder, this.#savedParts())
  }

  /**
   * Saves model, tokenizer and model card in `outputDir`, and pushes the folder to the Hub without checkpoints and names
   * that begin with `_` or a dot: into `hubModelId`, by default the last part of `outputDir`, which is made unless it is
   * there. What is under way is finished before.
   * @param options the commit's, and those of the model card.
   * @returns the commit; with `blocking: false`, once all is saved, the push that is under way.
   * @throws TrainerError ('hub') without a token that may write there, and for what the Hub refuses.
   *
   * @example
   * await trainer.train()
   * await trainer.pushToHub({ datasetTags: 'nyu-mll/glue', license: 'apache-2.0' })
   */
  async pushToHub(options: TrainerPushOptions & { readonly blocking: false }): Promise<PendingPush>
  async pushToHub(options?: TrainerPushOptions): Promise<PushedCommit>
  async pushToHub(options: TrainerPushOptions = {}): Promise<PendingPush | PushedCommit> {
    this.exclusive.check('pushToHub()')
    checkTrainerPush(options)
    const pending = await this.#push(options)
    if (options.blocking !== false) return pending.finished
    pending.finished.catch((error: Error) => log('warning', `The push to ${pending.id} failed: ${error.message}`))
    return pending
  }

  /** Makes the repository that is pushed to unless it is there, before anything is pushed. */
  async initHfRepo(options: RepositoryOptions = {}): Promise<void> {
    checkRepositoryOptions(options)
    await this.#pushes.repository(this.args, options)
  }

  /** Saves the model unless it is saved, writes the model card, and begins to push both. */
  async #push(options: TrainerPushOptions, isSaved = false): Promise<PendingPush> {
    const {
      commitMessage: message = 'End of training',
      blocking: showsProgress = true,
      token,
      revision,
      private: hidden,
      ...card
    } = options
    await this.fire('onPushBegin')
    const id = await this.#pushes.repository(this.args, { token, private: hidden })
    if (!isSaved) await this.#saveModel(this.args.outputDir)
    await this.createModelCard({ modelName: id.split('/')[1]!, ...card })
    const { finished } = await this.#pushes.pushFolder(this.args, { message, token, revision, showsProgress })
    return { id, finished: finished.then(({ oid, url, repoUrl }) => ({ oid, url, repoUrl })) }
  }

  /** Prints metrics as a table, in units for people to read. */
  logMetrics(split: string, metrics: LogEntry): void {
    printMetrics(split, metrics)
  }

  /** A copy of metrics in units for people to read: `1:02:03.45`, `3073364GF`. */
  metricsFormat(metrics: LogEntry): Record<string, MetricValue> {
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
   * Writes a model card, `README.md`, into `outputDir`: how the model was trained, and what the evaluations came to, as
   * Python's Trainer writes it and the Hub reads it. An older card is replaced; its tags are kept.
   * @throws TrainerError ('argument') for an option that there is not; ('file') when the card cannot be written.
   *
   * @example await trainer.createModelCard({ language: 'en', license: 'apache-2.0', datasetTags: 'nyu-mll/glue' })
   */
  async createModelCard(options: ModelCardOptions = {}): Promise<void> {
    const { args, model, state, evalDataset, trainDataset } = this
    const { logHistory } = state
    const optimizer = this.#run?.updates.optimizer.name
    await writeModelCard({ args, model, logHistory, optimizer, datasets: [evalDataset, trainDataset] }, options)
  }

  /** Frees the engine and its threads. The model keeps its weights. */
  async dispose(): Promise<void> {
    await this.#disposeRunner()
  }

  /** @param keeping whether the model keeps the weights of the run. */
  async #disposeRunner(keeping = true): Promise<void> {
    const runner = this.#runner
    this.#runner = undefined
    this.#run = undefined
    await (await runner?.catch(() => undefined))?.dispose(keeping)
  }

  // ── facts ──

  /** The number of weights that training changes: all that are not frozen. */
  getNumTrainableParameters(): number {
    return this.model.numParameters({ onlyTrainable: true })
  }

  /** The learning rate of the next update, for each of the groups. @throws TrainerError ('training') before training. */
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
    if (this.#run === undefined) throw new TrainerError('training', 'There is no optimizer yet: train() makes it.')
    const { rates, updates } = this.#run
    const rate = rates.rate(this.state.globalStep)
    const groups = groupsOf(updates, this.#trainedNames(), this.getDecayParameterNames(), rate)
    if (parameter === undefined) return groups
    this.model.parameter(parameter)
    const found = groups.find(({ parameters }) => parameters.includes(parameter))
    if (found !== undefined) return found
    throw new TrainerError('argument', `"${parameter}" is frozen, and so in no group of the optimizer.`)
  }

  /** Rows of a loader's dataset; where that has no length, the loader's batches times their size, if it knows them. */
  numExamples(loader: Loader<unknown>): number {
    return loader.rows ?? (loader.length ?? 0) * loader.batchSize
  }

  /** What a batch costs to train on, in floating-point operations: 6 for each token and weight outside of embeddings. */
  floatingPointOps(batch: Batch): number {
    return 6 * (batch[this.model.inputNames[0]!]?.size ?? 0) * this.model.countedParameters()
  }

  /** Whether the order in which rows are evaluated shows in no result. */
  #mayBeSorted(): boolean {
    const { batchEvalMetrics, includeForMetrics } = this.args
    return !batchEvalMetrics && includeForMetrics.length === 0 && this.options.preprocessLogitsForMetrics === undefined
  }

  #trainedNames(): readonly string[] {
    return this.model.definition.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)
  }

  /** The arguments, with the size of batches that is trained by. */
  get #runArgs(): TrainingArguments {
    const { args, trainBatchSize } = this
    return trainBatchSize === args.trainBatchSize ? args : args.with({ perDeviceTrainBatchSize: trainBatchSize })
  }

  #loaderParts(): LoaderParts {
    const { model, dataCollator: collator } = this
    const args = this.#runArgs
    const { inputNames, classNames, definition } = model
    return { args, collator, inputNames, classNames, labelNames: definition.head.labelNames }
  }

  #savedParts(): SavedParts {
    return {
      model: this.model,
      tokenizer: this.processingClass,
      trainingArguments: this.args.toDict() as SavedParts['trainingArguments'],
    }
  }
}

/** The arguments of the options, `~` in their folder made the home folder. */
function argumentsOf({ args: given }: TrainerOptions<TrainableModel>): TrainingArguments {
  const args =
    given instanceof TrainingArguments ? given : new TrainingArguments({ outputDir: 'tmp_trainer', ...given })
  const outputDir = expandHome(args.outputDir)
  return outputDir === args.outputDir ? args : args.with({ outputDir })
}

function collatorOf({ dataCollator, processingClass }: TrainerOptions<TrainableModel>): DataCollator {
  return (
    dataCollator ?? (processingClass === undefined ? defaultDataCollator : DataCollatorWithPadding(processingClass))
  )
}

/** The loss of a subclass that brings its own. */
function overriddenLoss<Model extends TrainableModel>(trainer: Trainer<Model>): LossFunction | undefined {
  return trainer.computeLoss === Trainer.prototype.computeLoss
    ? undefined
    : (outputs, labels, count, graph) => trainer.computeLoss(outputs, labels, count, graph)
}
