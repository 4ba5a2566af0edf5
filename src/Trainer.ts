import { type SavedParts, saveModelFolder } from './auto/saveModel'
import { speedMetrics } from './callbacks/format'
import { checkWritable } from './files/folder'
import { rotateCheckpoints } from './checkpoint/rotate'
import type { Dataset } from './data/dataset'
import type { Loader, LoaderRows } from './data/loader'
import { refuseUnknown, TrainerError } from './errors'
import {
  bestWeights,
  checkpointToResume,
  readCheckpoint,
  readWeights,
  restoreRun,
  saveCheckpoint,
  type Start,
  startOf,
} from './training/checkpoints'
import { createRunner } from './training/createRunner'
import { datasetNamed, isDatasets } from './training/datasets'
import { isBetter } from './metrics/better'
import type { Metrics } from './metrics/Metrics'
import { type EvaluationOutput, type LoadedBatch, runEvaluation } from './training/evaluation'
import { LossLog } from './training/LossLog'
import {
  checkEvaluated,
  checkTrainOptions,
  type EvalData,
  evaluateOptions,
  type EvaluateOptions,
  type PredictionOutput,
  type TrainOptions,
  type TrainOutput,
} from './training/options'
import { planRun, startState } from './training/plan'
import { metricNamed, rateSource } from './training/rates'
import type { Runner } from './training/Runner'
import { type BestRun, type Searched, searchHyperparameters, type SearchOptions, trialArguments } from './search/search'
import { listenForStop, type StopRequest } from './training/stopping'
import { TrainerBase } from './training/TrainerBase'
import { TrainingRun, type UpdateResult, type Window } from './training/TrainingRun'
import type { LossFunction } from './TrainingGraph'

/**
 * Trains a model on a dataset, evaluates it, and keeps the best: Hugging Face's Trainer.
 *
 * A step is an update of the parameters, however many micro-batches it takes.
 */
export class Trainer extends TrainerBase {
  #runner: Promise<Runner> | undefined
  #losses = new LossLog()
  #trial:
    { readonly name: string; readonly evaluated: (metrics: Metrics, step: number) => Promise<boolean> } | undefined

  /**
   * Trains to the end, or until a callback, Ctrl-C or the signal stops it.
   * @throws TrainerError when there is nothing to train on, a row does not fit the model, or the loss is not finite.
   */
  async train(options: TrainOptions = {}): Promise<TrainOutput> {
    checkTrainOptions(options)
    return this.alone(() => this.#train(options))
  }

  async #train(options: TrainOptions): Promise<TrainOutput> {
    const { run, firstEpoch, firstBatch, endIsDue } = await this.#begin(options)
    const [startedAt, stop] = [performance.now(), listenForStop(options.signal, this.args.enableJitCheckpoint)]
    try {
      await this.fire('onTrainBegin')
      if (this.args.evalOnStart) await this.inside(() => this.evaluate())
      const goesOn = (epoch: number): boolean =>
        this.state.globalStep < run.plan.totalUpdates || (endIsDue && epoch === firstEpoch)
      for (let epoch = firstEpoch; epoch < run.plan.epochs && goesOn(epoch); epoch++) {
        const resumed = epoch === firstEpoch && firstBatch > 0
        await this.fire('onEpochBegin')
        let update = resumed && endIsDue ? run.last : undefined
        for await (const window of run.windows(epoch, resumed ? firstBatch : 0)) {
          update = await this.#step(run, window, epoch)
          await this.#logEvaluateSave(run, update, stop)
          if (this.control.shouldEpochStop || this.control.shouldTrainingStop) break
        }
        if (update === undefined && !resumed) this.stopForWantOfBatches()
        await this.fire('onEpochEnd')
        run.position.ended = true
        await this.#logEvaluateSave(run, update, stop)
        if (this.control.shouldTrainingStop) break
      }
      return await this.#finish(run, startedAt, stop)
    } catch (error) {
      this.callbackHandler.dispose()
      throw error
    } finally {
      stop.dispose()
    }
  }

