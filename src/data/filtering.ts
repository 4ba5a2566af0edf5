// rows → the numbers of those that a predicate keeps
import { checkOptions } from '../options'
import { reportProgress, type ProgressReporter } from './progress'
import type { Awaitable, RowInput } from './rows'

/** Whether a row is kept. */
export type Predicate<Row, Expected> = (row: RowInput<Row, Expected>, index: number) => boolean

/** A promise of whether a row is kept. */
export type AsyncPredicate<Row, Expected> = (row: RowInput<Row, Expected>, index: number) => Promise<boolean>

/** Options of `filter`. They apply to asynchronous predicates; any other is called for all rows without a break. */
export interface FilterOptions {
  /** What the progress display calls the work. */
  readonly desc?: string
  /** Receives the progress; by default the reporter that `setProgressReporter` set. */
  readonly onProgress?: ProgressReporter
}

/** The indices of the rows that are kept; a promise of them if `keep` returns promises. */
export function filterRows(
  length: number,
  keep: (index: number) => Awaitable<boolean>,
  options: FilterOptions = {},
): Awaitable<number[]> {
  checkOptions(options, ['desc', 'onProgress'], 'filter()')
  const kept: number[] = []
  for (let index = 0; index < length; index++) {
    const verdict = keep(index)
    if (verdict instanceof Promise) return filterLater(length, keep, options, kept, { index, verdict })
    if (verdict) kept.push(index)
  }
  return kept
}

/** The rest of a filter from its first promise on, added to the rows `kept` before; the event loop runs in between. */
async function filterLater(
  length: number,
  keep: (index: number) => Awaitable<boolean>,
  options: FilterOptions,
  kept: readonly number[],
  first: { readonly index: number; readonly verdict: Promise<boolean> },
): Promise<number[]> {
  const all = [...kept]
  const progress = reportProgress(options.desc ?? 'Filter', length, options.onProgress)
  for (let index = first.index; index < length; index++) {
    if (await (index === first.index ? first.verdict : keep(index))) all.push(index)
    await progress(index + 1)
  }
  return all
}
