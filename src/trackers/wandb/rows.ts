// what a log is to Weights & Biases: a row of its history, and values that belong to the summary alone
import type { LogEntry } from '../../callbacks/TrainerState'
import { isOfTheWholeRun, trackedKey } from '../logKeys'

/** The key that everything is shown against. */
export const stepKey = 'train/global_step'

/** A log's parts, each by the keys that it has there. */
export function partsOf(logs: LogEntry, step: number): { readonly row: LogEntry; readonly summary: LogEntry } {
  const entries = Object.entries(logs)
  const row = entries.filter(([key]) => !isOfTheWholeRun(key)).map(([key, value]) => [trackedKey(key), value] as const)
  return {
    row: { ...Object.fromEntries(row), [stepKey]: step },
    summary: Object.fromEntries(entries.filter(([key]) => isOfTheWholeRun(key))),
  }
}
