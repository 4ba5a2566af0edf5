// work for a tracker, done beside training: its failures are warnings, and nothing waits for it for long
import { randomUUID } from 'node:crypto'
import type { LogEntry } from '../callbacks/TrainerState'
import { sentenceOf } from '../errors'
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
  /** What was logged while the tracker was busy, or hangs: no more than the state's history keeps too. */
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
   * @returns whether the tracker is worth being asked again: it has answered in time, and has not been given up.
   */
  async finish(end: RunEnd, deadline: number): Promise<boolean> {
    this.#work = this.#work.then(() => this.#attempt("the run's end", session => session.finish(end)))
    const isInTime = await isDone(this.#work, deadline)
    if (!isInTime) {
      this.#failures = mostFailures
      const lost = lostText(this.#waiting.length + this.#underWay)
      log('warning', `${this.#tracker.name} has not answered in time. What may be missing there: ${lost}.`)
    }
    this.#abort.abort()
    return !this.#isLeft
  }

  get #isLeft(): boolean {
    return this.#failures >= mostFailures
  }

  async #deliver(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isLeft) {
      await this.#attempt('a log', async session => {
        const entries = this.#waiting.splice(0, mostAtOnce)
        this.#underWay = entries.length
        await session.log(entries)
      })
      this.#underWay = 0
    }
  }

  /** @param what the tracker is given, for the warning. */
  async #attempt(what: string, work: (session: TrackedSession) => Promise<void>): Promise<void> {
    if (this.#isLeft) return
    try {
      await work(await this.#session)
      this.#failures = 0
    } catch (error) {
      if (this.#isLeft) return // it was aborted: nobody has waited for it
      if (++this.#failures >= mostFailures) this.#giveUp(error)
      else log('warning', `${this.#tracker.name} did not take ${what}: ${sentenceOf(error)}`)
    }
  }

  #giveUp(error: unknown): void {
    if (this.#abort.signal.aborted) return
    this.#failures = mostFailures
    this.#waiting = []
    this.#abort.abort()
    log('warning', `${this.#tracker.name} is not reported to any longer: ${sentenceOf(error)} Training goes on.`)
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

/** What a tracker that has not answered may lack. */
function lostText(logs: number): string {
  if (logs === 0) return "the run's end"
  return `${logs === 1 ? '1 log' : `${logs} logs`} of the run, and its end`
}
