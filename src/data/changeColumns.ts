// table → table with fewer, renamed or encoded columns
import { TrainerError } from '../errors'
import { columnValues, compactColumn } from './columns'
import { classLabel, classNames } from './features'
import { columnOf, type Table } from './table'

/** The table with only some columns, in that order. */
export function selectColumns(table: Table, names: readonly string[]): Table {
  return {
    columns: new Map(names.map(name => [name, columnOf(table, name)])),
    features: Object.fromEntries(Object.entries(table.features).filter(([name]) => names.includes(name))),
    length: table.length,
  }
}

/** The table without some columns. */
export function removeColumns(table: Table, names: readonly string[]): Table {
  for (const name of names) columnOf(table, name)
  return selectColumns(
    table,
    [...table.columns.keys()].filter(name => !names.includes(name)),
  )
}

/**
 * The table with one column under another name.
 * @throws TrainerError (`data`) when another column has that name.
 */
export function renameColumn(table: Table, from: string, to: string): Table {
  columnOf(table, from)
  if (from !== to && table.columns.has(to))
    throw new TrainerError('data', `There is a column '${to}' already, besides '${from}'.`)
  const renamed = (name: string): string => (name === from ? to : name)
  return {
    columns: new Map([...table.columns].map(([name, column]) => [renamed(name), column])),
    features: Object.fromEntries(Object.entries(table.features).map(([name, feature]) => [renamed(name), feature])),
    length: table.length,
  }
}

/**
 * The table with a column of names turned into a ClassLabel: each cell becomes its name's number, missing cells stay.
 * @param among the values whose names are numbered; the column's own by default.
 */
export function encodeClasses(table: Table, name: string, among?: Iterable<unknown>): Table {
  const values = columnValues(columnOf(table, name))
  const names = classNames(among ?? values, name)
  const numbers = new Map(names.map((label, index) => [label, index]))
  const encoded = compactColumn(
    values.map(value => (value === null || value === undefined ? value : numbers.get(String(value)))),
  )
  return {
    columns: new Map([...table.columns].map(([key, column]) => [key, key === name ? encoded : column])),
    features: { ...table.features, [name]: classLabel(names) },
    length: table.length,
  }
}
