import type { CallbackHandler, CallbackOrClass } from '../callbacks/CallbackHandler'
import type { CallbackEvent, EventContext, TrainerCallback, TrainerCallbackClass } from '../callbacks/TrainerCallback'
import { TrainerControl } from '../callbacks/TrainerControl'
import { type LogEntry, TrainerState } from '../callbacks/TrainerState'
import { plainMetrics } from '../metrics/plainMetrics'
import type { TrainingArguments } from '../TrainingArguments'
import { Exclusive } from './Exclusive'

/** The state of a run, its callbacks, and the events that they get. */
export abstract class TrainerEvents {
  /** The run's state; only the Trainer writes to it. */
  state = new TrainerState()
  /** What callbacks ask for. */
  control = new TrainerControl()
  abstract readonly args: TrainingArguments
  abstract readonly callbackHandler: CallbackHandler
  protected readonly exclusive = new Exclusive()

  /**
   * Logs numbers, and lists and objects of them: into the state's history with epoch, step and the tokens seen (if
   * counted), and to the callbacks.
   * @throws TrainerError (`argument`) for a value that a log cannot keep.
   */
  async log(logs: LogEntry): Promise<void> {
    const entry = this.stamped(plainMetrics(logs, 'log() was given'))
    this.state.logHistory.push({ ...entry, step: this.state.globalStep })
    await this.fire('onLog', { logs: entry })
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

  /** Whether this process is the first of its machine: there is only one. */
  isLocalProcessZero(): boolean {
    return this.state.isLocalProcessZero
  }

  /** Whether this process is the first of all: there is only one. */
  isWorldProcessZero(): boolean {
    return this.state.isWorldProcessZero
  }

  protected async fire(event: CallbackEvent, extra: EventContext = {}): Promise<void> {
    await this.exclusive.inside(async () =>
      this.callbackHandler.call(event, this.args, this.state, this.control, extra),
    )
  }

  /** Numbers with what every log says of where the run is. */
  protected stamped<Entry extends LogEntry>(logs: Entry): Entry & { readonly epoch: number } {
    const { epoch, numInputTokensSeen } = this.state
    const isCounted = this.args.includeNumInputTokensSeen !== 'no'
    return { ...logs, epoch, ...(isCounted && { num_input_tokens_seen: numInputTokensSeen }) }
  }
}
