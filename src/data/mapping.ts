// table → table with the columns that a function makes; long work reports its progress and lets the event loop run
import { TrainerError } from '../errors'
import { columnValues, compactColumn, concatColumns, type Column } from './columns'
import { columnsView } from './columnsView'
import type { Feature } from './features'
import { checkFlag, checkFunction, checkOptions, shown } from '../options'
import { reportProgress, type ProgressReporter } from './progress'
import type { Awaitable, ColumnsInput, RowInput } from './rows'
import type { Table } from './table'

/** Makes columns of a row's cells. */
export type RowFunction<Row, Expected, Added> = (row: RowInput<Row, Expected>, index: number) => Awaitable<Added>

/** Makes columns of a batch's columns; `indices` are the numbers of its rows. */
export type BatchFunction<Row, Expected, Added> = (
  columns: ColumnsInput<Row, Expected>,
  indices: readonly number[],
) => Awaitable<Added>

/** Options of `map`. */
export interface MapOptions {
  /** true gives the function batches of rows, as columns; it returns columns. */
  readonly batched?: boolean
  /** Rows in a batch; 1000 by default, as in Hugging Face's `datasets`. */
  readonly batchSize?: number
  /** Columns to leave out of the result; the function still sees them. */
  readonly removeColumns?: string | readonly string[]
  /** What the progress display calls the work. */
  readonly desc?: string
  /** Receives the progress; by default the reporter that `setProgressReporter` set. */
  readonly onProgress?: ProgressReporter
}

/** The names of {@link MapOptions}; the type sees to it that none is missing. */
const optionNames = Object.keys({
  batched: 1,
  batchSize: 1,
  removeColumns: 1,
  desc: 1,
  onProgress: 1,
} satisfies Record<keyof MapOptions, 1>)

/** @throws TrainerError (`argument`) for what is not a function, and for options that there are not. */
export function checkMapping(mapper: unknown, options: MapOptions): void {
  checkFunction(mapper, 'map()')
  checkOptions(options, optionNames, 'map()')
  checkFlag(options.batched, 'batched')
  const { removeColumns: removed } = options
  if (removed === undefined || typeof removed === 'string' || Array.isArray(removed)) return
  throw new TrainerError('argument', `removeColumns is ${shown(removed)}; the names of columns were expected.`)
}

type Mapper = (input: never, index: never) => unknown

/** The values of new columns, for the rows from `start` to before `end`. */
interface Made {
  readonly start: number
  readonly end: number
  readonly columns: ReadonlyMap<string, ArrayLike<unknown>>
}

/**
 * The table with the columns that `mapper` makes of `batchSize` rows at a time; the event loop runs in between.
 * @throws TrainerError naming the rows whose result is not a set of columns, or does not fit the other rows.
 */
export async function mapRows(table: Table, mapper: Mapper, options: MapOptions): Promise<Table> {
  checkMapping(mapper, options)
  const { batched = false, batchSize = 1000 } = options
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new TrainerError('argument', `batchSize must be a whole number above 0, not ${batchSize}.`)
  const removed = removedColumns(table, options.removeColumns)
  const chunks = new Map<string, Column[]>()
  let rows = 0
  const progress = reportProgress(options.desc ?? 'Map', table.length, options.onProgress)
  for (let start = 0; start < table.length; start += batchSize) {
    const end = Math.min(start + batchSize, table.length)
    const columns = await (batched ? mapBatch(table, mapper, start, end) : mapEach(table, mapper, start, end))
    const made = { start, end, columns }
    const length = lengthOf(made)
    if (length !== end - start) checkStaying(table, removed, made, length)
    for (const [name, values] of columns) addChunk(chunks, name, values, start, batched)
    rows += length
    await progress(end)
  }
  return merge(table, removed, chunks, rows)
}

async function mapBatch(table: Table, mapper: Mapper, start: number, end: number): Promise<Made['columns']> {
  const indices = Array.from({ length: end - start }, (_, i) => start + i)
  const result = await mapper(columnsView(table.columns, start, end) as never, indices as never)
  checkResult(result, 'columns', start)
  const columns = new Map<string, ArrayLike<unknown>>()
  for (const [name, values] of Object.entries(result)) {
    if (values === undefined) continue
    if (!Array.isArray(values) && !ArrayBuffer.isView(values)) {
      throw new TrainerError(
        'data',
        `map's function returned ${describe(values)} for column '${name}'; an array with a value per row was expected.`,
        { fix: 'With { batched: true } the function takes and returns columns; leave it out to work row by row.' },
      )
    }
    columns.set(name, values as unknown as ArrayLike<unknown>)
  }
  return columns
}

async function mapEach(table: Table, mapper: Mapper, start: number, end: number): Promise<Made['columns']> {
  const columns = new Map<string, unknown[]>()
  for (let index = start; index < end; index++) {
    const pending = mapRow(table, mapper, index)
    const cells = pending instanceof Promise ? ((await pending) as unknown) : pending
    if (cells !== undefined && cells !== null) checkResult(cells, 'cells', index)
    for (const [name, value] of Object.entries(cells ?? {})) {
      if (value === undefined) continue
      if (!columns.has(name)) columns.set(name, oldCells(table, name, start, index))
      columns.get(name)!.push(value)
    }
    for (const [name, values] of columns)
      if (values.length <= index - start) values.push(table.columns.get(name)?.get(index))
  }
  return columns
}

