import { type ProgressBar, ProgressBars, progressLabel } from '../terminal/progressBar'
import { checkOptions } from '../options'
import { standardError } from '../terminal/standardStreams'
import type { TextStream } from '../terminal/TextStream'
import type { TrainingArguments } from '../TrainingArguments'
import { formatLogs } from './format'
import { metricColumns, type ResultRow, ResultTable } from './resultTable'
import { type CallbackContext, TrainerCallback } from './TrainerCallback'
import type { TrainerControl } from './TrainerControl'
import type { LogEntry, TrainerState } from './TrainerState'

/** Without a terminal: seconds between two lines of progress. */
const plainInterval = 30

/**
 * Shows the progress of training. On a terminal: a progress bar below the notebook's table, which gets a row for every
 * evaluation (without evaluations, for every log). Elsewhere: every log as a plain line, the progress twice a minute,
 * and the table when training ends.
 */
export class ProgressCallback extends TrainerCallback {
  readonly #stream: TextStream
  readonly #maxStrLen: number
  #bars: ProgressBars | undefined
  #training: ProgressBar | undefined
  #prediction: ProgressBar | undefined
  #predicted = 0
  #table = new ResultTable([])
  /** Without a terminal: the rows to print when training ends. */
  #rows: ResultRow[] = []
  /** The row that several evaluation sets may still add to. */
  #open: ResultRow | undefined
  #start = { time: 0, step: 0 }
  /** Without a terminal: when a line of progress was last printed. */
  #printedAt = 0
  #isTraining = false

  /**
   * @param options.stream standard error by default.
   * @param options.maxStrLen longer texts in logs are replaced by a notice; 100 characters by default.
   */
  constructor(options: { stream?: TextStream; maxStrLen?: number } = {}) {
    super()
    checkOptions(options, ['stream', 'maxStrLen'], 'ProgressCallback')
    this.#stream = options.stream ?? standardError()
    this.#maxStrLen = options.maxStrLen ?? 100
  }

  override onTrainBegin(args: TrainingArguments, state: Readonly<TrainerState>): void {
    if (!state.isWorldProcessZero) return
    const now = performance.now()
    this.#isTraining = true
    this.#start = { time: now, step: state.globalStep }
    this.#printedAt = now
    this.#table = new ResultTable([firstColumn(args), 'Training Loss', 'Validation Loss'], this.#stream.columns)
    this.#rows = []
    if (this.#stream.isTTY !== true) return
    this.#bars ??= new ProgressBars(this.#stream)
    this.#training = this.#bars.add(state.maxSteps, state.globalStep, epochOf(state))
  }

  override onStepBegin(): void {
    this.#closeRow()
  }

  override onEpochBegin(): void {
    this.#closeRow()
  }

  override onSave(): void {
    this.#closeRow()
  }

  override onStepEnd(_args: TrainingArguments, state: Readonly<TrainerState>): void {
    this.#training?.update(state.globalStep, epochOf(state))
    if (!this.#isTraining || this.#training !== undefined) return
    const now = performance.now()
    if (now - this.#printedAt < plainInterval * 1000) return
    this.#printedAt = now
    const { step: before, time } = this.#start
    this.#print([
      progressLabel({
        done: state.globalStep,
        total: state.maxSteps,
        before,
        seconds: (now - time) / 1000,
        comment: epochOf(state),
      }),
    ])
  }

  override onPredictionStep(
    _args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    { evalDataloader }: CallbackContext,
  ): void {
    const total = (evalDataloader as { length?: unknown } | undefined)?.length
    if (typeof total !== 'number' || this.#stream.isTTY !== true || !state.isWorldProcessZero) return
    if (this.#prediction === undefined) {
      this.#bars ??= new ProgressBars(this.#stream)
      this.#prediction = this.#bars.add(total)
      this.#predicted = 0
    }
    this.#predicted += 1
    this.#prediction.update(this.#predicted)
  }

  override onPredict(): void {
    this.#endPrediction()
  }

  override onEvaluate(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    { metrics = {} }: CallbackContext,
  ): void {
    this.#endPrediction()
    if (!this.#isTraining) return
    const column = firstColumn(args)
    const first = column === 'Epoch' ? shownEpoch(state) : state.globalStep
    if (this.#open !== undefined && this.#open[column] !== first) this.#closeRow()
    this.#open = {
      [column]: first,
      'Training Loss': lastLoss(state) ?? 'No log',
      ...this.#open,
      ...metricColumns(metrics),
    }
  }

  override onLog(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    { logs = {} }: CallbackContext,
  ): void {
    if (!this.#isTraining) return
    if (this.#training === undefined) this.#print([formatLogs(logs, this.#maxStrLen)])
    else if (args.evalStrategy === 'no' && logs.loss !== undefined)
      this.#addRow({ Step: state.globalStep, 'Training Loss': logs.loss })
  }

  override onTrainEnd(_args: TrainingArguments, state: Readonly<TrainerState>): void {
    this.#closeRow()
    this.#endPrediction() // an evaluation that was broken off
    this.#isTraining = false
    if (this.#training === undefined) {
      this.#print(this.#rows.flatMap(row => this.#table.add(row)))
      return
    }
    this.#training.update(state.globalStep, epochOf(state))
    this.#stopBars()
  }

  /** Leaves the terminal when training or an evaluation has thrown. */
  override dispose(): void {
    this.#open = undefined
    this.#isTraining = false
    this.#prediction?.remove()
    this.#stopBars()
  }

  /** Removes the prediction's bar from below a training bar; alone it stays on the screen. */
  #endPrediction(): void {
    if (this.#prediction === undefined) return
    if (this.#training === undefined) this.#stopBars()
    else this.#prediction.remove()
    this.#prediction = undefined
  }

  #stopBars(): void {
    this.#bars?.stop()
    this.#bars = undefined
    this.#training = undefined
    this.#prediction = undefined
  }

  #closeRow(): void {
    const row = this.#open
    this.#open = undefined
    if (row !== undefined) this.#addRow(row)
  }

  #addRow(row: ResultRow): void {
    if (this.#training === undefined) this.#rows.push(row)
    else this.#bars?.print(this.#table.add(row))
  }

  #print(lines: readonly string[]): void {
    if (lines.length > 0) this.#stream.write(`${lines.join('\n')}\n`)
  }
}

function firstColumn({ evalStrategy }: TrainingArguments): 'Epoch' | 'Step' {
  return evalStrategy === 'epoch' ? 'Epoch' : 'Step'
}

function epochOf(state: Readonly<TrainerState>): string {
  return `Epoch ${shownEpoch(state)}/${state.numTrainEpochs}`
}

/** Within an epoch with decimals, so that it is not taken for the end of the epoch before. */
function shownEpoch({ epoch }: Readonly<TrainerState>): number | string {
  return Number.isInteger(epoch) ? epoch : epoch.toFixed(2)
}

function lastLoss({ logHistory }: Readonly<TrainerState>): LogEntry[string] | undefined {
  return logHistory.findLast(entry => entry.loss !== undefined)?.loss
}
