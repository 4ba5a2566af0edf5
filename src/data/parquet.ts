// parquet → columns, with the features that Hugging Face's datasets writes into it
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { TrainerError } from '../errors'
import { compactColumn, concatColumns, type Column } from './columns'
import { readFeatures, type Feature, type Features } from './features'
import type { Table } from './mapping'

/**
 * The columns of a parquet file. 64-bit integers become numbers; missing cells are null.
 * @throws TrainerError when the file is none, or an integer cannot be kept exactly.
 */
export async function readParquet(file: string): Promise<Table> {
  const chunks = new Map<string, Chunk[]>()
  try {
    const buffer = await asyncBufferFromFile(file)
    const metadata = await parquetMetadataAsync(buffer)
    const names = parquetSchema(metadata).children.map(child => child.element.name)
    for (const name of names) chunks.set(name, [])
    // an error thrown in the callback would be lost: chunks are only gathered there
    const onChunk = ({
      columnName,
      columnData,
      rowStart,
    }: {
      columnName: string
      columnData: ArrayLike<unknown>
      rowStart: number
    }): void => {
      chunks.get(columnName)!.push({ start: rowStart, values: columnData })
    }
    if (Number(metadata.num_rows) > 0) await parquetRead({ file: buffer, metadata, compressors, onChunk })
    const written = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value
    const columns = new Map([...chunks].map(([name, parts]) => [name, joinChunks(parts, name, file)]))
    return { columns, features: featuresOf(written, names), length: Number(metadata.num_rows) }
  } catch (error) {
    if (error instanceof TrainerError) throw error
    const fix = 'Is it whole, and not a pointer of Git LFS?'
    throw new TrainerError('file', `${file} could not be read as parquet: ${(error as Error).message}.`, {
      fix,
      cause: error,
    })
  }
}

interface Chunk {
  readonly start: number
  readonly values: ArrayLike<unknown>
}

function joinChunks(chunks: Chunk[], column: string, file: string): Column {
  if (chunks.length === 0) return compactColumn([])
  const inOrder = chunks.sort((a, b) => a.start - b.start)
  return concatColumns(
    inOrder.map(({ values }) => compactColumn(Array.from(values, value => plain(value, column, file)))),
  )
}

/** A cell without 64-bit integers. */
function plain(value: unknown, column: string, file: string): unknown {
  if (typeof value === 'bigint') {
    if (Number.isSafeInteger(Number(value))) return Number(value)
    throw new TrainerError(
      'data',
      `Column '${column}' of ${file} holds ${value}, an integer too large to be kept exactly as a number.`,
    )
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value ?? null
  if (value instanceof BigInt64Array || value instanceof BigUint64Array || Array.isArray(value))
    return Array.from(value, item => plain(item, column, file))
  if (ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item, column, file)]))
}

/** The features of the columns that the file has, from the JSON that `datasets` writes under the key 'huggingface'. */
function featuresOf(written: string | undefined, names: readonly string[]): Features {
  if (written === undefined) return {}
  try {
    const { info } = JSON.parse(written) as { info?: { features?: unknown } }
    const features: Features = readFeatures(info?.features)
    return Object.fromEntries(Object.entries(features).filter(([name]) => names.includes(name))) as Record<
      string,
      Feature
    >
  } catch {
    return {} // a note for other readers: the data is whole without it
  }
}
