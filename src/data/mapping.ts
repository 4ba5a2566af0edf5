// the long walks over a dataset: map and filter, with progress and with the event loop alive (but for a filter that
// answers at once)
import { refuseUnknown, TrainerError } from '../errors'
import { columnValues, compactColumn, concatColumns, type Column } from './columns'
import type { Feature, Features } from './features'
import { reportProgress, type ProgressReporter } from './progress'
import { markOrigin, type Awaitable } from './rows'

/** Options of `map`. */
export interface MapOptions {
  /** true gives the function batches of rows, as columns; it answers with columns. */
  readonly batched?: boolean
  /** Rows in a batch; 1000 by default, as in Hugging Face's `datasets`. */
  readonly batchSize?: number
  /** Columns to leave out of the result, once the function has seen them. */
  readonly removeColumns?: string | readonly string[]
  /** What the progress display calls the work. */
  readonly desc?: string
  /** Told how far the work is; by default the reporter that `setProgressReporter` set. */
  readonly onProgress?: ProgressReporter
}

/**
 * Options of `filter`. They count for a predicate that gives promises: one that answers at once is asked of all rows at
 * a stretch.
 */
export type FilterOptions = Pick<MapOptions, 'desc' | 'onProgress'>

/** The parts of a dataset. */
export interface Table {
  readonly columns: ReadonlyMap<string, Column>
  readonly features: Features
  readonly length: number
}

type Mapper = (input: never, index: never) => unknown

/** The table with the columns that `mapper` makes, in `batchSize` steps between which the event loop runs. */
export async function mapRows(table: Table, mapper: Mapper, options: MapOptions): Promise<Table> {
  refuseUnknown(options, ['batched', 'batchSize', 'removeColumns', 'desc', 'onProgress'], 'map()')
  const { batched = false, batchSize = 1000 } = options
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new TrainerError('argument', `batchSize must be a whole number above 0, not ${batchSize}.`)
  const removed = removedColumns(table, options.removeColumns)
  const made = new Map<string, Column[]>()
  let rows = 0
  const progress = reportProgress(options.desc ?? 'Map', table.length, options.onProgress)
  for (let start = 0; start < table.length; start += batchSize) {
    const end = Math.min(start + batchSize, table.length)
    const batch = batched ? await mapBatch(table, mapper, start, end) : await mapEach(table, mapper, start, end)
    const length = checkLengths(batch, start, end)
    if (length !== end - start) checkShorter(table, batch, removed, start, end, length)
    for (const [name, values] of batch) addChunk(made, name, values, start, batched)
    rows += length
    await progress(end)
  }
  return merge(table, removed, made, rows)
}

/** The indices of the rows that are kept; a promise of them if `keep` gives promises. */
export function filterRows(
  length: number,
  keep: (index: number) => Awaitable<boolean>,
  options: FilterOptions,
): Awaitable<number[]> {
  const kept: number[] = []
  for (let index = 0; index < length; index++) {
    const verdict = keep(index)
    if (verdict instanceof Promise) return filterLater(length, keep, options, kept, index, verdict)
    if (verdict) kept.push(index)
  }
  return kept
}

async function filterLater(
  length: number,
  keep: (index: number) => Awaitable<boolean>,
  options: FilterOptions,
  kept: number[],
  at: number,
  first: Promise<boolean>,
): Promise<number[]> {
  const progress = reportProgress(options.desc ?? 'Filter', length, options.onProgress)
  for (let index = at; index < length; index++) {
    if (await (index === at ? first : keep(index))) kept.push(index)
    await progress(index + 1)
  }
  return kept
}

type Batch = Map<string, ArrayLike<unknown>>

async function mapBatch(table: Table, mapper: Mapper, start: number, end: number): Promise<Batch> {
  const indices = Array.from({ length: end - start }, (_, i) => start + i)
  const result = await mapper(batchOf(table.columns, start, end) as never, indices as never)
  checkResult(result, 'columns', start)
  const batch: Batch = new Map()
  for (const [name, values] of Object.entries(result)) {
    if (values === undefined) continue
    if (!Array.isArray(values) && !ArrayBuffer.isView(values)) {
      throw new TrainerError(
        'data',
        `map's function gave ${describe(values)} for column '${name}', where an array with a value for each row was expected.`,
        {
          fix: 'With { batched: true } the function gets and gives columns; leave it out to work row by row.',
        },
      )
    }
    batch.set(name, values as unknown as ArrayLike<unknown>)
  }
  return batch
}

async function mapEach(table: Table, mapper: Mapper, start: number, end: number): Promise<Batch> {
  const batch = new Map<string, unknown[]>()
  for (let index = start; index < end; index++) {
    const row = Object.fromEntries([...table.columns].map(([name, column]) => [name, column.get(index)]))
    const pending = inRow(index, () => mapper(row as never, index as never))
    const result =
      pending instanceof Promise
        ? ((await pending.catch((error: unknown) => {
            throw namingRow(error, index)
          })) as unknown)
        : pending
    if (result !== undefined && result !== null) checkResult(result, 'cells', index)
    for (const [name, value] of Object.entries(result ?? {})) {
      if (value === undefined) continue
      if (!batch.has(name)) batch.set(name, columnOrNothing(table, name, start, index))
      batch.get(name)!.push(value)
    }
    for (const [name, values] of batch)
      if (values.length <= index - start) values.push(table.columns.get(name)?.get(index))
  }
  return batch
}

