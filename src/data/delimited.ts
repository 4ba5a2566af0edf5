// CSV and TSV → columns of cells as they are written
import { TrainerError } from '../errors'
import { parseCells, type Cells } from './cells'

/** Options of CSV and TSV files. */
export interface DelimitedOptions {
  /**
   * What separates cells. By default a tab in `.tsv` files; in `.csv` files what a first line `sep=;` says, else the
   * comma, or the semicolon or tab when the first line has no comma.
   */
  readonly delimiter?: string
  /** pandas's name for `delimiter`. */
  readonly sep?: string
  /**
   * Whether quotes enclose cells. By default yes in CSV; in TSV no (GLUE's files have quotes at random), unless only so
   * all rows have the same number of cells.
   */
  readonly quoting?: boolean
  /** Names for the columns of a file whose first line does not name them; with `skipRows: 1`, in place of its names. */
  readonly columnNames?: readonly string[]
  /** How numbers are written: 0.5 or, with ',', 0,5. A point by default. */
  readonly decimal?: '.' | ','
  /** How many lines to leave out at the beginning of each file, before the line that names the columns. */
  readonly skipRows?: number
}

/** The rows of a text as their cells are written. */
export interface DelimitedRows {
  /** The names of the columns; '' where the file has none. */
  readonly names: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** The number of each row in the file, counted from 1, as a spreadsheet shows it. */
  readonly numbers: readonly number[]
  /** What is wrong with the row behind them, where one does not fit: rows from there on are not read. */
  readonly broken?: TrainerError
}

/**
 * The columns of a CSV or TSV text, as they are written. The first line names them; columns without a name are left out
 * if they are empty, and get pandas's names (`Unnamed: 2`) otherwise.
 * @throws TrainerError naming the row whose cells do not fit.
 */
export function parseDelimited(
  text: string,
  format: 'csv' | 'tsv',
  file: string,
  options: DelimitedOptions,
): Map<string, string[]> {
  const { names, rows, broken } = delimitedRows(text, format, file, options)
  if (broken !== undefined) throw broken
  return columnsOf(names, rows)
}

/** Rows as columns; see {@link parseDelimited}. */
export function columnsOf(names: readonly string[], rows: readonly (readonly string[])[]): Map<string, string[]> {
  const columns = names.map((name, at): [string, string[]] => [name, rows.map(row => row[at]!)])
  return new Map(
    columns
      .map(([name, column], at): [string, string[]] => [nameOfColumn(name, at), column])
      .filter(([, column], at) => names[at] !== '' || column.some(cell => cell !== '')),
  )
}

/** What a column is called that may have no name. */
export function nameOfColumn(name: string, at: number): string {
  return name === '' ? `Unnamed: ${at}` : name
}

/**
 * The rows of a CSV or TSV text up to one that does not fit.
 * @param before how many rows of the file stand before the text, less those that are repeated in it.
 * @throws TrainerError where the columns have no names.
 */
export function delimitedRows(
  text: string,
  format: 'csv' | 'tsv',
  file: string,
  options: DelimitedOptions,
  before = 0,
): DelimitedRows {
  const { delimiter, start, skipRows } = layoutOf(text, format, options)
  const cut = (quoting: boolean): Cells => parseCells(text.slice(start), { delimiter, quoting, skipRows })
  const quoting = options.quoting ?? format === 'csv'
  let cells = cut(quoting)
  if (format === 'tsv' && options.quoting === undefined && isUneven(cells)) {
    const quoted = cut(true)
    if (quoted.openQuote === undefined && !isUneven(quoted)) cells = quoted
  }
  const names = namesOf(cells, file, options)
  const first = options.columnNames === undefined ? 1 : 0
  const numbers = cells.numbers.map(number => number + before)
  const part = (end: number): DelimitedRows => ({
    names,
    rows: cells.rows.slice(first, end),
    numbers: numbers.slice(first, end),
  })
  if (!isUneven(cells, names.length)) return part(cells.rows.length)
  const openQuote = cells.openQuote === undefined ? undefined : cells.openQuote + before
  const broken = unevenRows({ ...cells, numbers, openQuote }, names, file, quoting, () => cut(!quoting))
  const wrong = cells.rows.findIndex((row, at) => row.length !== names.length || numbers[at] === openQuote)
  return { ...part(Math.max(wrong, first)), broken }
}

