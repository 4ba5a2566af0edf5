// how far long work on data is
import { workReporter, type WorkProgress } from '../terminal/workProgress'
import { takeTurns } from '../turns'

/** Is told how far `map` or `filter` is. */
export type ProgressReporter = (progress: WorkProgress) => void

let onTerminal: ProgressReporter | undefined
/** Made at the first report: to import this file touches no stream. */
const showOnTerminal: ProgressReporter = progress => (onTerminal ??= workReporter())(progress)
let currentReporter: ProgressReporter | undefined = showOnTerminal

/** Sets who is told of the progress of `map` and `filter`; nobody when undefined. */
export function setProgressReporter(reporter: ProgressReporter | undefined): void {
  currentReporter = reporter
}

/** Shows how far `map` and `filter` are when they take long, as is the default. */
export function enableProgressBars(): void {
  setProgressReporter(showOnTerminal)
}

/** Lets `map` and `filter` work in silence. */
export function disableProgressBars(): void {
  setProgressReporter(undefined)
}

/** Milliseconds that work holds the event loop before others have a turn, and between two reports. */
const turn = 20
const betweenReports = 100

/**
 * A function to call with the rows done so far, and to wait for: it tells the reporter now and then, once more at the
 * end, and lets the event loop run. Work that is over before its first report is not reported at all.
 */
export function reportProgress(
  description: string,
  total: number,
  reporter = currentReporter,
): (done: number) => Promise<void> {
  const begin = performance.now()
  const takeTurn = takeTurns(turn)
  let lastReport = begin
  let reported = false
  return async done => {
    const now = performance.now()
    const due = done === total ? reported : now - lastReport >= betweenReports
    if (due) {
      lastReport = now
      reported = true
      reporter?.({ description, done, total, elapsed: now - begin })
    }
    await takeTurn()
  }
}
