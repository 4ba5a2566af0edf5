// CSV and TSV → columns
import Papa from 'papaparse'
import { TrainerError } from '../errors'

/** Options of CSV and TSV files. */
export interface DelimitedOptions {
  /**
   * What separates cells. By default a tab in `.tsv` files; in `.csv` files the comma, or the semicolon or tab when the
   * first line has no comma.
   */
  readonly delimiter?: string
  /**
   * Whether quotes enclose cells. By default yes in CSV; in TSV no (GLUE's files have quotes at random), unless only so
   * all rows have the same number of cells.
   */
  readonly quoting?: boolean
  /** Names for the columns of a file whose first line does not name them. */
  readonly columnNames?: readonly string[]
}

/**
 * The columns of a CSV or TSV text. The first line names them. Columns whose cells are all numbers become numbers,
 * those of true and false booleans; empty cells are null.
 * @throws TrainerError naming the line whose cells do not fit.
 */
export function parseDelimited(
  text: string,
  format: 'csv' | 'tsv',
  file: string,
  options: DelimitedOptions,
): Map<string, unknown[]> {
  const delimiter = options.delimiter ?? (format === 'tsv' ? '\t' : delimiterOf(text))
  const quoting = options.quoting ?? format === 'csv'
  let cells = parseCells(text, delimiter, quoting)
  if (format === 'tsv' && options.quoting === undefined && isUneven(cells.rows)) {
    const quoted = parseCells(text, delimiter, true)
    if (quoted.error === undefined && !isUneven(quoted.rows)) cells = quoted
  }
  const names = options.columnNames ?? cells.rows.shift() ?? []
  checkRows(names, cells, file, options.columnNames === undefined ? 2 : 1, quoting)
  return new Map(names.map((name, at) => [name, typedCells(cells.rows.map(row => row[at]!))]))
}

interface Cells {
  readonly rows: string[][]
  /** The first complaint about quotes, and the row that it is about. */
  readonly error: { readonly message: string; readonly row: number } | undefined
}

function parseCells(text: string, delimiter: string, quoting: boolean): Cells {
  const { data, errors } = Papa.parse<string[]>(text, {
    delimiter,
    skipEmptyLines: true,
    ...(!quoting && { quoteChar: '\0', escapeChar: '\0' }),
  })
  const quotes = quoting ? errors.find(error => error.type === 'Quotes') : undefined
  return { rows: data, error: quotes && { message: quotes.message, row: quotes.row ?? 0 } }
}

function isUneven(rows: readonly string[][]): boolean {
  return rows.some(row => row.length !== rows[0]!.length)
}

function checkRows(
  names: readonly string[],
  { rows, error }: Cells,
  file: string,
  firstLine: number,
  quoting: boolean,
): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined)
    throw new TrainerError('file', `${file} has two columns named '${twice}'.`, {
      fix: 'Name them yourself: columnNames: […].',
    })
  const wrong = rows.findIndex(row => row.length !== names.length)
  if (error === undefined && wrong < 0) return
  const fix = quoting
    ? 'If quotes are ordinary characters there, pass quoting: false.'
    : 'If quotes enclose cells there, pass quoting: true.'
  if (error !== undefined) throw new TrainerError('file', `${file}, row ${error.row + 1}: ${error.message}.`, { fix })
  const wanted = `${names.length} cells were expected (${names.join(', ')})`
  throw new TrainerError('file', `${file}, row ${wrong + firstLine}: ${wanted}, but it has ${rows[wrong]!.length}.`, {
    fix,
  })
}

function delimiterOf(text: string): string {
  const line = text.slice(0, text.search(/\r?\n|$/))
  if (line.includes(',')) return ','
  return line.includes(';') ? ';' : line.includes('\t') ? '\t' : ','
}

const decimal = /^[+-]?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$|^[+-]?\.\d+$/i
const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
}

/** The cells of a column as numbers or booleans if all of them are, empty ones as null. */
function typedCells(cells: readonly string[]): unknown[] {
  const filled = cells.filter(cell => cell !== '')
  const convert = filled.every(isNumber)
    ? Number
    : filled.every(cell => Object.hasOwn(booleans, cell))
      ? (cell: string) => booleans[cell]
      : (cell: string) => cell
  return cells.map(cell => (cell === '' ? null : convert(cell)))
}

/** Whether a cell is a number that is kept exactly: `007` and integers beyond 2⁵³ stay texts. */
function isNumber(cell: string): boolean {
  return decimal.test(cell) && (!/^[+-]?\d+$/.test(cell) || Number.isSafeInteger(Number(cell)))
}
