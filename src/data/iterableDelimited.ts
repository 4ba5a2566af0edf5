// CSV and TSV that comes in pieces of text → pieces of whole rows, whose columns keep the type that they begin with
import { TrainerError } from '../errors'
import { columnsOf, type DelimitedOptions, delimitedRows, type DelimitedRows, layoutOf } from './delimited'
import type { Feature, Features } from './features'
import type { ReadOptions } from './formats'
import { pickColumns } from './table'
import { typedColumn } from './typedCells'

type Cells = ReadonlyMap<string, readonly string[]>

/** More letters than any row has: a quote has opened that nothing closes. */
const longestRow = 1 << 25

/** The rows of a text that comes in pieces, as their cells are written. Each piece but the last ends behind a row. */
export async function* delimitedPieces(
  texts: AsyncIterable<string>,
  format: 'csv' | 'tsv',
  path: string,
  options: DelimitedOptions,
): AsyncGenerator<Cells, void, undefined> {
  for await (const { names, rows, broken } of delimitedStream(texts, format, path, options)) {
    if (broken !== undefined) throw broken
    yield columnsOf(names, rows)
  }
}

/** The same as rows; the last piece may end in front of one that is broken. */
export async function* delimitedStream(
  texts: AsyncIterable<string>,
  format: 'csv' | 'tsv',
  path: string,
  options: DelimitedOptions,
): AsyncGenerator<DelimitedRows, void, undefined> {
  let rest = ''
  let header: { readonly text: string; readonly rows: number } | undefined
  let reading = options
  let ends: RowEnds | undefined
  let before = 0 // rows of the file that stand before the text, blank lines counted
  const parse = (text: string): DelimitedRows =>
    delimitedRows(`${header?.text ?? ''}${text}`, format, path, reading, before - (header?.rows ?? 0))
  for await (const text of texts) {
    rest += text
    if (ends === undefined) {
      if (!/\S.*[\r\n]/.test(rest)) continue // the line that says what separates cells
      const { delimiter, start } = layoutOf(rest, format, options)
      const { sep: _, ...others } = options
      reading = { ...others, delimiter }
      rest = rest.slice(start)
      ends = new RowEnds(delimiter, options.quoting ?? format === 'csv')
    }
    const { first, last } = ends.within(rest)
    if (rest.length - last > longestRow) throw endless(path, before + ends.rows + 1)
    const isNamed = header === undefined && options.columnNames === undefined
    if (last === 0 || (isNamed && first === 0)) continue
    const whole = rest.slice(0, last)
    yield parse(whole)
    if (isNamed) header = { text: whole.slice(0, first), rows: ends.firstRows }
    before += ends.rows
    rest = rest.slice(last)
    ends.restart()
  }
  if (rest.trim() !== '' || header === undefined) yield parse(rest)
}

function endless(path: string, row: number): TrainerError {
  return new TrainerError('file', `${path}, row ${row}: it does not end within ${longestRow} letters.`, {
    fix: 'A quote opens there that is never closed: mend it in the file. If quotes are ordinary characters there, pass quoting: false.',
  })
}

/** Finds where rows end: a line end inside quotes does not end one. */
class RowEnds {
  readonly #delimiter: string
  readonly #quoting: boolean
  #at = 0
  #first = 0
  #last = 0
  #rows = 0
  #firstRows = 0

  constructor(delimiter: string, quoting: boolean) {
    this.#delimiter = delimiter
    this.#quoting = quoting
  }

  /** How many whole rows there are, blank lines counted; and how many up to the first that is none. */
  get rows(): number {
    return this.#rows
  }

  get firstRows(): number {
    return this.#firstRows
  }

  /** The text is now what stood behind the last row. */
  restart(): void {
    this.#at = this.#first = this.#last = this.#rows = this.#firstRows = 0
  }

  /** The ends of the first row (and of blank lines before it) and of the last whole one; 0 where there is none. */
  within(text: string): { readonly first: number; readonly last: number } {
    // A row is looked at again from its beginning when more of it has come.
    this.#at = this.#last
    while (this.#at < text.length && this.#row(text));
    return { first: this.#first, last: this.#last }
  }

  /** Goes behind a row. @returns whether it is whole. */
  #row(text: string): boolean {
    const start = this.#at
    for (;;) {
      if (this.#quoting && text.startsWith('"', this.#at) && !this.#quoted(text)) return false
      const end = this.#cellEnd(text)
      if (end === text.length) return false
      this.#at = end
      if (text.startsWith(this.#delimiter, end)) {
        this.#at += this.#delimiter.length
        continue
      }
      // \r at the end may be half of a line end
      if (text[end] === '\r' && end + 1 === text.length) return false
      this.#at = this.#last = end + (text.startsWith('\r\n', end) ? 2 : 1)
      this.#rows++
      if (this.#first === 0 && text.slice(start, end).trim() !== '') {
        this.#first = this.#last
        this.#firstRows = this.#rows
      }
      return true
    }
  }

  /** Goes behind a quoted cell's closing quote. @returns whether there is one. */
  #quoted(text: string): boolean {
    let closing = text.indexOf('"', this.#at + 1)
    while (closing >= 0 && text[closing + 1] === '"') closing = text.indexOf('"', closing + 2)
    if (closing < 0 || closing + 1 === text.length) return false
    this.#at = closing + 1
    return true
  }

  #cellEnd(text: string): number {
    for (let at = this.#at; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit === 10 || unit === 13 || text.startsWith(this.#delimiter, at)) return at
    }
    return text.length
  }
}

/**
 * The pieces with values of the types that their first rows show, or that a card says.
 * @throws TrainerError (`data`) where a column turns out to hold something else.
 */
export async function* typedPieces(
  pieces: AsyncIterable<Cells>,
  path: string,
  { columns, decimal = '.' }: ReadOptions,
  declared: Features = {},
): AsyncGenerator<Map<string, unknown[]>, void, undefined> {
  const kinds = new Map<string, string>()
  let rows = 0
  for await (const piece of pieces) {
    const names = pickColumns([...piece.keys()], columns, path)
    const values = new Map<string, unknown[]>()
    for (const name of names) {
      const others = names.filter(other => other !== name)
      const part = { cells: piece.get(name)!, place: `Column '${name}' of ${path}`, others, decimal }
      const feature = kinds.get(name) === 'string' ? text : declared[name]
      const made = typedColumn([part], feature).values[0]!
      const kind = typeof made.find(value => value !== null)
      const known = kinds.get(name)
      if (known !== undefined && kind !== 'undefined' && kind !== known) throw otherType(path, name, rows, known, kind)
      if (known === undefined && kind !== 'undefined') kinds.set(name, kind)
      values.set(name, made)
    }
    rows += values.values().next().value?.length ?? 0
    yield values
  }
}

const text: Feature = { type: 'Value', dtype: 'string' }

function otherType(path: string, name: string, rows: number, known: string, found: string): TrainerError {
  const plural = (kind: string): string => (kind === 'string' ? 'texts' : `${kind}s`)
  return new TrainerError(
    'data',
    `Column '${name}' of ${path} holds ${plural(known)} in its first ${rows} rows, and ${plural(found)} behind them.`,
    { fix: 'Load it without streaming, which looks at all rows, or declare the column in a card (README.md).' },
  )
}
