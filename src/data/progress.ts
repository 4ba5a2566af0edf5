// how far long work on data is: said to whoever set a reporter, printed by nobody here

/** How far a walk over a dataset is. */
export interface DataProgress {
  /** What is being done: 'Map', or what the option `desc` says. */
  readonly description: string
  /** Rows done. */
  readonly done: number
  /** Rows in all. */
  readonly total: number
  /** Milliseconds since the work began. */
  readonly elapsed: number
}

/** Is told how far `map` or `filter` is. */
export type ProgressReporter = (progress: DataProgress) => void

let currentReporter: ProgressReporter | undefined

/** Sets who is told of the progress of `map` (undefined: nobody) and gives back who was told before. */
export function setProgressReporter(reporter: ProgressReporter | undefined): ProgressReporter | undefined {
  const before = currentReporter
  currentReporter = reporter
  return before
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
  let [lastReport, lastTurn, reported] = [begin, begin, false]
  return async done => {
    const now = performance.now()
    const due = done === total ? reported : now - lastReport >= betweenReports
    if (due) {
      ;[lastReport, reported] = [now, true]
      reporter?.({ description, done, total, elapsed: now - begin })
    }
    if (now - lastTurn < turn) return
    await new Promise(resolve => setImmediate(resolve))
    lastTurn = performance.now()
  }
}
