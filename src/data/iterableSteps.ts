// what the methods of an IterableDataset do to its rows
import { columnsView } from './columnsView'
import { batches } from './iterableStages'
import type { StreamedRow } from './iterableFiles'
import { checkResult, mapRows } from './mapping'
import { noColumn, rowOf, tableOfRows, takenName } from './table'

type Rows = AsyncIterable<StreamedRow>
type Mapper = (input: never, index: never) => unknown

/** How rows are mapped. */
export interface StreamedMap {
  readonly batched: boolean
  readonly batchSize: number
  readonly removed: readonly string[]
}

/** The rows with the columns that a function makes of each, or of each batch of them. */
export async function* mapped(rows: Rows, mapper: Mapper, { batched, batchSize, removed }: StreamedMap): Rows {
  if (batched) return yield* mappedBatches(rows, mapper, batchSize, removed)
  let index = 0
  for await (const row of rows) {
    const result = await mapper(row as never, index as never)
    if (result !== undefined && result !== null) checkResult(result, 'cells', index)
    index++
    yield { ...without(row, removed), ...defined((result ?? {}) as StreamedRow) }
  }
}

async function* mappedBatches(rows: Rows, mapper: Mapper, batchSize: number, removed: readonly string[]): Rows {
  let first = 0
  for await (const batch of batches(rows, batchSize)) {
    const start = first
    const shifted = (columns: never, indices: readonly number[]): unknown =>
      mapper(columns, indices.map(index => index + start) as never)
    const options = { batched: true, batchSize, removeColumns: removed, onProgress: () => undefined }
    const table = await mapRows(tableOfRows(batch), shifted as Mapper, options)
    for (let row = 0; row < table.length; row++) yield rowOf(table, row)
    first += batch.length
  }
}

/** The rows that a predicate keeps. */
export async function* filtered(rows: Rows, keep: (row: never, index: number) => unknown): Rows {
  let index = 0
  for await (const row of rows) if (await keep(row as never, index++)) yield row
}

/** Rows of lists: each holds a batch of rows. */
export async function* batched(rows: Rows, batchSize: number, dropLast: boolean): Rows {
  for await (const batch of batches(rows, batchSize)) {
    if (dropLast && batch.length < batchSize) return
    const { columns } = tableOfRows(batch)
    yield { ...columnsView(columns, 0, batch.length) }
  }
}

/** The rows with some columns alone, in that order. */
export async function* selected(rows: Rows, names: readonly string[]): Rows {
  for await (const row of rows) {
    checkColumns(row, names)
    yield Object.fromEntries(names.map(name => [name, row[name]]))
  }
}

/** The rows without some columns. */
export async function* removed(rows: Rows, names: readonly string[]): Rows {
  for await (const row of rows) {
    checkColumns(row, names)
    yield without(row, names)
  }
}

/** The rows with a column under another name. */
export async function* renamed(rows: Rows, from: string, to: string): Rows {
  for await (const row of rows) {
    checkColumns(row, [from])
    if (from !== to && Object.hasOwn(row, to)) throw takenName(to, from)
    yield Object.fromEntries(Object.entries(row).map(([name, cell]) => [name === from ? to : name, cell]))
  }
}

function checkColumns(row: StreamedRow, names: readonly string[]): void {
  const missing = names.find(name => !Object.hasOwn(row, name))
  if (missing !== undefined) throw noColumn(missing, Object.keys(row))
}

function without(row: StreamedRow, names: readonly string[]): StreamedRow {
  return names.length === 0 ? row : Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
}

function defined(row: StreamedRow): StreamedRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))
}
