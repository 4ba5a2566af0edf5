// file → columns, by its format
import { TrainerError } from '../errors'
import { readBytes } from '../files/readFile'
import { compactColumn, exactCell, type Column } from './columns'
import { parseDelimited, type DelimitedOptions } from './delimited'
import { decodeText } from './encoding'
import type { Features } from './features'
import { floatFeatures, parseJsonColumns, parseJsonLines, type JsonOptions } from './jsonRows'
import { readParquet } from './parquet'
import { pickColumns, selectRows } from './table'
import { isArchive, uncompressedName, unpackFile, type Unpacked } from './unpack'

/** Options of all formats; each reads its own. */
export interface ReadOptions extends DelimitedOptions, JsonOptions {
  /** The columns to read; the others are left out before anything of them is read. */
  readonly columns?: readonly string[]
  /** How many rows to read of each file, from its beginning. */
  readonly nRows?: number
  /** The encoding of a text file: 'utf-8' by default; 'utf-16', 'latin1', 'cp1252', … */
  readonly encoding?: string
}

export type Format = 'parquet' | 'csv' | 'tsv' | 'jsonl' | 'json' | 'text' | 'zip'

const formats: Readonly<Record<string, Format>> = {
  parquet: 'parquet',
  csv: 'csv',
  tsv: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  txt: 'text',
  zip: 'zip', // of files of one of the other formats
}

/** Which formats read an option; those of no entry are read by all. */
const readers: Readonly<Partial<Record<keyof ReadOptions, readonly Format[]>>> = {
  delimiter: ['csv', 'tsv'],
  sep: ['csv', 'tsv'],
  quoting: ['csv', 'tsv'],
  columnNames: ['csv', 'tsv'],
  decimal: ['csv', 'tsv'],
  skipRows: ['csv', 'tsv'],
  encoding: ['csv', 'tsv', 'jsonl', 'json', 'text'],
  field: ['json'],
}

/** The names of all options of files. */
export const readOptions: readonly string[] = ['columns', 'nRows', ...Object.keys(readers)]

/** Files that repositories have beside their data. */
const notData = [
  /^(dataset_(infos?|dict)|state|config|package(-lock)?|tokenizer.*|vocab|special_tokens_map)\.json$/i,
  /^(requirements|license|readme|vocab|merges).*\.txt$/i,
]

/** Whether a file's name says that it holds data. */
export function isDataFile(name: string): boolean {
  return extensionOf(name) in formats && !notData.some(pattern => pattern.test(name))
}

/**
 * The format of a file, by its extension, with or without one that says how it is compressed.
 * @throws TrainerError for an extension that says nothing.
 */
export function formatOf(file: string): Format {
  const format = formats[extensionOf(file)]
  if (format !== undefined) return format
  throw new TrainerError(
    'file',
    `The name of ${file} does not say what it holds: .parquet, .csv, .tsv, .jsonl, .json, .txt or .zip was expected.`,
  )
}

/**
 * Checks the values of options, and that some file reads each of them.
 * @throws TrainerError (`argument`) for one that would be ignored, or has a value that cannot be.
 */
export function checkReadOptions(options: ReadOptions, files: readonly string[]): void {
  const given = Object.keys(readers).filter(name => options[name as keyof ReadOptions] !== undefined)
  const there = new Set(files.map(formatOf))
  for (const name of given) {
    const reading = readers[name as keyof ReadOptions]!
    if (there.has('zip') || reading.some(format => there.has(format))) continue
    throw new TrainerError(
      'argument',
      `${name} is an option of ${reading.join(' and ')} files; ${files[0]} is not one.`,
    )
  }
  checkValues(options)
}

/** @throws TrainerError (`argument`) for a value of an option that cannot be. */
function checkValues(options: ReadOptions): void {
  const { columns, columnNames, nRows, skipRows, delimiter, sep, field, encoding, quoting, decimal } = options
  const isNames = (value: unknown): boolean =>
    Array.isArray(value) && value.length > 0 && value.every(item => typeof item === 'string')
  const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0
  const isText = (value: unknown): boolean => typeof value === 'string'
  const check = (values: object, isRight: (value: unknown) => boolean, wanted: string): void => {
    for (const [name, value] of Object.entries(values) as [string, unknown][])
      if (value !== undefined && !isRight(value))
        throw new TrainerError('argument', `${name} must be ${wanted}, not ${JSON.stringify(value)}.`)
  }
  check({ columns, columnNames }, isNames, 'a list of names')
  check({ nRows, skipRows }, isCount, 'a whole number, 0 or above')
  check({ delimiter, sep, field, encoding }, isText, 'a text')
  check({ quoting }, value => typeof value === 'boolean', 'true or false')
  check({ decimal }, value => value === '.' || value === ',', "'.' or ','")
}

