// progress of long work on data
import { workReporter, type WorkProgress } from '../terminal/workProgress'
import { takeTurns } from '../turns'

/** Receives the progress of `map` or `filter`. */
export type ProgressReporter = (progress: WorkProgress) => void

let onTerminal: ProgressReporter | undefined
/** Made at the first report: importing this file touches no stream. */
const showOnTerminal: ProgressReporter = progress => (onTerminal ??= workReporter())(progress)
let currentReporter: ProgressReporter | undefined = showOnTerminal

/** Sets what receives the progress of `map` and `filter`; undefined turns reports off. */
export function setProgressReporter(reporter: ProgressReporter | undefined): void {
  currentReporter = reporter
}

/** Shows the progress of `map` and `filter` when they take long: the default. */
export function enableProgressBars(): void {
  setProgressReporter(showOnTerminal)
}

/** Turns the progress display of `map` and `filter` off. */
export function disableProgressBars(): void {
  setProgressReporter(undefined)
}

/** Milliseconds that work may hold the event loop. */
const turn = 20
/** Milliseconds between two reports. */
const reportInterval = 100

/**
 * A function to call with the number of rows done so far, and to await: it reports every 100 ms and at the end, and
 * lets the event loop run. Work that ends before its first report is not reported at all.
 */
export function reportProgress(
  description: string,
  total: number,
  reporter = currentReporter,
): (done: number) => Promise<void> {
  const start = performance.now()
  const takeTurn = takeTurns(turn)
  let lastReport = start
  let reported = false
  return async done => {
    const now = performance.now()
    const due = done === total ? reported : now - lastReport >= reportInterval
    if (due) {
      lastReport = now
      reported = true
      reporter?.({ description, done, total, elapsed: now - start })
    }
    await takeTurn()
  }
}
