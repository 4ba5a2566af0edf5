// a data file → its rows, read piece by piece where its format lets that be
import { TrainerError } from '../errors'
import type { SlicedFile } from '../files/readFile'
import { columnValues, exactCell, type Column } from './columns'
import type { Features } from './features'
import { formatOf, readColumns, type ReadOptions } from './formats'
import { delimitedPieces, typedPieces } from './iterableDelimited'
import { joinFiles } from './joinFiles'
import { parseJsonLines } from './jsonRows'
import { openParquet, parquetError } from './parquet'
import type { DataSource } from './sources'
import { pickColumns } from './table'
import { wholeLines } from './wholeLines'

/** A row of a stream. */
export type StreamedRow = Record<string, unknown>

/** Rows that are read together. */
export type Piece = ReadonlyMap<string, ArrayLike<unknown>>

/** What is streamed of a file. */
export interface StreamedFile {
  readonly source: DataSource
  readonly path: string
  readonly options: ReadOptions
  /** What a card says of the columns. */
  readonly declared: Features | undefined
}

/**
 * The rows of a file. Of parquet a row group is read at a time, and of it the wanted columns alone; CSV, TSV, JSON Lines
 * and text are read by the megabyte. What cannot be read in pieces (JSON arrays, compressed files and archives, other
 * encodings than UTF-8, lines that are left out) is read whole.
 */
export async function* fileRows(file: StreamedFile): AsyncGenerator<StreamedRow, void, undefined> {
  const { nRows = Infinity } = file.options
  let rows = 0
  for await (const piece of piecesOf(file)) {
    const names = [...piece.keys()]
    const { length } = piece.values().next().value ?? []
    for (let at = 0; at < length; at++) {
      if (rows++ >= nRows) return
      yield Object.fromEntries(names.map(name => [name, piece.get(name)![at]]))
    }
  }
}

/** The features that a file itself states: those of parquet. */
export async function fileFeatures({ source, path, options }: StreamedFile): Promise<Features | undefined> {
  if (!isPlain(path) || formatOf(path) !== 'parquet') return undefined
  return withFile(source, path, async file => (await openParquet(file, path, options.columns)).features)
}

async function withFile<T>(source: DataSource, path: string, read: (file: SlicedFile) => Promise<T>): Promise<T> {
  const file = await source.open(path)
  try {
    return await read(file)
  } catch (error) {
    throw parquetError(path, error)
  } finally {
    await file.close()
  }
}

function isPlain(path: string): boolean {
  return /\.(parquet|csv|tsv|jsonl|ndjson|txt)$/i.test(path)
}

async function* piecesOf(file: StreamedFile): AsyncGenerator<Piece, void, undefined> {
  const { source, path, options, declared } = file
  const { encoding = 'utf-8', skipRows = 0, columns } = options
  if (!isPlain(path) || !/^utf-?8$/i.test(encoding) || skipRows > 0) return yield* wholePiece(file)
  const opened = await source.open(path)
  try {
    const format = formatOf(path)
    if (format === 'parquet') return yield* groupsOf(opened, file)
    const texts = lineEndsKept(opened, path)
    if (format === 'csv' || format === 'tsv')
      return yield* typedPieces(delimitedPieces(texts, format, path, options), path, options, declared)
    for await (const { text, line } of wholeLines(texts, path)) {
      const piece = format === 'text' ? new Map([['text', linesOf(text)]]) : jsonPiece(text, path, line)
      yield new Map(pickColumns([...piece.keys()], columns, path).map(name => [name, piece.get(name)!]))
    }
  } finally {
    await opened.close()
  }
}

/** The row groups of a parquet file. */
async function* groupsOf(opened: SlicedFile, { path, options }: StreamedFile): AsyncGenerator<Piece, void, undefined> {
  try {
    const { groups, read } = await openParquet(opened, path, options.columns)
    let start = 0
    for (const rows of groups) {
      const columns = await read(start, start + rows)
      start += rows
      yield new Map([...columns].map(([name, column]) => [name, columnValues(column)]))
    }
  } catch (error) {
    throw parquetError(path, error)
  }
}

/** A file that is fetched and read as a whole. */
async function* wholePiece({ source, path, options, declared }: StreamedFile): AsyncGenerator<Piece, void, undefined> {
  const [place] = await source.locate([path])
  const { columns } = joinFiles(await readColumns(place!, options), options, declared)
  yield new Map([...columns].map(([name, column]: [string, Column]) => [name, columnValues(column)]))
}

/** Bytes of text that are read at a time. */
const textBytes = 1 << 20

/** The text of a file in pieces. @throws TrainerError (`file`) where it is not UTF-8. */
async function* lineEndsKept(file: SlicedFile, path: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let at = 0; at < file.byteLength; at += textBytes) {
    const end = Math.min(at + textBytes, file.byteLength)
    const bytes = await file.slice(at, end)
    try {
      yield decoder.decode(bytes, { stream: end < file.byteLength })
    } catch (cause) {
      throw new TrainerError('file', `${path} is not UTF-8: see its bytes ${at} to ${end}.`, {
        fix: "Name its encoding, for instance encoding: 'latin1'.",
        cause,
      })
    }
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Rows of JSON Lines: columns that none of these rows has are missing in them. */
function jsonPiece(text: string, path: string, line: number): Map<string, unknown[]> {
  const columns = parseJsonLines(text, path, line)
  const names = [...columns.keys()]
  const exact = (name: string): unknown[] => {
    const others = names.filter(other => other !== name)
    return columns.get(name)!.map(value => exactCell(value, `Column '${name}' of ${path}`, others))
  }
  return new Map(names.map(name => [name, exact(name)]))
}
