import { TrainerError } from '../errors'
import type { TrainingArguments } from '../TrainingArguments'
import { type CallbackContext, TrainerCallback } from './TrainerCallback'
import type { TrainerControl } from './TrainerControl'
import type { LogEntry, TrainerState } from './TrainerState'

/** Where lines go: a function, or something with `write`, such as a stream of Node. */
export type LineSink = ((line: string) => unknown) | { write(line: string): unknown }

/**
 * Writes every log as one line of JSON: its values with `step`, and `run_name` if `runName` is set. Numbers that are
 * not finite become null.
 *
 * It does not open a file: give it a sink, e.g. `createWriteStream('log.jsonl', { flags: 'a' })`. A promise that the
 * sink returns is awaited. The same lines come into `log.jsonl` of the output folder by `reportTo: 'jsonl'`.
 */
export class JsonlLogCallback extends TrainerCallback {
  readonly #write: (line: string) => unknown

  /** @throws TrainerError (`argument`) for a sink that lines cannot be written to. */
  constructor(sink: LineSink) {
    super()
    if (typeof sink !== 'function' && typeof (sink as { write?: unknown } | undefined)?.write !== 'function') {
      throw new TrainerError(
        'argument',
        `JsonlLogCallback needs a function or a stream to write lines to, but was given ${JSON.stringify(sink)}.`,
        { fix: "Open a file with createWriteStream('log.jsonl', { flags: 'a' }) and give that." },
      )
    }
    this.#write = typeof sink === 'function' ? sink : line => sink.write(line)
  }

  override async onLog(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    { logs = {} }: CallbackContext,
  ): Promise<void> {
    await this.#write(logLine(args.runName, logs, state.globalStep))
  }
}

/** A log as one line of JSON, with the name of its run and its step. */
export function logLine(runName: string | undefined, logs: LogEntry, step: number): string {
  return `${JSON.stringify({ ...(runName === undefined ? {} : { run_name: runName }), ...logs, step })}\n`
}
