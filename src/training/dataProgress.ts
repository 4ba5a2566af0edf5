import { workReporter } from '../callbacks/workProgress'
import { setProgressReporter } from '../data/progress'

/** Shows how far `map` and `filter` are when they take long: so it is unless `disableProgressBars` was called. */
export function enableProgressBars(): void {
  setProgressReporter(workReporter())
}

/** Lets `map` and `filter` work in silence. */
export function disableProgressBars(): void {
  setProgressReporter(undefined)
}

enableProgressBars()
