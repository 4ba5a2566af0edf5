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
 * Loss and metrics have six decimals; a value that was not logged is "No log". A row that was added cannot change. Where
 * a terminal is too narrow, columns go on in further lines behind the first column, and values that are too long are cut.
 */
export class ResultTable {
  readonly #first: readonly string[]
  #columns: readonly string[] = []
  #headed = 0
  /** Of columns whose first value is wider than their title, as a list is. */
  readonly #wide = new Map<string, number>()
  readonly #width: number

  /**
   * @param first the titles that come first, in this order, if rows have them.
   * @param width the columns of the terminal, where there is one.
   */
  constructor(first: readonly string[], width = Infinity) {
    this.#first = first
    this.#width = width
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
    const lines = this.#lines(title => shown(title, row[title]))
    if (this.#headed === this.#columns.length) return lines
    this.#headed = this.#columns.length
    const rule = this.#parts()[0]!.map(title => '-'.repeat(this.#widthOf(title)))
    return [...this.#lines(title => title), rule.join('-+-'), ...lines]
  }

  #lines(cell: (title: string) => string): string[] {
    const [start = ''] = this.#columns
    return this.#parts().map((titles, part) => {
      const cells = titles.map(title => this.#fitted(cell(title), this.#widthOf(title)))
      return [...(part === 0 ? [] : [' '.repeat(this.#widthOf(start))]), ...cells].join(' | ')
    })
  }

  /** The columns of each line that a row takes. */
  #parts(): string[][] {
    const [start = '', ...others] = this.#columns
    const parts = [[start]]
    let length = this.#widthOf(start)
    for (const title of others) {
      length += 3 + this.#widthOf(title)
      if (length < this.#width) parts.at(-1)!.push(title)
      else {
        parts.push([title])
        length = this.#widthOf(start) + 3 + this.#widthOf(title)
      }
    }
    return parts
  }

  #fitted(text: string, width: number): string {
    const isCut = text.length > width && this.#width < Infinity
    return isCut ? `${text.slice(0, width - 1)}…` : text.padStart(width)
  }

  #widthOf(title: string): number {
    const least = title === 'Epoch' || title === 'Step' ? 6 : 8
    const wanted = Math.max(title.length, this.#wide.get(title) ?? 0, least)
    return Math.max(least, Math.min(wanted, this.#width - 10)) // behind a first column of 6
  }
}

function shown(title: string, value: ResultRow[string] | undefined): string {
  if (value === undefined) return 'No log'
  if (typeof value === 'object') return formatNested(value)
  if (typeof value !== 'number' || title === 'Epoch' || title === 'Step') return String(value)
  return Number.isFinite(value) ? value.toFixed(6) : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}
