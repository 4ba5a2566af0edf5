// rows and their answers → lines of CSV, TSV or JSON Lines
import { type RowFormat, TrainerError, type WrittenRow } from '../index'

/** What a model answers for a row, by the names of columns. */
export type RowAnswer = Readonly<Record<string, unknown>>

/** Writes the rows of one stream, each with its answer, in one format. */
export class RowWriter {
  readonly #format: RowFormat
  readonly #delimiter: string
  /** The columns of the first row, which those of CSV and TSV are; and the names that answers go by. */
  #columns: readonly string[] | undefined
  #names: ReadonlyMap<string, string> = new Map()

  constructor(format: RowFormat) {
    this.#format = format
    this.#delimiter = format === 'tsv' ? '\t' : ','
  }

  /** The lines of some rows; before those of the first ones, the names of the columns. */
  lines(rows: readonly WrittenRow[], answers: readonly RowAnswer[]): string[] {
    const header = this.#columns === undefined ? this.#begin(rows[0]!, answers[0]!) : []
    return [...header, ...rows.map((row, at) => this.#line(row, answers[at]!))]
  }

  #begin(row: WrittenRow, answer: RowAnswer): string[] {
    this.#columns = Object.keys(row.cells)
    this.#names = freeNames(Object.keys(answer), this.#columns)
    return this.#format === 'jsonl' ? [] : [this.#cells([...this.#columns, ...this.#names.values()])]
  }

  #line(row: WrittenRow, answer: RowAnswer): string {
    const answered = Object.entries(answer).map(([name, value]) => [this.#names.get(name)!, value] as const)
    const taken = answered.find(([name]) => Object.hasOwn(row.cells, name))
    if (taken !== undefined)
      throw new TrainerError('data', `Row ${row.number} has a column '${taken[0]}', which the first row lacks.`, {
        fix: 'The answer would be written under that name: rename the column.',
      })
    if (this.#format === 'jsonl') return jsonLine(row, Object.fromEntries(answered))
    const columns = this.#columns!
    const other = Object.keys(row.cells).find(name => !columns.includes(name))
    if (other !== undefined)
      throw new TrainerError('data', `Row ${row.number} has a column '${other}', which the first row lacks.`, {
        fix: 'Write JSON Lines, whose rows may have columns of their own: --format jsonl.',
      })
    return this.#cells([...columns.map(name => row.cells[name]), ...answered.map(([, value]) => value)])
  }

  #cells(values: readonly unknown[]): string {
    return values.map(value => this.#cell(textOf(value))).join(this.#delimiter)
  }

  /** In TSV quotes are letters like others, but where a cell could not be written without. */
  #cell(text: string): string {
    const needsQuotes = this.#format === 'tsv' ? /[\t\r\n]/ : /[",\r\n]|^\s|\s$/
    return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
}

/** The names under which answers do not take a column's place: all of them as they are, or with a prefix. */
function freeNames(names: readonly string[], columns: readonly string[]): Map<string, string> {
  for (let prefix = ''; ; prefix += 'predicted_') {
    const named = names.map(name => [name, prefix + name] as const)
    if (named.every(([, name]) => !columns.includes(name))) return new Map(named)
  }
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean | bigint)
}

/** What a row was read from stays as it is written, 1.0 and large numbers too. */
function jsonLine({ json, cells }: WrittenRow, answer: RowAnswer): string {
  if (json === undefined) return JSON.stringify({ ...cells, ...answer })
  const answered = JSON.stringify(answer).slice(1)
  return `${json.slice(0, -1).trimEnd()}${Object.keys(cells).length === 0 ? '' : ','}${answered}`
}
