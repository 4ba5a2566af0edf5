import { log } from '../logging'
import type { Metrics } from '../metrics/Metrics'
import type { UpdateSettings } from './optimizers'
import type { LoadedBatch } from './LoadedBatch'
import { checkLabelled, noteBest } from './judging'
import type { TrainOutput } from './options'
import type { RateSource } from './rates'
import type { Resumed, RunSnapshot, Start } from './RunSnapshot'
import type { RunParts } from './RunParts'
import type { LabelledFeed } from './LabelledFeed'
import { checkCounted, type Counted } from './lossSums'
import type { Tensor } from '../tensor'
import { Throughput } from './Throughput'
import { UpdateHistory } from './UpdateHistory'
import { placesInUpdate, type Update, updatesOf } from './updates'

/** One call of `train()`. A step is an update of the parameters, however many micro-batches it takes. */
export class TrainingRun {
  readonly updates: UpdateSettings
  readonly rates: RateSource
  readonly #parts: RunParts
  readonly #history: UpdateHistory
  readonly #throughput: Throughput
  /** The pass over the data, the micro-batches of it that are done, and whether the pass has been ended. */
  #position = { epoch: 0, batches: 0, ended: true }
  /** The update after which a checkpoint was last saved. */
  #savedAt: number | undefined
  #isPrepared = false
  /** An evaluation was ended by a stop request: the run that resumes this one makes it. */
  #evaluationIsDue = false

  constructor(parts: RunParts) {
    this.#parts = parts
    this.updates = parts.updates
    this.rates = parts.rates
    this.#history = new UpdateHistory(parts.args, parts.rates, parts.resumed?.snapshot.numbers)
    this.#throughput = new Throughput(parts.resumed?.state.numInputTokensSeen ?? 0)
    if (parts.resumed !== undefined) this.#restore(parts.resumed)
  }

