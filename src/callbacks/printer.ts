import { standardError } from '../terminal/standardStreams'
import { checkOptions } from '../options'
import type { TextStream } from '../terminal/TextStream'
import type { TrainingArguments } from '../TrainingArguments'
import { formatLogs } from './format'
import { type CallbackContext, TrainerCallback } from './TrainerCallback'
import type { TrainerControl } from './TrainerControl'
import type { TrainerState } from './TrainerState'

/** Prints every log as one line. With `disableTqdm` it replaces the progress bar. */
export class PrinterCallback extends TrainerCallback {
  readonly #stream: TextStream

  /** @param options.stream standard error by default. */
  constructor(options: { stream?: TextStream } = {}) {
    super()
    checkOptions(options, ['stream'], 'PrinterCallback')
    this.#stream = options.stream ?? standardError()
  }

  override onLog(
    _args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    { logs = {} }: CallbackContext,
  ): void {
    if (state.isLocalProcessZero) this.#stream.write(`${formatLogs(logs)}\n`)
  }
}
