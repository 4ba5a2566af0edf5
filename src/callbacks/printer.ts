import type { TextStream } from '../terminal/TextStream'
import type { TrainingArguments } from '../TrainingArguments'
import { formatLogs } from './format'
import { type CallbackContext, TrainerCallback } from './TrainerCallback'
import type { TrainerControl } from './TrainerControl'
import type { TrainerState } from './TrainerState'

/** Prints every log as one line. It takes the progress bar's place where `disableTqdm` is set. */
export class PrinterCallback extends TrainerCallback {
  readonly #stream: TextStream

  /** @param options.stream where to; standard error unless given. */
  constructor({ stream = process.stderr }: { stream?: TextStream } = {}) {
    super()
    this.#stream = stream
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
