import { join } from 'node:path'
import { camelCase } from '../arguments/spelling'
import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { type CallbackContext, TrainerCallback } from '../callbacks/TrainerCallback'
import type { TrainerControl } from '../callbacks/TrainerControl'
import type { TrainerState } from '../callbacks/TrainerState'
import { TrainerError } from '../errors'
import { reportFile } from '../files/checkpointNames'
import { writeTextNow, writeTexts } from '../files/writeFile'
import { log } from '../logging'
import { withDefaults } from '../options'
import { TrainingArguments } from '../TrainingArguments'
import { collectorFor, showsRows } from './collectorFor'
import { evaluatedPrefix } from './evaluations'
import { Growing } from './growing'
import { pageOf } from './page'
import type { EvaluatedRows, Report, ReportedArgument, RunStatus } from './Report'
import type { RowCollector } from './RowCollector'
import { describedModel } from './describedModel'
import type { Decoder } from './rowTexts'

/** Options of {@link HtmlReportCallback}. */
export interface HtmlReportOptions {
  /** How many rows of a kind are shown, such as the most wrong ones; 10 by default. 0 keeps texts out of the page. */
  readonly rows?: number | undefined
}

/** While a run logs and does not evaluate, the page is written once in so many milliseconds. */
const pause = 10_000

/**
 * Writes `report.html` in the output folder, a page about the run for people: curves, metrics, confusion matrix, how far
 * probabilities can be believed, the rows that are most wrong with their texts, arguments, timings and the machine. It is
 * written anew at every evaluation and at the end; docs/report.md tells what is on it.
 *
 * A page that cannot be written is a warning: it ends no run.
 */
export class HtmlReportCallback extends TrainerCallback {
  readonly #count: number
  readonly #details = new Map<string, EvaluatedRows>()
  #collecting:
    { readonly of: unknown; readonly prefix: string; readonly collector: RowCollector | undefined } | undefined
  #status: RunStatus = 'evaluated'
  #stepTimes = new Growing(new Float64Array())
  #stepBegan = 0
  #written = 0
  #writing: Promise<void> = Promise.resolve()
  /** What the last event has brought, for the page that tells of a failure. */
  #last: readonly [TrainingArguments, Readonly<TrainerState>, CallbackContext] | undefined

  /** @throws TrainerError (`argument`) for a number of rows that is none. */
  constructor(options: HtmlReportOptions = {}) {
    super()
    const { rows } = withDefaults(options, { rows: 10 }, 'HtmlReportCallback')
    if (!Number.isInteger(rows) || rows < 0)
      throw new TrainerError('argument', `rows should be a whole number of at least 0, but is ${String(rows)}.`)
    this.#count = rows
  }

  override readsPredictions(model: unknown): boolean {
    return showsRows(model)
  }

  override onTrainBegin(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    context: CallbackContext,
  ): void {
    this.#status = 'running'
    this.#details.clear()
    this.#stepTimes = new Growing(new Float64Array())
    this.#write(args, state, context)
  }

  override onStepBegin(): void {
    this.#stepBegan = performance.now()
  }

  override onStepEnd(): void {
    this.#stepTimes.push((performance.now() - this.#stepBegan) / 1000)
  }