  /** Trains to the end, or until a callback or a stop request ends it. */
  async train(): Promise<TrainOutput> {
    const { host, loader, args, control, plan, start } = this.#parts
    const size = args.gradientAccumulationSteps
    const end = plan.batchesPerEpoch
    if (start.endIsDue || start.evaluationIsDue) await this.#prepareForWhatIsDue(start)
    await host.fire('onTrainBegin')
    if (start.evaluationIsDue) {
      await this.#makeUpForEvaluation()
      if (control.shouldTrainingStop) return this.#finish()
    } else if (args.evalOnStart) await host.evaluate()
    for (let epoch = start.firstEpoch; epoch < plan.epochs && this.#continues(epoch); epoch++) {
      await host.fire('onEpochBegin')
      let made = epoch === start.firstEpoch && start.endIsDue
      const first = this.#isResumed(epoch) ? start.firstBatch : 0
      this.#position = { epoch, batches: first, ended: false }
      for await (const update of updatesOf(loader.batches(epoch, first), { size, start: first, end })) {
        await this.#step(update, epoch)
        made = true
        await this.#logEvaluateSave(made)
        if (control.shouldEpochStop || control.shouldTrainingStop) break
      }
      if (!made && !this.#isResumed(epoch)) this.#stopWithoutBatches()
      const isBrokenOff = this.#isBrokenOff()
      await host.fire('onEpochEnd')
      // what belongs to the epoch's end comes with it, in the run that resumes
      if (isBrokenOff) Object.assign(control, { shouldLog: false, shouldEvaluate: false, shouldSave: false })
      this.#position.ended = !isBrokenOff
      await this.#logEvaluateSave(made)
      if (control.shouldTrainingStop) break
    }
    return this.#finish()
  }

  /** Leaves the optimizer's state with a model that keeps it. */
  async keepOptimizer(): Promise<void> {
    const { model, runner } = this.#parts
    if (model.optimizerMemory === undefined || !this.#isPrepared) return
    const slots = new Map<string, Tensor>()
    for await (const [name, tensor] of runner.store.read('slots')) slots.set(name, tensor)
    model.optimizerMemory.write(this.updates.optimizer, runner.trained, { step: this.#history.optimizerSteps, slots })
  }

  /** What a checkpoint keeps of the run. */
  snapshot(): RunSnapshot {
    const { epoch, batches, ended } = this.#position
    const { plan, state } = this.#parts
    return {
      numbers: {
        ...this.#history.state(),
        data_pass: epoch,
        data_batches: batches,
        data_pass_ended: ended,
        evaluation_due: this.#evaluationIsDue,
        batches_in_pass: plan.batchesPerEpoch,
      },
      optimizer: { name: this.updates.optimizer.name, step: this.#history.optimizerSteps },
      scheduler: this.rates.state(state.globalStep),
    }
  }

  #restore({ snapshot, state }: Resumed): void {
    const { numbers, scheduler } = snapshot
    // a schedule of another type than the checkpoint's stands where it would stand after these updates
    if (scheduler === undefined || scheduler.type === this.rates.state(0).type)
      this.rates.restore(scheduler, state.globalStep)
    if (numbers === undefined) this.#history.losses.startAt(state.globalStep)
  }

  /** Whether there is something to do in an epoch: updates, or the end that a killed run has left. */
  #continues(epoch: number): boolean {
    const { state, plan, start } = this.#parts
    return state.globalStep < plan.totalUpdates || (start.endIsDue && epoch === start.firstEpoch)
  }

  /** Whether an epoch's first micro-batches were done before the checkpoint. */
  #isResumed(epoch: number): boolean {
    const { firstEpoch, firstBatch } = this.#parts.start
    return epoch === firstEpoch && firstBatch > 0
  }

  /** Whether a stop request has ended the pass over the data before its last batch. */
  #isBrokenOff(): boolean {
    const { plan, state, stop } = this.#parts
    const isWithin = this.#position.batches < (plan.batchesPerEpoch ?? Infinity)
    return stop.reason !== undefined && isWithin && state.globalStep < plan.totalUpdates
  }

  /** Makes gradients and slots once the first labels say what the head predicts, and fills them from the checkpoint. */
  async #prepare(batch: LoadedBatch['batch']): Promise<void> {
    if (this.#isPrepared) return
    this.#isPrepared = true
    const { args, model, runner, resumed } = this.#parts
    const { optimizer, weightDecay, rateFactor } = this.updates
    model.decideHead(batch)
    await runner.beginTraining({ optimizer, weightDecay, rateFactor, seed: args.seed })
    const kept =
      resumed === undefined
        ? model.optimizerMemory?.read(optimizer, runner.trained)
        : resumed.optimizerFor(optimizer.name)
    if (kept === undefined) return
    this.#history.startAt(kept.step)
    await runner.store.write('slots', kept.slots)
  }

  /** The same by a batch that is not trained on, where an evaluation or the end of an epoch comes before any update. */
  async #prepareForWhatIsDue({ firstEpoch, firstBatch }: Start): Promise<void> {
    const first = Math.max(0, firstBatch - 1)
    for await (const { batch } of this.#parts.loader.batches(firstEpoch, first)) return this.#prepare(batch)
  }

  /** One update: batches → feeds → gradient sums → parameters. */
  async #step({ batches, done }: Update, epoch: number): Promise<void> {
    const { host, model, args, state, plan, runner, processes } = this.#parts
    for (const batch of batches) checkLabelled(batch, model.definition.head)
    await this.#prepare(batches[0]!.batch)
    const feeds = batches.map(({ batch, rows }) =>
      runner.feed(batch, row => `row ${rows[row]} of the training dataset`),
    )
    this.#position = { epoch, batches: done, ended: false }
    await host.fire('onStepBegin')
    const most = { microBatches: args.gradientAccumulationSteps, rows: args.trainBatchSize }
    const places = await placesInUpdate(feeds, processes, most)
    const microBatches = places.map((place, index) => ({ step: state.globalStep, index, ...place }))
    let lossScale: number | undefined
    for await (const batch of runner.training.prepared(feeds, microBatches)) {
      await this.#history.settle() // the update before, while what follows it is on its way to the device
      lossScale = this.#history.lossScale?.factor(batch.microBatch.count)
      await runner.training.run(batch, lossScale)
      if (batch.microBatch.index < feeds.length - 1) await host.fire('onSubstepEnd')
    }
    await this.#update(lossScale, feeds[0]!.labels && { ...places[0]!, counts: feeds[0]!.labels.counts })
    await host.fire('onOptimizerStep')
    state.globalStep++
    state.epoch = epoch + done / plan.epochLength
    this.#throughput.add(batches)
    this.#count(feeds)
    await host.fire('onStepEnd')
  }

