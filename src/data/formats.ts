// file → table, by its format
import { TrainerError } from '../errors'
import { readBytes } from '../files/readFile'
import { parseDelimited, type DelimitedOptions } from './delimited'
import { parseJsonLines, parseJsonRows, rowsToColumns, type JsonOptions } from './jsonRows'
import { readParquet } from './parquet'
import { tableOfArrays, type Table } from './table'

/** Options of all formats; each reads its own. */
export interface ReadOptions extends DelimitedOptions, JsonOptions {}

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

/** Files that repositories have beside their data. */
const notData = [
  /^(dataset_infos?|state|config|package(-lock)?|tokenizer.*|vocab|special_tokens_map)\.json$/i,
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
 * Reads a file.
 * @throws TrainerError (`file`) when it cannot be read, is not UTF-8, or does not have the format, naming the line.
 */
export async function readTable(file: string, format: Format, options: ReadOptions): Promise<Table> {
  if (format === 'parquet') return readParquet(file)
  const text = decodeText(file, await readBytes(file))
  return tableOfArrays(parseColumns(text, format, file, options))
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
      return rowsToColumns(parseJsonRows(text, file, options))
    case 'jsonl':
      return rowsToColumns(parseJsonLines(text, file))
    case 'text':
      return new Map([['text', linesOf(text)]])
  }
}

/** @throws TrainerError naming the first line that is not UTF-8. */
function decodeText(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new TrainerError('file', `${file} is not UTF-8: see line ${undecodableLine(bytes)}.`, {
      fix: 'Save it as UTF-8, for instance by iconv -f latin1 -t utf-8.',
      cause,
    })
  }
}

/** The number of the first line that is not UTF-8. */
function undecodableLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  let from = 0
  try {
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      decoder.decode(bytes.subarray(from, end))
      from = end + 1
      line++
    }
  } catch {} // this is the line
  return line
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function extensionOf(file: string): string {
  return /\.(\w+)(?:\.gz)?$/.exec(file)?.[1]?.toLowerCase() ?? ''
}
