// what a dataset is made of: columns of one length, by name
import { TrainerError, nearest } from '../errors'
import { columnValues, compactColumn, exactNumber, selectCells, type Column } from './columns'
import { inferFeature, type Features } from './features'
import { shown } from '../options'

/** The parts of a dataset, which never change. */
export interface Table {
  readonly columns: ReadonlyMap<string, Column>
  /** What is known of some columns beyond their values: the names of classes, the types that a file states. */
  readonly features: Features
  /** The number of rows. */
  readonly length: number
}

/**
 * A table of plain objects. Its columns are all names that occur; a cell that a row lacks is undefined.
 * @throws TrainerError (`data`) naming the row that is not an object.
 */
export function tableOfRows(rows: readonly object[]): Table {
  if (!Array.isArray(rows)) throw new TrainerError('argument', `Rows come as a list of objects, not as ${shown(rows)}.`)
  const names = new Set<string>()
  for (const [index, row] of rows.entries()) {
    if (typeof row !== 'object' || row === null) {
      throw new TrainerError('data', `Row ${index} is ${String(row)}, not an object of named cells.`, {
        fix: "Write { text: '…', label: 0 }.",
      })
    }
    for (const name of Object.keys(row)) names.add(name)
  }
  const cells = (name: string): unknown[] =>
    rows.map(row => exactNumber((row as Record<string, unknown>)[name], `Column '${name}'`))
  return {
    columns: new Map([...names].map(name => [name, compactColumn(cells(name))])),
    features: {},
    length: rows.length,
  }
}

/**
 * A table of named arrays or typed arrays.
 * @throws TrainerError (`data`) naming the array that has another length than those before it.
 */
export function tableOfArrays(arrays: object, features: Features = {}): Table {
  if (typeof arrays !== 'object' || arrays === null || Array.isArray(arrays))
    throw new TrainerError('argument', `Columns come as an object of lists by name, not as ${shown(arrays)}.`)
  const columns = new Map<string, Column>()
  let length: number | undefined
  for (const [name, values] of Object.entries(arrays) as [string, ArrayLike<unknown> | undefined][]) {
    if (typeof values?.length !== 'number')
      throw new TrainerError('argument', `Column '${name}' comes as a list of its values, not as ${shown(values)}.`)
    length ??= values.length
    if (values.length !== length) {
      throw new TrainerError(
        'data',
        `Column '${name}' has ${values.length} values, the columns before it have ${length}.`,
      )
    }
    columns.set(name, compactColumn(Array.from(values, value => exactNumber(value, `Column '${name}'`))))
  }
  return { columns, features, length: length ?? 0 }
}

/**
 * The columns to read of a file: those wanted, in that order, or all.
 * @throws TrainerError (`data`) for one that the file does not have.
 */
export function pickColumns(there: readonly string[], wanted: readonly string[] | undefined, file: string): string[] {
  const missing = wanted?.find(name => !there.includes(name))
  if (missing === undefined) return [...(wanted ?? there)]
  const close = nearest(missing, there)
  throw new TrainerError(
    'data',
    `${file} has no column '${missing}'; its columns are ${there.join(', ') || 'none'}.`,
    close === undefined ? undefined : { fix: `Did you mean '${close}'?` },
  )
}

/** The column of a name. @throws TrainerError (`data`) listing the columns when it does not exist. */
export function columnOf({ columns }: Table, name: string): Column {
  const column = columns.get(name)
  if (column !== undefined) return column
  if (typeof name !== 'string')
    throw new TrainerError('argument', `The name of a column is a text, but ${shown(name)} was given.`, {
      fix: 'Give names alone: these methods have no options.',
    })
  throw noColumn(name, [...columns.keys()])
}

/** The error for a column that there is not. */
export function noColumn(name: string, there: readonly string[]): TrainerError {
  const close = nearest(name, there)
  return new TrainerError(
    'data',
    `There is no column '${name}'; the columns are ${there.join(', ') || 'none'}.`,
    close === undefined ? undefined : { fix: `Did you mean '${close}'?` },
  )
}

/** The error for a name that another column has. */
export function takenName(to: string, from: string): TrainerError {
  return new TrainerError('data', `There is a column '${to}' already, besides '${from}'.`)
}

/** One row as a plain object. @throws TrainerError (`data`) when it does not exist. */
export function rowOf({ columns, length }: Table, index: number): Record<string, unknown> {
  if (!Number.isInteger(index) || index < 0 || index >= length)
    throw new TrainerError('data', `There is no row ${index}: the dataset has ${length} rows, counted from 0.`)
  const row: Record<string, unknown> = {}
  for (const [name, column] of columns) row[name] = column.get(index)
  return row
}

/** What each column holds: what is known of it, or what its first 100 values suggest. */
export function featuresOf({ columns, features }: Table): Features {
  return Object.fromEntries(
    [...columns].map(([name, column]) => [
      name,
      features[name] ?? inferFeature(columnValues(column, 0, Math.min(column.length, 100))),
    ]),
  )
}

/** The length of each list or text of a column; 0 for a missing cell. */
export function lengthsOf(table: Table, name: string): Int32Array {
  const column = columnOf(table, name)
  const length = (row: number): number => (column.get(row) as ArrayLike<unknown> | undefined)?.length ?? 0
  return column.listLengths?.() ?? Int32Array.from({ length: table.length }, (_, row) => length(row))
}

/**
 * The rows at some indices, in that order.
 * @throws TrainerError for what is not a list of numbers of rows.
 */
export function selectRows({ columns, features, length }: Table, indices: Iterable<number>): Table {
  if (typeof indices !== 'object' || indices === null || !(Symbol.iterator in indices)) {
    throw new TrainerError('argument', `select() takes the numbers of rows, not ${String(indices)}.`, {
      fix: 'Give a list: select([0, 1, 2]).',
    })
  }
  const chosen = Int32Array.from(indices)
  const outside = chosen.find(index => index < 0 || index >= length)
  if (outside !== undefined) {
    const message = `There is no row ${outside} to select: the dataset has ${length} rows, counted from 0.`
    throw new TrainerError('data', message)
  }
  return {
    columns: new Map([...columns].map(([name, column]) => [name, selectCells(column, chosen)])),
    features,
    length: chosen.length,
  }
}