  /** Updates the parameters by the sums of all processes; what that came to is settled when it is known or needed. */
  async #update(lossScale: number | undefined, counted: Counted | undefined): Promise<void> {
    const { host, state, runner, processes, model } = this.#parts
    await runner.store.reduce(processes)
    const { globalStep, epoch, totalFlos, numInputTokensSeen } = state
    const rate = this.rates.rate(globalStep)
    await host.fire('onPreOptimizerStep')
    const { maxGradNorm: maxNorm } = this.updates
    const result = await runner.store.update({ ...this.#history.begin(), rate, lossScale, maxNorm })
    const undo = (): void => void Object.assign(state, { globalStep, epoch, totalFlos, numInputTokensSeen })
    const check = (count: number): void => checkCounted(count, counted, model.definition.name)
    await this.#history.add({ result, step: globalStep, rate, lossScale, check, undo })
  }

  /** Counts an update's tokens and operations: 6 operations per token and weight, as Hugging Face estimates. */
  #count(feeds: readonly LabelledFeed[]): void {
    const { state, model, args } = this.#parts
    const elements = feeds.reduce((sum, { size }) => sum + size.elements, 0)
    const realTokens = feeds.reduce((sum, { size }) => sum + size.realTokens, 0)
    state.totalFlos += 6 * elements * model.countedParameters()
    const counted = args.includeNumInputTokensSeen
    if (counted !== 'no') state.numInputTokensSeen += counted === 'all' ? elements : realTokens
  }

  /**
   * Does what callbacks have asked for, in this order.
   * @param made whether the epoch has had an update.
   */
  async #logEvaluateSave(made: boolean): Promise<void> {
    const { host, state, control, stop } = this.#parts
    const isAsked = control.shouldLog || control.shouldEvaluate || control.shouldSave
    if (isAsked || stop.reason !== undefined) await this.#history.settle()
    if (control.shouldLog && made && this.#history.losses.due(state.globalStep)) await this.#log()
    if (control.shouldEvaluate) {
      const metrics = await host.evaluate()
      this.#evaluationIsDue = metrics === undefined
      if (metrics === undefined) control.shouldEvaluate = false
      else await this.#noteEvaluation(metrics)
    }
    if (stop.reason !== undefined) control.shouldTrainingStop = true
    if (!this.#isPrepared) return // no batch has been seen: there is nothing that a checkpoint could keep
    if (!control.shouldSave && (stop.reason === undefined || this.#savedAt === state.globalStep)) return
    await host.save()
    this.#savedAt = state.globalStep
    await host.fire('onSave')
  }

  async #noteEvaluation(metrics: Metrics): Promise<void> {
    const { host, args, state, control } = this.#parts
    this.rates.evaluated(metrics)
    if (await host.evaluated(metrics)) control.shouldTrainingStop = true
    const isBest = noteBest(state, metrics, args)
    if (args.saveStrategy === 'best') control.shouldSave = isBest
  }

  /** Makes the evaluation that a stop request had ended, and writes the checkpoint once more, which then knows it. */
  async #makeUpForEvaluation(): Promise<void> {
    const { control } = this.#parts
    control.shouldEvaluate = true
    control.shouldSave = true
    await this.#logEvaluateSave(false)
  }

  async #log(): Promise<void> {
    const { host, args, state } = this.#parts
    const { last, losses } = this.#history
    if (last === undefined) return // the end of an epoch that was resumed from a checkpoint that did not keep it
    const { loss, skipped } = losses.log(state.globalStep)
    const rest = {
      ...(skipped > 0 && { skipped_updates: skipped }),
      ...(args.includeNumInputTokensSeen !== 'no' && this.#throughput.tokenSpeed(state.numInputTokensSeen)),
    }
    await host.log({ loss, grad_norm: last.gradNorm, learning_rate: last.rate, ...rest })
  }

  #stopWithoutBatches(): void {
    const { state, control } = this.#parts
    const where = `at step ${state.globalStep} of ${state.maxSteps}`
    log('warning', `There was no batch in this epoch, so training stops ${where}.`)
    control.shouldTrainingStop = true
  }

  async #finish(): Promise<TrainOutput> {
    const { host, state, plan, stop } = this.#parts
    await this.#history.settle()
    stop.dispose() // nothing is left to stop
    const trainingLoss = this.#history.losses.mean()
    const metrics: Metrics = { ...this.#throughput.metrics(), total_flos: state.totalFlos, train_loss: trainingLoss }
    await host.log(metrics)
    await host.settle()
    await host.fire('onTrainEnd')
    const interrupted = stop.reason !== undefined && state.globalStep < plan.totalUpdates
    return { globalStep: state.globalStep, trainingLoss, metrics: host.stamped(metrics), interrupted }
  }
}
