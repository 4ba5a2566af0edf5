import type { RunNumbers } from './RunSnapshot'

/** The bookkeeping of the training loss: what has been since the last log, and in the whole run. */
export class LossLog {
  #window = 0
  #total = 0
  #loggedAt = 0
  /** Updates whose loss is in the window; in the whole run; and those that were left out. */
  #inWindow = 0
  #updates = 0
  #skipped = 0

  /**
   * Takes an update's loss. With `filter`, one that is not finite counts as the mean of the window so far: Hugging
   * Face's `logging_nan_inf_filter`.
   */
  add(loss: number, step: number, filter: boolean): void {
    this.#inWindow++
    this.#updates++
    if (filter && !Number.isFinite(loss)) this.#window += this.#window / (1 + step - this.#loggedAt)
    else this.#window += loss
  }

  /** Counts an update that was left out because its loss or gradient was not finite. */
  skip(): void {
    this.#skipped++
  }

  /** Whether there was an update since the last log. */
  due(step: number): boolean {
    return step > this.#loggedAt
  }

  /** The mean over the updates since the last log, which this is; NaN when all of them were left out. */
  log(step: number): { readonly loss: number; readonly skipped: number } {
    const loss = this.#window / this.#inWindow
    this.#total += this.#window
    this.#window = 0
    this.#inWindow = 0
    this.#loggedAt = step
    return { loss, skipped: this.#skipped }
  }

  /** The mean over all updates of the run, those before a resume included; NaN when all were left out. */
  mean(): number {
    if (this.#updates === 0 && this.#skipped > 0) return NaN
    return (this.#total + this.#window) / Math.max(this.#updates, 0.001)
  }

  /** Begins at a step of which nothing else is known. */
  startAt(step: number): void {
    this.#loggedAt = step
  }

  state(): RunNumbers {
    return {
      loss_since_log: this.#window,
      updates_since_log: this.#inWindow,
      loss_logged: this.#total,
      last_logged_step: this.#loggedAt,
      updates: this.#updates,
      skipped_updates: this.#skipped,
    }
  }

  restore(numbers: RunNumbers): void {
    const number = (name: string): number => Number(numbers[name] ?? 0)
    this.#window = number('loss_since_log')
    this.#inWindow = number('updates_since_log')
    this.#total = number('loss_logged')
    this.#loggedAt = number('last_logged_step')
    this.#updates = number('updates')
    this.#skipped = number('skipped_updates')
  }
}