/** What a file holds. */
export interface FileColumns {
  readonly file: string
  readonly features: Features
  readonly length: number
  /** Its columns; of a CSV or TSV file the cells as they are written, whose type all files of the split decide. */
  readonly columns: ReadonlyMap<string, Column | readonly string[]>
}

/**
 * Reads a file, compressed or not; an archive is as many files as it has data files in it.
 * @throws TrainerError (`file`) when it cannot be read, is not in the encoding, or does not have the format, naming the
 * line; (`data`) for a wanted column that it does not have, and for integers too large to be numbers.
 */
export async function readColumns(file: string, options: ReadOptions): Promise<FileColumns[]> {
  const format = formatOf(file)
  const unpacked = await unpackFile(file, name => isDataFile(baseName(name)) || format !== 'zip')
  if (unpacked === undefined) return [await readPlain(file, format, options)]
  if (format === 'zip') checkArchive(file, unpacked, options)
  const read: FileColumns[] = []
  for (const { name, bytes } of unpacked)
    read.push(await readPlain(name, format === 'zip' ? formatOf(name) : format, options, bytes))
  return read
}

/** The name of a file without its folders. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

const families: Readonly<Partial<Record<Format, Format>>> = { tsv: 'csv', jsonl: 'json' }

/** Refuses an archive whose files do not have one format, and options that none of them reads. */
function checkArchive(file: string, members: readonly Unpacked[], options: ReadOptions): void {
  const names = members.map(({ name }) => name)
  const familyOf = (name: string): Format => families[formatOf(name)] ?? formatOf(name)
  const other = names.find(name => familyOf(name) !== familyOf(names[0]!))
  if (other !== undefined) {
    throw new TrainerError('file', `${file} has files of several formats in it: ${names[0]} and ${other}.`, {
      fix: 'Unpack it, and name the files that you want with dataFiles.',
    })
  }
  checkReadOptions(options, names)
}

/** @param bytes what the file holds, if it had to be unpacked. */
async function readPlain(file: string, format: Format, options: ReadOptions, bytes?: Uint8Array): Promise<FileColumns> {
  if (format === 'parquet') {
    const table = await readParquet(file, options.columns, bytes)
    const rows = Math.min(table.length, options.nRows ?? table.length)
    return { file, ...(rows < table.length ? selectRows(table, Array(rows).keys()) : table) }
  }
  const text = decodeText(file, bytes ?? (await readBytes(file)), options.encoding)
  const parsed = parseColumns(text, format, file, options)
  const names = pickColumns([...parsed.keys()], options.columns, file)
  const cells = new Map(names.map(name => [name, parsed.get(name)!.slice(0, options.nRows)]))
  const length = cells.values().next().value?.length ?? 0
  if (format === 'csv' || format === 'tsv')
    return { file, features: {}, length, columns: cells as Map<string, string[]> }
  const columnOf = (name: string): Column => {
    const others = names.filter(other => other !== name)
    const cellOf = (value: unknown): unknown => exactCell(value, `Column '${name}' of ${file}`, others)
    return compactColumn(cells.get(name)!.map(cellOf))
  }
  // Python reads what is under a field by pandas, for which whole numbers are integers, however they are written.
  const features = format === 'text' || options.field !== undefined ? {} : floatFeatures(text, cells)
  return { file, features, length, columns: new Map(names.map(name => [name, columnOf(name)])) }
}

function parseColumns(
  text: string,
  format: Exclude<Format, 'parquet'>,
  file: string,
  options: ReadOptions,
): Map<string, unknown[]> {
  switch (format) {
    case 'csv':
    case 'tsv':
      return parseDelimited(text, format, file, options)
    case 'json':
      return parseJsonColumns(text, file, options)
    case 'jsonl':
      return parseJsonLines(text, file)
    case 'text':
      return new Map([['text', linesOf(text)]])
    case 'zip':
      throw new TrainerError(
        'file',
        `${file} is not a zip archive: it begins with ${JSON.stringify(text.slice(0, 10))}.`,
      )
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** The extension that says the format; that of an archive says it where there is no other. */
function extensionOf(file: string): string {
  const extension = (name: string): string => /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const inner = extension(uncompressedName(file))
  return isArchive(file) && !(inner in formats) ? 'zip' : inner
}
