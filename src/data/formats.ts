// file → columns, by its format
import { TrainerError } from '../errors'
import { readBytes } from '../files/readFile'
import { compactColumn, exactCell, type Column } from './columns'
import { parseDelimited, type DelimitedOptions } from './delimited'
import { decodeText } from './encoding'
import type { Feature, Features } from './features'
import { parseJsonColumns, parseJsonLines, type JsonOptions } from './jsonRows'
import { readParquet } from './parquet'
import { pickColumns, selectRows } from './table'
import { literalPattern } from '../literalPattern'

/** Options of all formats; each reads its own. */
export interface ReadOptions extends DelimitedOptions, JsonOptions {
  /** The columns to read; the others are left out before anything of them is read. */
  readonly columns?: readonly string[]
  /** How many rows to read of each file, from its beginning. */
  readonly nRows?: number
  /** The encoding of a text file: 'utf-8' by default; 'utf-16', 'latin1', 'cp1252', … */
  readonly encoding?: string
}

export type Format = 'parquet' | 'csv' | 'tsv' | 'jsonl' | 'json' | 'text'

const formats: Readonly<Record<string, Format>> = {
  parquet: 'parquet',
  csv: 'csv',
  tsv: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  txt: 'text',
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
 * The format of a file, by its extension (with or without `.gz`).
 * @throws TrainerError for an extension that says nothing.
 */
export function formatOf(file: string): Format {
  const format = formats[extensionOf(file)]
  if (format !== undefined) return format
  throw new TrainerError(
    'file',
    `The name of ${file} does not say what it holds: .parquet, .csv, .tsv, .jsonl, .json or .txt was expected.`,
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
    if (reading.some(format => there.has(format))) continue
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
 * Reads a file.
 * @throws TrainerError (`file`) when it cannot be read, is not in the encoding, or does not have the format, naming the
 * line; (`data`) for a wanted column that it does not have, and for integers too large to be numbers.
 */
export async function readColumns(file: string, options: ReadOptions): Promise<FileColumns> {
  const format = formatOf(file)
  if (format === 'parquet') {
    const table = await readParquet(file, options.columns)
    const rows = Math.min(table.length, options.nRows ?? table.length)
    return { file, ...(rows < table.length ? selectRows(table, Array(rows).keys()) : table) }
  }
  const text = decodeText(file, await readBytes(file), options.encoding)
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
  }
}

/** The features of columns of whole numbers that JSON writes with a point: 1.0 has become 1 when it is read. */
function floatFeatures(text: string, columns: ReadonlyMap<string, readonly unknown[]>): Features {
  const float: Feature = { type: 'Value', dtype: 'float64' }
  const isFloat = ([name, values]: readonly [string, readonly unknown[]]): boolean => {
    if (typeof values.find(value => value !== null) !== 'number') return false
    const key = literalPattern(JSON.stringify(name))
    return new RegExp(`${key}\\s*:\\s*\\[?\\s*-?\\d+(?:\\.|\\d*e)`, 'i').test(text)
  }
  return Object.fromEntries([...columns].filter(isFloat).map(([name]) => [name, float]))
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function extensionOf(file: string): string {
  return /\.(\w+)(?:\.gz)?$/.exec(file)?.[1]?.toLowerCase() ?? ''
}
