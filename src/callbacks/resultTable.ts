import type { MetricValue } from '../metrics/Metrics'
import { formatNested } from './format'
import type { LogEntry } from './TrainerState'

/** A row of the table of results, by column title. */
export type ResultRow = Readonly<Record<string, MetricValue>>

const notResults = [
  /^(?:epoch|step|total_flos|num_input_tokens_seen|train_.*)$/,
  /_(?:runtime|(?:samples|steps|tokens)_per_second|model_preparation_time)$/,
]

/**
 * The metrics of an evaluation by column title: `eval_loss` is "Validation Loss", `eval_matthews_correlation` is
 * "Matthews Correlation".
 */
export function metricColumns(metrics: LogEntry): ResultRow {
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(([key]) => !notResults.some(form => form.test(key)))
      .map(([key, value]) => {
        const title = key
          .split('_')
          .slice(1)
          .map(part => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
          .join(' ')
        return [title === 'Loss' ? 'Validation Loss' : title, value]
      }),
  )
}

/**
 * A table of results that grows: a header before the first row, and again before a row with new columns.
 *
 * Loss and metrics have six decimals; a value that was not logged is "No log". A row that was added cannot change.
 */
export class ResultTable {
  readonly #first: readonly string[]
  #columns: readonly string[] = []
  #headed = 0
  /** Of columns whose first value is wider than their title, as a list is. */
  readonly #wide = new Map<string, number>()

  /** @param first the titles that come first, in this order, if rows have them. */
  constructor(first: readonly string[]) {
    this.#first = first
  }

  /** The lines that a row adds to the table. */
  add(row: ResultRow): string[] {
    const titles = new Set([...this.#columns, ...Object.keys(row)])
    this.#columns = [
      ...this.#first.filter(title => titles.has(title)),
      ...[...titles].filter(title => !this.#first.includes(title)),
    ]
    for (const title of Object.keys(row)) {
      if (!this.#wide.has(title)) this.#wide.set(title, shown(title, row[title]).length)
    }
    const line = this.#line(title => shown(title, row[title]))
    if (this.#headed === this.#columns.length) return [line]
    this.#headed = this.#columns.length
    return [this.#line(title => title), this.#columns.map(title => '-'.repeat(this.#widthOf(title))).join('-+-'), line]
  }

  #line(cell: (title: string) => string): string {
    return this.#columns.map(title => cell(title).padStart(this.#widthOf(title))).join(' | ')
  }

  #widthOf(title: string): number {
    return Math.max(title.length, this.#wide.get(title) ?? 0, title === 'Epoch' || title === 'Step' ? 6 : 8)
  }
}

function shown(title: string, value: ResultRow[string] | undefined): string {
  if (value === undefined) return 'No log'
  if (typeof value === 'object') return formatNested(value)
  if (typeof value !== 'number' || title === 'Epoch' || title === 'Step') return String(value)
  return Number.isFinite(value) ? value.toFixed(6) : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}
