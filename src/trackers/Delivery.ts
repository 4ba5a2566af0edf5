// work for a tracker, done beside training: its failures are warnings, and nothing waits for it for long
import { randomUUID } from 'node:crypto'
import type { LogEntry } from '../callbacks/TrainerState'
import { log } from '../logging'
import type { RunEnd, RunIdentity, TrackedLog, TrackedRun, TrackedSession, Tracker } from './Tracker'

/** After so many failures in a row a tracker is left alone. */
const mostFailures = 3
/** How many logs a tracker is given at once. */
const mostAtOnce = 100

/** What goes to one tracker of one run, in order and in the background. */
export class Delivery {
  readonly #tracker: Tracker
  readonly #abort = new AbortController()
  readonly #session: Promise<TrackedSession>
  /** Settles when all that was asked for so far is done; it is never rejected. */
  #work: Promise<void>
  #waiting: TrackedLog[] = []
  /** Logs that the tracker is taking. */
  #underWay = 0
  #identity: RunIdentity
  #failures = 0

  constructor(tracker: Tracker, run: Omit<TrackedRun, 'mark' | 'signal'>) {
    this.#tracker = tracker
    const mark = run.resumed?.['mark'] ?? randomUUID().replaceAll('-', '')
    this.#identity = run.resumed ?? { mark }
    // in a turn of its own: what it does before it first waits does not hold the step up, and what it throws is caught
    this.#session = Promise.resolve().then(() => tracker.open({ ...run, mark, signal: this.#abort.signal }))
    this.#work = this.#session.then(
      session => void (this.#identity = session.identity),
      (error: unknown) => this.#giveUp(error),
    )
  }

  /** The run as the tracker knows it; its mark until the tracker has answered. */
  get identity(): RunIdentity {
    return this.#identity
  }

  /** Waits until the tracker knows the run, or has failed. @param deadline by `performance.now()`. */
  async known(deadline: number): Promise<void> {
    await isDone(this.#session, deadline)
  }

  log(logs: LogEntry, step: number): void {
    if (this.#isLeft) return
    this.#waiting.push({ logs, step, time: Date.now() })
    if (this.#waiting.length === 1) this.#work = this.#work.then(() => this.#deliver())
  }

  /**
   * Ends the run when everything has been delivered, and waits for that.
   * @param deadline when the wait ends, by `performance.now()`: what has not arrived by then is lost, with a warning.
   * @returns whether the tracker has answered in time.
   */
  async finish(end: RunEnd, deadline: number): Promise<boolean> {
    this.#work = this.#work.then(() => this.#attempt(session => session.finish(end)))
    const isInTime = await isDone(this.#work, deadline)
    if (!isInTime) {
      this.#failures = mostFailures
      const lost = this.#waiting.length + this.#underWay
      log(
        'warning',
        `${this.#tracker.name} has not answered in time: ${lost} logs of the run may be missing there, and its end.`,
      )
    }
    this.#abort.abort()
    return isInTime
  }

  get #isLeft(): boolean {
    return this.#failures >= mostFailures
  }

  async #deliver(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isLeft) {
      await this.#attempt(async session => {
        const entries = this.#waiting.splice(0, session.logAll === undefined ? 1 : mostAtOnce)
        this.#underWay = entries.length
        if (session.logAll !== undefined) return session.logAll(entries)
        for (const { logs, step, time } of entries) await session.log(logs, step, time)
      })
      this.#underWay = 0
    }
  }

  async #attempt(work: (session: TrackedSession) => Promise<void>): Promise<void> {
    if (this.#isLeft) return
    try {
      await work(await this.#session)
      this.#failures = 0
    } catch (error) {
      if (this.#isLeft) return // it was aborted: nobody has waited for it
      if (++this.#failures >= mostFailures) this.#giveUp(error)
      else log('warning', `${this.#tracker.name} did not take a log: ${messageOf(error)}`)
    }
  }

  #giveUp(error: unknown): void {
    if (this.#abort.signal.aborted) return
    this.#failures = mostFailures
    this.#waiting = []
    log('warning', `${this.#tracker.name} is not reported to any longer: ${messageOf(error)} Training goes on.`)
  }
}

/** Waits until a promise is settled, but not beyond a time; whether it is. */
async function isDone(promise: Promise<unknown>, deadline: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), Math.max(0, deadline - performance.now()))
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  const result = await Promise.race([settled, late])
  clearTimeout(timer)
  return result
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.?$/, '.')
}
