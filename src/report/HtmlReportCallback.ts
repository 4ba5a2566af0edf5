import { join } from 'node:path'
import { camelCase } from '../arguments/spelling'
import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { type CallbackContext, TrainerCallback } from '../callbacks/TrainerCallback'
import type { TrainerControl } from '../callbacks/TrainerControl'
import type { TrainerState } from '../callbacks/TrainerState'
import { sentenceOf, TrainerError } from '../errors'
import { reportFile } from '../files/checkpointNames'
import { lastNameOf } from '../files/paths'
import { writeTextNow, writeTexts } from '../files/writeFile'
import { log } from '../logging'
import { withDefaults } from '../options'
import { TrainingArguments } from '../TrainingArguments'
import { describedModel } from './describedModel'
import { evaluatedPrefix } from './evaluations'
import { Growing } from './growing'
import { pageOf } from './page'
import type { LastEvaluation, Report, ReportedArgument, RunStatus } from './Report'
import type { ReportedRows } from './ReportedRows'
import { reportedRowsOf, showsRows } from './reportedRowsOf'
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
  readonly #details = new Map<string, LastEvaluation>()
  /** The rows of the evaluation that is under way: of which loader, under which prefix. */
  #current: { readonly of: unknown; readonly prefix: string; readonly rows: ReportedRows | undefined } | undefined
  #status: RunStatus = 'evaluated'
  #stepTimes = new Growing(new Float64Array())
  #stepBegan = 0
  #written = 0
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
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
    const { rows, prefix: collected } = this.#current ?? {}
    this.#current = undefined
    if (rows !== undefined && collected === prefix) this.#details.set(prefix!, { step: state.globalStep, rows })
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
  override async dispose(): Promise<void> {
    if (this.#last === undefined || this.#status !== 'running') return
    this.#status = 'failed'
    const [args, state, context] = this.#last
    if (!state.isWorldProcessZero) return
    const write = (): void =>
      this.#attempt(() => writeTextNow(join(args.outputDir, reportFile), pageOf(this.#report(args, state, context))))
    write()
    if (!this.#isWriting) return
    await this.#writing // an earlier page, which comes over this one
    write()
  }

  /** A batch's rows go to what collects those of this evaluation. */
  async #collect(
    evaluated: EvaluatedBatch,
    { model, processingClass, evalDataloader }: CallbackContext,
  ): Promise<void> {
    const { prefix } = evaluated
    if (this.#current?.of !== evalDataloader || this.#current?.prefix !== prefix) {
      const decoder = processingClass as Decoder | undefined
      const rows = showsRows(model) ? reportedRowsOf(model, this.#count, decoder) : undefined
      this.#current = { of: evalDataloader, prefix, rows }
    }
    try {
      await this.#current.rows?.add(evaluated)
    } catch (error) {
      this.#current = { ...this.#current, rows: undefined }
      log('warning', `The report is without the rows of this evaluation: ${sentenceOf(error)}`)
    }
  }

  /** Writes the page in the background, one after the other. */
  #write(args: TrainingArguments, state: Readonly<TrainerState>, context: CallbackContext): void {
    this.#last = [args, state, context]
    if (!state.isWorldProcessZero) return
    this.#written = performance.now()
    this.#attempt(() => {
      const page = pageOf(this.#report(args, state, context))
      this.#isWriting = true
      const writing = this.#writing
        .then(async () => writeTexts(args.outputDir, { [reportFile]: page }))
        .catch((error: unknown) => warn(error))
        .then(() => void (this.#isWriting = this.#writing !== writing))
      this.#writing = writing
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
      // not the argument's, which autoFindBatchSize may have lowered
      rowsPerStep: (state.trainBatchSize ?? args.trainBatchSize) * args.gradientAccumulationSteps,
      ...reportedArguments(args),
      engine,
    }
  }
}

function warn(error: unknown): void {
  log('warning', `${reportFile} was not written: ${sentenceOf(error)} Training goes on.`)
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