/** What a column holds that the function leaves alone in the rows before `end`: the old cells, or nothing. */
function columnOrNothing(table: Table, name: string, start: number, end: number): unknown[] {
  const column = table.columns.get(name)
  return column === undefined ? new Array<unknown>(end - start).fill(undefined) : columnValues(column, start, end)
}

/** Names that tests and the console ask every object for: no columns are meant. */
const probes = new Set(['then', 'toJSON', 'asymmetricMatch', 'nodeType', 'tagName', 'constructor'])

/**
 * The rows as columns, each made when it is first asked for; a name that is no column is an error rather than
 * undefined.
 */
function batchOf(columns: ReadonlyMap<string, Column>, start: number, end: number): object {
  const batch = {}
  for (const [name, column] of columns) {
    let values: unknown[] | undefined
    const get = (): unknown[] => {
      if (values === undefined) markOrigin((values = columnValues(column, start, end)), name, start)
      return values
    }
    Object.defineProperty(batch, name, { get, enumerable: true })
  }
  return new Proxy(batch, {
    get(target, name, receiver) {
      if (typeof name === 'string' && !(name in target) && /^\w+$/.test(name) && !probes.has(name)) {
        throw new TrainerError(
          'data',
          `map's function asked for a column '${name}'; the columns are ${[...columns.keys()].join(', ')}.`,
        )
      }
      return Reflect.get(target, name, receiver) as unknown
    },
  })
}

function addChunk(
  made: Map<string, Column[]>,
  name: string,
  values: ArrayLike<unknown>,
  start: number,
  batched: boolean,
): void {
  const chunks = made.get(name)
  if (chunks === undefined && start > 0 && batched) {
    throw new TrainerError(
      'data',
      `map's function gave a column '${name}' from row ${start} on, but none for the rows before.`,
    )
  }
  const chunk = compactColumn(values)
  if (chunks !== undefined) chunks.push(chunk)
  else made.set(name, start > 0 ? [compactColumn(new Array<undefined>(start).fill(undefined)), chunk] : [chunk])
}

function merge(
  table: Table,
  removed: ReadonlySet<string>,
  made: ReadonlyMap<string, readonly Column[]>,
  rows: number,
): Table {
  const columns = new Map([...table.columns].filter(([name]) => !removed.has(name)))
  const features: Record<string, Feature> = {}
  for (const [name, feature] of Object.entries(table.features))
    if (columns.has(name) && !made.has(name)) features[name] = feature
  for (const [name, chunks] of made) {
    const column = concatColumns(chunks)
    if (column.length !== rows)
      throw new TrainerError('data', `map's function gave column '${name}' for ${column.length} of ${rows} rows.`)
    columns.set(name, column)
    const old = table.features[name]
    if (old?.type === 'ClassLabel' && stillLabels(column, old)) features[name] = old
  }
  return { columns, features, length: made.size === 0 ? table.length : rows }
}

/**
 * Whether a column that replaces a ClassLabel's holds numbers of the same classes (-1 and missing cells stand for no
 * label).
 */
function stillLabels(column: Column, label: Feature): boolean {
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
    if (!table.columns.has(name)) {
      throw new TrainerError(
        'argument',
        `removeColumns names '${name}'; the columns are ${[...table.columns.keys()].join(', ')}.`,
      )
    }
  }
  return removed
}

function checkResult(result: unknown, wanted: string, row: number): asserts result is object {
  if (typeof result === 'object' && result !== null && !Array.isArray(result) && !ArrayBuffer.isView(result)) return
  throw new TrainerError(
    'data',
    `map's function gave ${describe(result)} at row ${row}, where an object of named ${wanted} was expected.`,
  )
}

function checkLengths(batch: Batch, start: number, end: number): number {
  let [length, first] = [end - start, '']
  for (const [name, values] of batch) {
    if (first !== '' && values.length !== length) {
      throw new TrainerError(
        'data',
        `map's function gave ${length} values for column '${first}' and ${values.length} for '${name}' (rows ${start} to ${end - 1}).`,
      )
    }
    if (first === '') [length, first] = [values.length, name]
  }
  return length
}

function checkShorter(
  table: Table,
  batch: Batch,
  removed: ReadonlySet<string>,
  start: number,
  end: number,
  length: number,
): void {
  const staying = [...table.columns.keys()].filter(name => !removed.has(name) && !batch.has(name))
  if (staying.length === 0) return
  throw new TrainerError(
    'data',
    `map's function made ${length} rows of the ${end - start} rows ${start} to ${end - 1}, but ${staying.join(', ')} keep their rows.`,
    {
      fix: `Remove those columns: removeColumns: [${staying.map(name => `'${name}'`).join(', ')}].`,
    },
  )
}

function inRow(index: number, work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    throw namingRow(error, index)
  }
}

/** Our own error with the row named; anybody else's as it is. */
function namingRow(error: unknown, index: number): unknown {
  if (!(error instanceof TrainerError)) return error
  return new TrainerError(error.code, `Row ${index}: ${error.message}`, { cause: error })
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