/** The function's result for a row, or a promise of it. Our own errors name the row; any other passes as it is. */
function mapRow(table: Table, mapper: Mapper, index: number): unknown {
  const row = Object.fromEntries([...table.columns].map(([name, column]) => [name, column.get(index)]))
  const naming = (error: unknown): unknown =>
    error instanceof TrainerError
      ? new TrainerError(error.code, `Row ${index}: ${error.message}`, { cause: error })
      : error
  try {
    const result = mapper(row as never, index as never)
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      throw naming(error)
    })
  } catch (error) {
    throw naming(error)
  }
}

/** A column's cells in the rows from `start` to before `end`; undefined ones if the column is new. */
function oldCells(table: Table, name: string, start: number, end: number): unknown[] {
  const column = table.columns.get(name)
  return column === undefined ? new Array<unknown>(end - start).fill(undefined) : columnValues(column, start, end)
}

function addChunk(
  chunks: Map<string, Column[]>,
  name: string,
  values: ArrayLike<unknown>,
  start: number,
  batched: boolean,
): void {
  const before = chunks.get(name)
  if (before === undefined && start > 0 && batched) {
    throw new TrainerError(
      'data',
      `map's function returned a column '${name}' from row ${start} on, but not for the rows before.`,
    )
  }
  const chunk = compactColumn(values)
  if (before !== undefined) before.push(chunk)
  else chunks.set(name, start > 0 ? [compactColumn(new Array<undefined>(start).fill(undefined)), chunk] : [chunk])
}

function merge(
  table: Table,
  removed: ReadonlySet<string>,
  chunks: ReadonlyMap<string, readonly Column[]>,
  rows: number,
): Table {
  const columns = new Map([...table.columns].filter(([name]) => !removed.has(name)))
  const features: Record<string, Feature> = {}
  for (const [name, feature] of Object.entries(table.features))
    if (columns.has(name) && !chunks.has(name)) features[name] = feature
  for (const [name, parts] of chunks) {
    const column = concatColumns(parts)
    if (column.length !== rows)
      throw new TrainerError('data', `map's function returned column '${name}' for ${column.length} of ${rows} rows.`)
    columns.set(name, column)
    const old = table.features[name]
    if (old?.type === 'ClassLabel' && holdsClasses(column, old)) features[name] = old
  }
  return { columns, features, length: rows }
}

/** Whether a column that replaces a ClassLabel's holds numbers of its classes; -1 and missing cells mean no label. */
function holdsClasses(column: Column, label: Feature): boolean {
  return columnValues(column).every(
    value =>
      value === null ||
      value === undefined ||
      (Number.isInteger(value) && (value as number) >= -1 && (value as number) < label.names!.length),
  )
}

function removedColumns(table: Table, names: string | readonly string[] = []): Set<string> {
  const removed = new Set(typeof names === 'string' ? [names] : names)
  for (const name of removed) {
    if (table.columns.has(name)) continue
    const there = [...table.columns.keys()].join(', ')
    throw new TrainerError('argument', `removeColumns names '${name}'; the columns are ${there}.`)
  }
  return removed
}

/** @throws TrainerError (`data`) for what a map function returns that is not an object of named values. */
export function checkResult(result: unknown, wanted: string, row: number): asserts result is object {
  if (typeof result === 'object' && result !== null && !Array.isArray(result) && !ArrayBuffer.isView(result)) return
  throw new TrainerError(
    'data',
    `map's function returned ${describe(result)} at row ${row}; an object of named ${wanted} was expected.`,
  )
}

/** The number of rows that the function made. @throws TrainerError when its columns differ in length. */
function lengthOf({ start, end, columns }: Made): number {
  const [first] = columns
  if (first === undefined) return end - start
  const [firstName, { length }] = first
  for (const [name, values] of columns) {
    if (values.length === length) continue
    throw new TrainerError(
      'data',
      `map's function returned ${length} values for column '${firstName}' and ${values.length} for '${name}' ` +
        `(rows ${start} to ${end - 1}).`,
    )
  }
  return length
}

/** Refuses another number of rows when columns stay that the function did not make. */
function checkStaying(table: Table, removed: ReadonlySet<string>, made: Made, length: number): void {
  const staying = [...table.columns.keys()].filter(name => !removed.has(name) && !made.columns.has(name))
  if (staying.length === 0) return
  const { start, end } = made
  throw new TrainerError(
    'data',
    `map's function made ${length} rows of the ${end - start} rows ${start} to ${end - 1}, ` +
      `but ${staying.join(', ')} keep their rows.`,
    { fix: `Remove those columns: removeColumns: [${staying.map(name => `'${name}'`).join(', ')}].` },
  )
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
