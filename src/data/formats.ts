// file → table, by its format
import { readFile } from 'node:fs/promises'
import { gunzip } from 'node:zlib'
import { promisify } from 'node:util'
import { TrainerError } from '../errors'
import { compactColumn } from './columns'
import { readDelimited, type DelimitedOptions } from './delimited'
import { readJson, readJsonLines, rowsToColumns, type JsonOptions } from './jsonRows'
import type { Table } from './mapping'
import { readParquet } from './parquet'

/** Options of the formats. */
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

/** Files that repositories hold beside their data. */
const notData =
  /^(dataset_infos?|state|config|package(-lock)?|tokenizer.*|vocab|special_tokens_map)\.json$|^(requirements|license|readme|vocab|merges).*\.txt$/i

/** Whether a file's name says that there is data in it. */
export function isDataFile(name: string): boolean {
  return extensionOf(name) in formats && !notData.test(name)
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

/** A file's columns. */
export async function readTable(file: string, format: Format, options: ReadOptions): Promise<Table> {
  if (format === 'parquet') return readParquet(file)
  const text = await readText(file)
  if (format === 'csv' || format === 'tsv') return toTable(readDelimited(text, format, file, options))
  if (format === 'text') return toTable(new Map([['text', linesOf(text)]]))
  return toTable(rowsToColumns(format === 'json' ? readJson(text, file, options) : readJsonLines(text, file)))
}

function toTable(columns: ReadonlyMap<string, readonly unknown[]>): Table {
  const length = columns.values().next().value?.length ?? 0
  return { columns: new Map([...columns].map(([name, values]) => [name, compactColumn(values)])), features: {}, length }
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file)
    return decoded(file, file.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes)
  } catch (error) {
    if (error instanceof TrainerError) throw error
    throw new TrainerError('file', `${file} could not be read: ${(error as Error).message}.`, { cause: error })
  }
}

/** @throws TrainerError naming the first line that is not UTF-8. */
function decoded(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    let [line, from] = [1, 0]
    try {
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from), line++) {
        decoder.decode(bytes.subarray(from, end))
        from = end + 1
      }
    } catch {} // this is the line
    throw new TrainerError('file', `${file} is not UTF-8: see line ${line}.`, {
      fix: 'Save it as UTF-8, for instance by iconv -f latin1 -t utf-8.',
      cause,
    })
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function extensionOf(file: string): string {
  return /\.(\w+)(?:\.gz)?$/.exec(file)?.[1]?.toLowerCase() ?? ''
}
