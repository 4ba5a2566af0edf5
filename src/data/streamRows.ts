// bytes as they come → rows as they are written
import { quoted, TrainerError } from '../errors'
import { checkOptions, shown } from '../options'
import type { DelimitedOptions } from './delimited'
import { nameOfColumn } from './delimited'
import { delimitedStream } from './iterableDelimited'
import { parseJsonLine } from './jsonRows'
import { wholeLines } from './wholeLines'

const formats = ['csv', 'tsv', 'jsonl'] as const

/** What rows are streamed in. */
export type RowFormat = (typeof formats)[number]

/** Options of {@link streamRows}. */
export interface StreamRowsOptions extends Pick<DelimitedOptions, 'delimiter' | 'quoting' | 'columnNames'> {
  /** Default: JSON Lines where the first character is a brace, else CSV. */
  readonly format?: RowFormat
  /** What errors call the bytes. Default 'The input'. */
  readonly name?: string
}

/** A row as it is written. */
export interface WrittenRow {
  /** Its number, counted from 1: of the line, or of the row as a spreadsheet shows it. */
  readonly number: number
  /** Its cells by the names of their columns: texts of CSV and TSV, whatever JSON holds of JSON Lines. */
  readonly cells: Readonly<Record<string, unknown>>
  /** The JSON that it was read from; CSV and TSV have none. */
  readonly json?: string
}

/** Rows that came together, and their format. */
export interface RowsOfStream {
  readonly format: RowFormat
  readonly rows: readonly WrittenRow[]
}

const optionNames = ['format', 'name', 'delimiter', 'quoting', 'columnNames']

/**
 * Rows of bytes that come in pieces, from a pipe for instance: those of a piece as soon as it is there. Nothing is kept
 * of the rows before. Cells are not given types.
 * @throws TrainerError ('file') for the first row that is broken, by its number, behind the rows before it; ('argument')
 * for an option of another format.
 *
 * @example
 * for await (const { rows } of streamRows(process.stdin)) for (const { cells } of rows) console.log(cells.text)
 */
export async function* streamRows(
  bytes: AsyncIterable<Uint8Array>,
  options: StreamRowsOptions = {},
): AsyncGenerator<RowsOfStream, void, undefined> {
  checkOptions(options, optionNames, 'streamRows()')
  const { format: given, name = 'The input', ...delimited } = options
  if (given !== undefined && !formats.includes(given))
    throw new TrainerError('argument', `format is ${shown(given)}; one of ${quoted(formats)} was expected.`)
  const texts = withoutBlanks(decoded(bytes, name))
  try {
    const first = await texts.next()
    if (first.done === true) return
    const format = given ?? (first.value.trimStart().startsWith('{') ? 'jsonl' : 'csv')
    const all = startingWith(first.value, texts)
    if (format !== 'jsonl') return yield* delimitedRowsOf(all, format, name, delimited)
    const other = Object.entries(delimited).find(([, value]) => value !== undefined)
    if (other !== undefined)
      throw new TrainerError('argument', `${other[0]} is an option of CSV and TSV; ${name} is JSON Lines.`)
    yield* jsonRowsOf(all, name)
  } finally {
    await texts.return() // whoever has stopped before the first piece was used up has not closed what it came from
  }
}

async function* delimitedRowsOf(
  texts: AsyncIterable<string>,
  format: 'csv' | 'tsv',
  name: string,
  options: DelimitedOptions,
): AsyncGenerator<RowsOfStream, void, undefined> {
  for await (const { names, rows, numbers, broken } of delimitedStream(texts, format, name, options)) {
    const columns = names.map(nameOfColumn)
    const cellsOf = (row: readonly string[]): Record<string, string> =>
      Object.fromEntries(columns.map((column, at) => [column, row[at]!]))
    if (rows.length > 0) yield { format, rows: rows.map((row, at) => ({ number: numbers[at]!, cells: cellsOf(row) })) }
    if (broken !== undefined) throw broken
  }
}

async function* jsonRowsOf(texts: AsyncIterable<string>, name: string): AsyncGenerator<RowsOfStream, void, undefined> {
  for await (const { text, line } of wholeLines(texts, name)) {
    const rows: WrittenRow[] = []
    let broken: { readonly error: unknown } | undefined
    for (const [at, written] of text.split(/\r\n|\n|\r/).entries()) {
      const json = written.trim()
      if (json === '') continue
      try {
        rows.push({ number: line + at, cells: parseJsonLine(json, name, line + at), json })
      } catch (error) {
        broken = { error }
        break
      }
    }
    if (rows.length > 0) yield { format: 'jsonl', rows }
    if (broken !== undefined) throw broken.error
  }
}

/** @throws TrainerError ('file') for bytes that are not UTF-8. */
async function* decoded(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let at = 0
  const decode = (piece?: Uint8Array): string => {
    try {
      return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true })
    } catch (cause) {
      throw new TrainerError('file', `${name} is not UTF-8: see its bytes from ${at} on.`, {
        fix: 'Convert it: iconv -f latin1 -t utf-8.',
        cause,
      })
    }
  }
  for await (const piece of bytes) {
    const text = decode(piece)
    at += piece.length
    if (text !== '') yield text
  }
  const rest = decode()
  if (rest !== '') yield rest
}

/** The texts without blank ones before the first that has anything in it. */
async function* withoutBlanks(texts: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let blank = ''
  let isBlank = true
  for await (const text of texts) {
    isBlank &&= text.trim() === ''
    if (isBlank) blank += text
    else {
      yield blank + text
      blank = ''
    }
  }
}

async function* startingWith<T>(first: T, others: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield first
  yield* others
}