  /** One update: micro-batches → gradient sums → parameters. */
  async #step(run: TrainingRun, window: Window, epoch: number): Promise<UpdateResult> {
    await this.fire('onStepBegin')
    for (const index of window.batches.keys()) {
      await run.accumulate(window, index, this.state.globalStep)
      if (index < window.batches.length - 1) await this.fire('onSubstepEnd')
    }
    const update = await run.measure(this.state.globalStep)
    await this.fire('onPreOptimizerStep')
    await run.update(update)
    await this.fire('onOptimizerStep')
    if (update.skipped) this.#losses.skip()
    else this.#losses.add(update.loss, this.state.globalStep, this.args.loggingNanInfFilter)
    this.state.globalStep++
    this.state.epoch = epoch + window.done / run.plan.epochLength
    run.count(this.state, window)
    await this.fire('onStepEnd')
    return update
  }

  /** Does what callbacks have asked for, in this order. */
  async #logEvaluateSave(run: TrainingRun, update: UpdateResult | undefined, stop: StopRequest): Promise<void> {
    const { control, state } = this
    if (control.shouldLog && update !== undefined && this.#losses.due(state.globalStep)) {
      const { loss, skipped } = this.#losses.log(state.globalStep)
      const rest = { ...(skipped > 0 && { skipped_updates: skipped }), ...run.tokenSpeed(state) }
      await this.log({ loss, grad_norm: update.gradNorm, learning_rate: update.rate, ...rest })
    }
    if (control.shouldEvaluate) {
      const metrics = await this.inside(() => this.evaluate())
      run.rates.evaluated(metrics)
      if (await this.#trial?.evaluated(metrics, state.globalStep)) control.shouldTrainingStop = true
      const isBest = this.#noteBest(metrics)
      if (this.args.saveStrategy === 'best') control.shouldSave = isBest
    }
    if (stop.reason !== undefined) control.shouldTrainingStop = true
    if (control.shouldSave || (stop.reason !== undefined && run.savedAt !== state.globalStep)) {
      await saveCheckpoint({
        ...this.#savedParts(),
        args: this.args,
        state,
        control,
        callbacks: this.callbackHandler,
        run,
        losses: this.#losses,
      })
      await this.fire('onSave')
    }
  }

  /** Whether an evaluation is the best so far, which the state then says. */
  #noteBest(metrics: Metrics): boolean {
    const { metricForBestModel: name, greaterIsBetter } = this.args
    if (name === undefined) return false
    const [value, best] = [metricNamed(metrics, name), this.state.bestMetric]
    if (!isBetter(value, best, greaterIsBetter)) return false
    this.state.bestMetric = value
    if (this.args.saveStrategy !== 'no') this.state.bestGlobalStep = this.state.globalStep
    return true
  }

  async #finish(run: TrainingRun, startedAt: number, stop: StopRequest): Promise<TrainOutput> {
    stop.dispose() // nothing is left to stop
    const { state, args } = this
    const trainingLoss = this.#losses.mean()
    const speed = speedMetrics('train', (performance.now() - startedAt) / 1000, {
      numSamples: run.samples,
      numSteps: run.updates,
    })
    const metrics: Metrics = { ...speed, total_flos: state.totalFlos, train_loss: trainingLoss }
    await this.log(metrics)
    await run.runner.synchronise()
    if (args.loadBestModelAtEnd)
      await run.runner.loadParameters((await bestWeights(this.model, state, args)) ?? new Map())
    await rotateCheckpoints(args.outputDir, {
      limit: args.saveTotalLimit,
      best: state.bestModelCheckpoint,
      atEnd: true,
    })
    await this.fire('onTrainEnd')
    const interrupted = stop.reason !== undefined && state.globalStep < run.plan.totalUpdates
    return { globalStep: state.globalStep, trainingLoss, metrics: this.stamped(metrics), interrupted }
  }

  /**
   * Evaluates on the evaluation dataset, or another; several by name one after the other, with their names in the keys.
   * Logs the metrics.
   * @returns `eval_loss`, the metrics with `eval_` before them, the speed, and the epoch.
   */
  async evaluate(
    dataset: EvalData | string | undefined = this.evalDataset,
    options: EvaluateOptions = {},
  ): Promise<Metrics> {
    this.notBeside('evaluate()')
    checkEvaluated(dataset, options)
    await this.begun
    const prefix = options.metricKeyPrefix ?? 'eval'
    const chosen = typeof dataset === 'object' ? dataset : datasetNamed(this.evalDataset, dataset)
    if (isDatasets(chosen)) {
      const all: Metrics = {}
      for (const [name, one] of Object.entries(chosen))
        Object.assign(all, await this.evaluate(one, { metricKeyPrefix: `${prefix}_${name}` }))
      return all
    }
    const lossOnly = this.args.predictionLossOnly || this.options.computeMetrics === undefined
    const { metrics } = await this.#evaluate(
      this.getEvalDataLoader(chosen as LoaderRows<object>),
      lossOnly,
      false,
      prefix,
    )
    await this.log(metrics)
    const stamped = this.stamped(metrics)
    await this.fire('onEvaluate', { metrics: stamped })
    return stamped
  }

  /** Predicts: logits for every row, in the dataset's order; with labels, metrics too. Logs nothing. */
  async predict(
    dataset: Dataset<object> | LoaderRows<object>,
    options: EvaluateOptions = {},
  ): Promise<PredictionOutput> {
    this.notBeside('predict()')
    refuseUnknown(options, evaluateOptions, 'predict()')
    await this.begun
    const { predictions, labels, metrics } = await this.#evaluate(
      this.getTestDataLoader(dataset),
      false,
      true,
      options.metricKeyPrefix ?? 'test',
    )
    if (predictions === undefined) {
      throw new TrainerError('data', 'There is no batch to predict.', {
        fix: 'Give rows; dataloaderDropLast leaves a last batch out that is not full.',
      })
    }
    await this.fire('onPredict', { metrics })
    return { predictions, labels, labelIds: labels, metrics }
  }

  async #evaluate(
    loader: Loader<LoadedBatch>,
    lossOnly: boolean,
    predicting: boolean,
    prefix: string,
  ): Promise<EvaluationOutput> {
    const { args } = this
    const [runner, startedAt] = [await this.#runnerOf(), performance.now()]
    this.callbackHandler.context = { ...this.callbackHandler.context, evalDataloader: loader }
    const output = await runEvaluation(runner, {
      batches: loader,
      lossOnly,
      // to predict rows without labels is no mistake
      computeMetrics: this.options.computeMetrics,
      optionalLabels: predicting,
      preprocessLogits: this.options.preprocessLogitsForMetrics,
      includeInputs: args.includeForMetrics.includes('inputs'),
      includeLosses: args.includeForMetrics.includes('loss'),
      accumulationSteps: args.evalAccumulationSteps,
      streaming: args.batchEvalMetrics,
      keepPredictions: predicting,
      afterBatch: () => this.fire('onPredictionStep'),
    })
    const seconds = (performance.now() - startedAt) / 1000
    const own = { ...(output.loss !== undefined && { loss: output.loss }), ...output.metrics }
    const named = Object.fromEntries(
      Object.entries(own).map(([key, value]) => [key.startsWith(`${prefix}_`) ? key : `${prefix}_${key}`, value]),
    )
    return {
      ...output,
      metrics: { ...named, ...speedMetrics(prefix, seconds, { numSamples: output.samples, numSteps: output.batches }) },
    }
  }

  /**
   * Trains again and again with other hyperparameters, each time a new model in a folder `run-<number>`, and tells
   * which did best. The Trainer is left with the last trial's model and its own arguments.
   * @throws TrainerError without `modelInit` or anything to evaluate on, and when no trial came to an objective.
   */
  async hyperparameterSearch(options: SearchOptions = {}): Promise<BestRun> {
    const {
      args,
      options: { modelInit, computeMetrics },
    } = this
    if (modelInit === undefined) {
      throw new TrainerError('argument', 'A hyperparameter search makes a model for every trial.', {
        fix: 'Give modelInit in place of model.',
      })
    }
    const runTrial: Searched['runTrial'] = async (trial, name, evaluated) => {
      let heard = false
      this.currentArguments = args.with({ outputDir: `${args.outputDir}/${name}` })
      this.#trial = { name, evaluated: (metrics, step) => ((heard = true), evaluated(metrics, step)) }
      const { interrupted } = await this.train({ trial })
      if (!heard && !interrupted) await evaluated(await this.evaluate(), this.state.globalStep)
      return !interrupted
    }
    try {
      return await searchHyperparameters(
        { runTrial, args, hasMetrics: computeMetrics !== undefined && !args.predictionLossOnly },
        options,
      )
    } finally {
      this.currentArguments = args
      this.#trial = undefined
    }
  }

  /**
   * Saves model, tokenizer and arguments, for Python and for transformers.js: `outputDir` unless another folder is
   * given.
   */
  async saveModel(outputDir: string = this.args.outputDir): Promise<void> {
    this.notBeside('saveModel()')
    await this.run?.runner.synchronise()
    await saveModelFolder(outputDir, this.#savedParts())
  }

  /** Frees the engine and its threads. The model keeps its weights. */
  async dispose(): Promise<void> {
    const runner = this.#runner
    ;[this.#runner, this.run] = [undefined, undefined]
    await (await runner?.catch(() => undefined))?.dispose()
  }

  /** Model, plan, optimizer and schedule; and what a checkpoint kept of them. */
  async #begin(options: TrainOptions): Promise<Start & { readonly run: TrainingRun }> {
    await this.begun
    if (options.trial !== undefined) this.currentArguments = trialArguments(this.args, options.trial)
    const { args } = this
    if (this.options.modelInit !== undefined) await this.#initModel(options.trial)
    await checkWritable(args.outputDir)
    const resume = options.resumeFromCheckpoint
    const folder =
      resume === undefined || resume === false ? undefined : await checkpointToResume(args.outputDir, resume)
    const loader = this.getTrainDataLoader()
    const plan = planRun(loader.length, args.gradientAccumulationSteps, args.numTrainEpochs, args.maxSteps)
    const fresh = startState(plan, args)
    if (options.trial !== undefined)
      Object.assign(fresh, { isHyperParamSearch: true, trialName: this.#trial?.name, trialParams: options.trial })
    const resumed = folder === undefined ? undefined : await readCheckpoint(folder, fresh, args)
    this.state = resumed?.state ?? fresh
    this.#losses = new LossLog()
    const runner = await this.#runnerOf()
    await runner.endTraining()
    if (folder !== undefined) await runner.loadParameters(await readWeights(this.model, folder))
    const [optimizer, schedule] = this.createOptimizerAndScheduler(plan.totalUpdates)
    const [rates, decayed] = [rateSource(args, plan.totalUpdates, schedule), new Set(this.getDecayParameterNames())]
    const [decays, parameters] = [(name: string) => decayed.has(name), this.model.countedParameters()]
    const run = new TrainingRun({ plan, runner, rates, loader, args, optimizer, decays, resumed, parameters })
    this.run = run
    if (resumed !== undefined) restoreRun(resumed, { args, callbacks: this.callbackHandler, run, losses: this.#losses })
    this.callbackHandler.context = {
      ...this.callbackHandler.context,
      optimizer,
      lrScheduler: rates,
      trainDataloader: loader,
    }
    const start = startOf(plan, this.state, args)
    if (start.endIsDue) await run.beginAt(start.firstEpoch, start.firstBatch - 1)
    return { run, ...start }
  }

  async #initModel(trial: Readonly<Record<string, unknown>> | undefined): Promise<void> {
    await this.dispose()
    this.currentModel = await this.options.modelInit!(trial)
    if (this.currentModel === undefined) throw new TrainerError('argument', 'modelInit returned no model.')
    this.callbackHandler.context = { ...this.callbackHandler.context, model: this.currentModel }
  }

  async #runnerOf(): Promise<Runner> {
    if (this.currentModel === undefined) await this.#initModel(undefined)
    const runner = (this.#runner ??= createRunner(this.model, this.args, this.options, overriddenLoss(this)))
    runner.catch(() => {
      if (this.#runner === runner) this.#runner = undefined // the next call tries again
    })
    return runner
  }

  #savedParts(): SavedParts {
    return {
      model: this.model,
      tokenizer: this.processingClass,
      trainingArguments: this.args.toDict() as SavedParts['trainingArguments'],
    }
  }
}

/** The loss of a subclass that brings its own. */
function overriddenLoss(trainer: Trainer): LossFunction | undefined {
  return trainer.computeLoss === Trainer.prototype.computeLoss
    ? undefined
    : (...values) => trainer.computeLoss(...values)
}
