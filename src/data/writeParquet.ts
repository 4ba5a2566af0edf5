// table → parquet, with the features that Hugging Face's datasets reads from it
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { TrainerError } from '../errors'
import { writeFileWhole } from '../files/writeFile'
import { checkOptions, shown } from '../options'
import { nextTurn, takeTurns } from '../turns'
import type { Features } from './features'
import { Misfit, writtenType, type Tally, type WrittenType } from './parquetTypes'
import type { Table } from './table'
import { wholeFeatures } from './wholeFeatures'
import { featuresAsJson } from './writtenFeatures'

/** Options of `toParquet`. */
export interface ParquetOptions {
  /** The most rows of a row group; by default as many as take 2 MiB, and at most 50,000. */
  readonly batchSize?: number | undefined
}

/** Writes a table as a parquet file. @returns its bytes. */
export async function writeParquet(table: Table, path: string, options: ParquetOptions = {}): Promise<number> {
  checkOptions(options, ['batchSize'], 'toParquet()')
  const { batchSize } = options
  if (typeof path !== 'string' || path === '')
    throw new TrainerError('argument', `toParquet() takes the path of a file, not ${shown(path)}.`)
  if (batchSize !== undefined && (!Number.isInteger(batchSize) || batchSize < 1))
    throw new TrainerError('argument', `batchSize must be a whole number above 0, not ${shown(batchSize)}.`)
  const features = await wholeFeatures(table)
  return writeFileWhole(path, encodeParquet(table, { features, start: 0, end: table.length, batchSize }))
}

/** What is written of a table. */
export interface ParquetPart {
  /** The features of all its columns, down to the last field. */
  readonly features: Features
  /** The first row, and that behind the last. */
  readonly start: number
  readonly end: number
  /** The most rows of a row group; by default as many as fit. */
  readonly batchSize?: number | undefined
}

/**
 * A row group is written when its cells take this many bytes: a reader has to read one whole for a single row, and
 * encoding a column of it holds the event loop for a few milliseconds.
 */
const groupBytes = 2 << 20
const groupRows = 50_000

/**
 * A parquet file of a table's rows, piece by piece: row groups of some megabytes, so that memory stays bounded.
 * @param tally counts the bytes of the cells, as Arrow would keep them.
 * @throws TrainerError (`data`) naming the row that does not fit its column's feature.
 */
export async function* encodeParquet(
  table: Table,
  { features, start, end, batchSize = groupRows }: ParquetPart,
  tally: Tally = { bytes: 0 },
): AsyncGenerator<Uint8Array, void, undefined> {
  const columns = [...table.columns].map(([name, column]) => ({
    name,
    column,
    type: writtenType(name, features[name]!),
    cells: [] as unknown[],
  }))
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaOf(columns.map(({ type }) => type)),
    kvMetadata: [{ key: 'huggingface', value: featuresAsJson(features) }],
    createdBy: 'ts-trainer',
  })
  const pause = takeTurns()
  let written = tally.bytes
  for (let row = start; row < end; row++) {
    for (const { name, column, type, cells } of columns) cells.push(cellAt(column.get(row), row, name, type, tally))
    const rows = columns[0]?.cells.length ?? 0
    if (rows % 64 === 0) await pause()
    if (rows < batchSize && tally.bytes - written < groupBytes && row + 1 < end) continue
    await writeGroup(writer, columns)
    written = tally.bytes
    yield takeBytes(bytes)
  }
  await writer.finish()
  yield takeBytes(bytes)
}

/** The bytes of a table's rows, about as Arrow keeps them. */
export async function tableBytes({ columns }: Table, features: Features): Promise<number> {
  const tally: Tally = { bytes: 0 }
  const pause = takeTurns()
  for (const [name, column] of columns) {
    const type = writtenType(name, features[name]!)
    let isMissing = false
    for (let row = 0; row < column.length; row++) {
      isMissing = cellAt(column.get(row), row, name, type, tally) === null || isMissing
      if (row % 256 === 255) await pause()
    }
    if (isMissing) tally.bytes += Math.ceil(column.length / 8)
  }
  return Math.ceil(tally.bytes)
}

function schemaOf(types: readonly WrittenType[]): SchemaElement[] {
  return [{ name: 'schema', num_children: types.length }, ...types.flatMap(({ elements }) => elements)]
}

function cellAt(value: unknown, row: number, name: string, { cell }: WrittenType, tally: Tally): unknown {
  try {
    return cell(value, tally)
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    const given = `${shown(error.value)}${error.value === value ? '' : ` in ${shown(value)}`}`
    throw new TrainerError('data', `Column '${name}' holds ${given} at row ${row}; ${error.wanted} was expected.`, {
      fix: 'Its other rows, or the feature that the file it came from declares, say so: make them alike with map().',
    })
  }
}

interface GroupColumn {
  readonly name: string
  readonly type: WrittenType
  cells: unknown[]
}

/**
 * Writes the cells as one row group. The writer encodes all columns of a group without a pause, so it is given one
 * after another, each as a group of its own, and the groups become one.
 */
async function writeGroup(writer: ParquetWriter, columns: readonly GroupColumn[]): Promise<void> {
  for (const column of columns) {
    const { name, cells: data, type } = column
    const encoding = type.hasFloats ? ({ encoding: 'PLAIN' } as const) : {}
    // The least and the greatest element of all lists is what no reader asks for.
    const statistics = type.elements.length === 1
    await writer.write({ columnData: [{ name, data, statistics, ...encoding }], rowGroupSize: data.length })
    column.cells = []
    await nextTurn()
  }
  const parts = writer.row_groups.splice(-columns.length)
  const sum = (of: 'total_byte_size' | 'total_compressed_size'): bigint =>
    parts.reduce((total, part) => total + (part[of] ?? 0n), 0n)
  const { num_rows } = parts[0]!
  writer.num_rows -= num_rows * BigInt(parts.length - 1)
  writer.row_groups.push({
    columns: parts.flatMap(part => part.columns),
    total_byte_size: sum('total_byte_size'),
    total_compressed_size: sum('total_compressed_size'),
    num_rows,
  })
}

/** What the writer has made so far; its offsets go on. */
function takeBytes(writer: ByteWriter): Uint8Array {
  const made = writer.getBytes().slice()
  writer.index = 0
  return made
}
