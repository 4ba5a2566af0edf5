// parquet → columns, with the features that Hugging Face's datasets writes into it
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { TrainerError } from '../errors'
import { openSlices, type SlicedFile } from '../files/readFile'
import { compactColumn, concatColumns, exactNumber, type Column } from './columns'
import { parseFeatures, type Features } from './features'
import type { Table } from './table'

/**
 * The columns of a parquet file. 64-bit integers become numbers; missing cells are null.
 * @throws TrainerError when the file is not parquet, or has an integer that a number cannot hold exactly.
 */
export async function readParquet(path: string): Promise<Table> {
  try {
    const file = await openSlices(path)
    try {
      return await readOpened(file, path)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof TrainerError) throw error
    throw new TrainerError('file', `${path} could not be read as parquet: ${(error as Error).message}.`, {
      fix: 'Is it whole, and not a pointer of Git LFS?',
      cause: error,
    })
  }
}

async function readOpened(file: SlicedFile, path: string): Promise<Table> {
  const metadata = await parquetMetadataAsync(file)
  const names = parquetSchema(metadata).children.map(child => child.element.name)
  const chunks = new Map<string, Chunk[]>(names.map(name => [name, []]))
  // An error thrown in the callback would be lost: it only gathers the chunks.
  const onChunk = (chunk: { columnName: string; columnData: ArrayLike<unknown>; rowStart: number }): void => {
    chunks.get(chunk.columnName)!.push({ start: chunk.rowStart, values: chunk.columnData })
  }
  const length = Number(metadata.num_rows)
  if (length > 0) await parquetRead({ file, metadata, compressors, onChunk })
  const written = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value
  const columns = new Map([...chunks].map(([name, parts]) => [name, joinChunks(parts, `Column '${name}' of ${path}`)]))
  return { columns, features: featuresOf(written, names), length }
}

interface Chunk {
  readonly start: number
  readonly values: ArrayLike<unknown>
}

function joinChunks(chunks: readonly Chunk[], place: string): Column {
  if (chunks.length === 0) return compactColumn([])
  const inOrder = chunks.toSorted((a, b) => a.start - b.start)
  return concatColumns(inOrder.map(({ values }) => compactColumn(Array.from(values, value => plainCell(value, place)))))
}

/** A cell without 64-bit integers. */
function plainCell(value: unknown, place: string): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return exactNumber(value, place) ?? null
  if (value instanceof BigInt64Array || value instanceof BigUint64Array || Array.isArray(value))
    return Array.from(value, item => plainCell(item, place))
  if (ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainCell(item, place)]))
}

/** The features of the columns that the file has, from the JSON that `datasets` writes under the key 'huggingface'. */
function featuresOf(written: string | undefined, names: readonly string[]): Features {
  if (written === undefined) return {}
  try {
    const { info } = JSON.parse(written) as { info?: { features?: unknown } }
    return Object.fromEntries(Object.entries(parseFeatures(info?.features)).filter(([name]) => names.includes(name)))
  } catch {
    return {} // a note for other readers: the data is whole without it
  }
}
