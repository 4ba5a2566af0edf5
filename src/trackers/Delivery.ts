// work for a tracker, done beside training: its failures are warnings, and nothing waits for it for long
import { log } from '../logging'
import type { RunEnd, RunIdentity, TrackedRun, TrackedSession, Tracker } from './Tracker'
import type { LogEntry } from '../callbacks/TrainerState'

/** After so many failures in a row a tracker is left alone. */
const mostFailures = 3

/** What goes to one tracker of one run, in order and in the background. */
export class Delivery {
  readonly #tracker: Tracker
  readonly #abort = new AbortController()
  readonly #session: Promise<TrackedSession>
  #last: Promise<void>
  #identity: RunIdentity | undefined
  #failures = 0
  #waiting = 0

  constructor(tracker: Tracker, run: Omit<TrackedRun, 'signal'>) {
    this.#tracker = tracker
    this.#identity = run.resumed
    // in a turn of its own: what it does before it first waits does not hold the step up, and what it throws is caught
    this.#session = Promise.resolve().then(() => tracker.open({ ...run, signal: this.#abort.signal }))
    this.#last = this.#session.then(
      ({ identity }) => void (this.#identity = identity),
      (error: unknown) => this.#giveUp(error),
    )
  }

  /** The run as the tracker knows it; undefined until it has answered. */
  get identity(): RunIdentity | undefined {
    return this.#identity
  }

  log(logs: LogEntry, step: number): void {
    const time = Date.now()
    this.#then(session => session.log(logs, step, time))
  }

  /**
   * Ends the run when everything has been delivered, and waits for that.
   * @param deadline when the wait ends, by `performance.now()`: what has not arrived by then is lost, with a warning.
   */
  async finish(end: RunEnd, deadline: number): Promise<void> {
    this.#then(session => session.finish(end))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), Math.max(0, deadline - performance.now()))
    })
    if ((await Promise.race([this.#last, late])) === 'late') this.#leave()
    clearTimeout(timer)
  }

  #leave(): void {
    log(
      'warning',
      `${this.#tracker.name} has not answered: ${this.#waiting} of what the run reported may be missing there.`,
    )
    this.#failures = mostFailures
    this.#abort.abort()
  }

  #then(work: (session: TrackedSession) => Promise<void>): void {
    this.#waiting++
    this.#last = this.#last.then(async () => {
      if (this.#failures < mostFailures) await this.#attempt(work)
      this.#waiting--
    })
  }

  async #attempt(work: (session: TrackedSession) => Promise<void>): Promise<void> {
    try {
      await work(await this.#session)
      this.#failures = 0
    } catch (error) {
      if (++this.#failures >= mostFailures) this.#giveUp(error)
      else log('warning', `${this.#tracker.name} did not take a log: ${messageOf(error)}`)
    }
  }

  #giveUp(error: unknown): void {
    this.#failures = mostFailures
    log('warning', `${this.#tracker.name} is not reported to any longer: ${messageOf(error)} Training goes on.`)
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.?$/, '.')
}