function isUneven({ rows, openQuote }: Cells, width = rows[0]?.length): boolean {
  return openQuote !== undefined || rows.some(row => row.length !== width)
}

function namesOf({ rows }: Cells, file: string, { columnNames, skipRows = 0 }: DelimitedOptions): readonly string[] {
  const names = columnNames ?? rows[0]
  if (names === undefined) {
    const left = skipRows === 0 ? 'is empty' : `has nothing left after skipRows: ${skipRows}`
    throw new TrainerError('file', `${file} ${left}: a line that names the columns was expected.`)
  }
  const twice = names.find((name, at) => name !== '' && names.indexOf(name) !== at)
  if (twice === undefined) return names
  throw new TrainerError('file', `${file} has two columns named '${twice}'.`, {
    fix:
      columnNames === undefined
        ? `Name them yourself, and leave out the line that names them: columnNames: […], skipRows: ${skipRows + 1}.`
        : `Give each of columnNames a name of its own.`,
  })
}

/** The error for rows that do not have a cell for each name; it advises another way to read quotes if that one fits. */
function unevenRows(
  { rows, numbers, openQuote }: Cells,
  names: readonly string[],
  file: string,
  quoting: boolean,
  otherwise: () => Cells,
): TrainerError {
  const other = otherwise()
  const advice = quoting
    ? 'If quotes are ordinary characters there, pass quoting: false.'
    : 'If quotes enclose cells there, pass quoting: true.'
  const fix = isUneven(other, names.length) ? 'Mend that row in the file.' : advice
  if (openQuote !== undefined)
    return new TrainerError('file', `${file}, row ${openQuote}: a quote opens that is never closed.`, { fix })
  const wrong = rows.findIndex(row => row.length !== names.length)
  const wanted = `${names.length} cells were expected (${names.join(', ')})`
  return new TrainerError('file', `${file}, row ${numbers[wrong]}: ${wanted}, but it has ${rows[wrong]!.length}.`, {
    fix,
  })
}

/** How a file is laid out. */
export interface Layout {
  readonly delimiter: string
  /** Where the text begins, behind a line `sep=;`, and how many rows are left out from there on. */
  readonly start: number
  readonly skipRows: number
}

/** How a text is laid out, by its beginning. @throws TrainerError (`argument`) for options that contradict each other. */
export function layoutOf(text: string, format: 'csv' | 'tsv', options: DelimitedOptions): Layout {
  const { sep, decimal = '.', skipRows = 0 } = options
  const given = options.delimiter ?? sep
  if (sep !== undefined && given !== sep)
    throw new TrainerError('argument', `delimiter is '${given}' and sep is '${sep}': both say what separates cells.`, {
      fix: 'Give one of them.',
    })
  if (given !== undefined && given.length > 1 && given.includes('\\')) {
    throw new TrainerError(
      'argument',
      `The delimiter '${given}' looks like a regular expression, as pandas takes it.`,
      {
        fix: 'Here it is the text itself that separates cells, of one character or more.',
      },
    )
  }
  if (given === '') throw new TrainerError('argument', "The delimiter is '', which separates nothing.")
  const marked = format === 'csv' ? /^"?sep=(.)"?(?:\r\n|\n|\r)/i.exec(text) : null
  const start = marked?.[0].length ?? 0
  // Excel's line counts as the first of those that are left out.
  const left = marked === null ? skipRows : Math.max(skipRows - 1, 0)
  const found = (): string => marked?.[1] ?? (format === 'tsv' ? '\t' : delimiterOf(text, left, decimal))
  return { delimiter: given ?? found(), start, skipRows: left }
}

/** The delimiter that the first line has, of those that are left. A comma that is the decimal sign comes last. */
function delimiterOf(text: string, skipRows: number, decimal: string): string {
  const line = text.split(/\r\n|\n|\r/, skipRows + 1)[skipRows] ?? ''
  const unquoted = line.replace(/"[^"]*"/g, '')
  const candidates = decimal === ',' ? [';', '\t', ','] : [',', ';', '\t']
  return candidates.find(candidate => unquoted.includes(candidate)) ?? candidates[0]!
}
