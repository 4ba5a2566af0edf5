// parquet → columns, with the features that Hugging Face's datasets writes into it
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { TrainerError } from '../errors'
import { openSlices, slicesOf, type SlicedFile } from '../files/readFile'
import { compactColumn, concatColumns, exactCell, type Column } from './columns'
import { parseFeatures, type Features } from './features'
import { featuresOfSchema } from './parquetFeatures'
import { pickColumns, type Table } from './table'

/**
 * The columns of a parquet file. 64-bit integers become numbers, bytes lists of numbers; missing cells are null.
 * @param wanted the columns to read; all by default.
 * @param bytes what the file holds, if it had to be unpacked.
 * @throws TrainerError when the file is not parquet, or has an integer that a number cannot hold exactly.
 */
export async function readParquet(path: string, wanted?: readonly string[], bytes?: Uint8Array): Promise<Table> {
  try {
    const file = bytes === undefined ? await openSlices(path) : slicesOf(bytes)
    try {
      return await readOpened(file, path, wanted)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw parquetError(path, error)
  }
}

/** The error for a file that is not parquet; errors of our own as they are. */
export function parquetError(path: string, cause: unknown): unknown {
  if (cause instanceof TrainerError) return cause
  return new TrainerError('file', `${path} could not be read as parquet: ${(cause as Error).message}.`, {
    fix: 'Is it whole? Download it again.',
    cause,
  })
}

/** Texts come as they are: a text may begin with U+FEFF. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined): string | undefined => bytes && decoder.decode(bytes),
}

async function readOpened(file: SlicedFile, path: string, wanted: readonly string[] | undefined): Promise<Table> {
  const { features, length, read } = await openParquet(file, path, wanted)
  return { columns: await read(0, length), features, length }
}

/** A parquet file whose footer has been read. */
export interface ParquetFile {
  readonly features: Features
  readonly length: number
  /** The rows of each row group, which is read as a whole. */
  readonly groups: readonly number[]
  /** The columns of the rows from `start` to before `end`. */
  read(start: number, end: number): Promise<ReadonlyMap<string, Column>>
}

/** The bytes at the end of a file that are read first: most footers are smaller. */
const footerBytes = 1 << 16

/** Reads a file's footer. @throws TrainerError (`data`) for a wanted column that it does not have. */
export async function openParquet(file: SlicedFile, path: string, wanted?: readonly string[]): Promise<ParquetFile> {
  const metadata = await parquetMetadataAsync(file, { initialFetchSize: footerBytes })
  const schema = new Map(parquetSchema(metadata).children.map(child => [child.element.name, child]))
  const names = pickColumns([...schema.keys()], wanted, path)
  const written = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value
  const join = (name: string, parts: readonly Chunk[]): Column => {
    const others = names.filter(other => other !== name)
    return joinChunks(parts, cell => exactCell(cell, `Column '${name}' of ${path}`, others) ?? null)
  }
  return {
    features: { ...featuresOfSchema(names.map(name => schema.get(name)!)), ...featuresOf(written, names) },
    length: Number(metadata.num_rows),
    groups: metadata.row_groups.map(group => Number(group.num_rows)),
    async read(start, end) {
      const chunks = new Map<string, Chunk[]>(names.map(name => [name, []]))
      // An error thrown in the callback would be lost: it only gathers the chunks.
      const onChunk = (chunk: { columnName: string; columnData: ArrayLike<unknown>; rowStart: number }): void => {
        chunks.get(chunk.columnName)!.push({ start: chunk.rowStart, values: chunk.columnData })
      }
      const rows = { rowStart: start, rowEnd: end }
      if (end > start)
        await parquetRead({ file, metadata, compressors, columns: names, utf8: false, parsers, onChunk, ...rows })
      return new Map([...chunks].map(([name, parts]) => [name, join(name, parts)]))
    },
  }
}

interface Chunk {
  readonly start: number
  readonly values: ArrayLike<unknown>
}

function joinChunks(chunks: readonly Chunk[], cellOf: (value: unknown) => unknown): Column {
  if (chunks.length === 0) return compactColumn([])
  const inOrder = chunks.toSorted((a, b) => a.start - b.start)
  return concatColumns(inOrder.map(({ values }) => compactColumn(Array.from(values, cellOf))))
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