  override onLog(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    context: CallbackContext,
  ): void {
    this.#last = [args, state, context]
    const isDue = performance.now() - this.#written > pause
    if (this.#status === 'running' && isDue) this.#write(args, state, context)
  }

  override async onPredictionStep(
    _args: TrainingArguments,
    _state: Readonly<TrainerState>,
    _control: TrainerControl,
    context: CallbackContext,
  ): Promise<void> {
    if (context.evaluated !== undefined) await this.#collect(context.evaluated, context)
  }

  override async onEvaluate(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    context: CallbackContext,
  ): Promise<void> {
    const prefix = evaluatedPrefix(context.metrics ?? {})
    const { collector, prefix: collected } = this.#collecting ?? {}
    this.#collecting = undefined
    if (collector !== undefined && collected === prefix)
      this.#details.set(prefix!, { step: state.globalStep, collector })
    this.#write(args, state, context)
    if (this.#status !== 'running') await this.#writing
  }

  override async onTrainEnd(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    context: CallbackContext,
  ): Promise<void> {
    this.#status = state.globalStep < state.maxSteps ? 'stopped' : 'finished'
    this.#write(args, state, context)
    await this.#writing
  }

  /** Training has thrown: the process may end at once, so the page is written before anything else happens. */
  override dispose(): void {
    if (this.#last === undefined || this.#status !== 'running') return
    this.#status = 'failed'
    const [args, state, context] = this.#last
    if (!state.isWorldProcessZero) return
    this.#attempt(() => writeTextNow(join(args.outputDir, reportFile), pageOf(this.#report(args, state, context))))
  }

  /** A batch's rows go to what collects those of this evaluation. */
  async #collect(
    evaluated: EvaluatedBatch,
    { model, processingClass, evalDataloader }: CallbackContext,
  ): Promise<void> {
    const { prefix } = evaluated
    if (this.#collecting?.of !== evalDataloader || this.#collecting?.prefix !== prefix) {
      const decoder = processingClass as Decoder | undefined
      const collector = showsRows(model) ? collectorFor(model, this.#count, decoder) : undefined
      this.#collecting = { of: evalDataloader, prefix, collector }
    }
    try {
      await this.#collecting.collector?.add(evaluated)
    } catch (error) {
      this.#collecting = { ...this.#collecting, collector: undefined }
      log('warning', `The report is without the rows of this evaluation: ${messageOf(error)}`)
    }
  }

  /** Writes the page in the background, one after the other. */
  #write(args: TrainingArguments, state: Readonly<TrainerState>, context: CallbackContext): void {
    this.#last = [args, state, context]
    if (!state.isWorldProcessZero) return
    this.#written = performance.now()
    this.#attempt(() => {
      const page = pageOf(this.#report(args, state, context))
      this.#writing = this.#writing
        .then(async () => writeTexts(args.outputDir, { [reportFile]: page }))
        .catch((error: unknown) => warn(error))
    })
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      warn(error)
    }
  }

  #report(args: TrainingArguments, state: Readonly<TrainerState>, context: CallbackContext): Report {
    const { trainDataloader, engine, model } = context
    return {
      title: [args.runName ?? lastNameOf(args.outputDir), state.trialName].filter(Boolean).join(' – '),
      status: this.#status,
      step: state.globalStep,
      maxSteps: state.maxSteps,
      epoch: state.epoch,
      epochs: state.numTrainEpochs,
      writtenAt: Date.now(),
      model: describedModel(model),
      trainRows: (trainDataloader as { readonly rows?: number } | undefined)?.rows,
      history: state.logHistory,
      best:
        args.metricForBestModel === undefined
          ? undefined
          : { metric: args.metricForBestModel, greaterIsBetter: args.greaterIsBetter ?? false },
      details: this.#details,
      stepTimes: this.#stepTimes.values,
      rowsPerStep: args.trainBatchSize * args.gradientAccumulationSteps,
      ...reportedArguments(args),
      engine,
    }
  }
}

function warn(error: unknown): void {
  log('warning', `${reportFile} was not written: ${messageOf(error)} Training goes on.`)
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.?$/, '.')
}

function lastNameOf(path: string): string {
  return path.split(/[\\/]/).findLast(part => part !== '' && part !== '.') ?? path
}

/** The arguments, those apart that are as by default. */
function reportedArguments(args: TrainingArguments): Pick<Report, 'changedArguments' | 'otherArguments'> {
  const usual = new TrainingArguments().toDict()
  const all = Object.entries(args.toDict()).map(([name, value]) => ({
    name: camelCase(name),
    value: typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null'),
    isUsual: JSON.stringify(value) === JSON.stringify(usual[name]),
  }))
  const plain = ({ name, value }: ReportedArgument): ReportedArgument => ({ name, value })
  return {
    changedArguments: all.filter(({ isUsual }) => !isUsual).map(plain),
    otherArguments: all.filter(({ isUsual }) => isUsual).map(plain),
  }
}
