// table → table with fewer, renamed or encoded columns
import { TrainerError } from '../errors'
import { columnValues, compactColumn } from './columns'
import { classNames, classNumbers, isFloatType, pythonText } from './classNames'
import { classLabel, type Features } from './features'
import { shown } from './options'
import { columnOf, featuresOf, type Table } from './table'

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
 * The table with a column of names turned into a ClassLabel: each cell becomes its name's number, missing cells stay. A
 * ClassLabel stays as it is.
 * @param names the classes, in the order of their numbers; by default the column's own, sorted.
 * @throws TrainerError for a value that is not among the names, and for a ClassLabel of other names.
 */
export function encodeClasses(table: Table, name: string, names?: readonly unknown[]): Table {
  const column = { values: columnValues(columnOf(table, name)), dtype: featuresOf(table)[name]!.dtype }
  if (names !== undefined && !(Array.isArray(names) && names.every(item => typeof item !== 'object')))
    throw new TrainerError('argument', `classEncodeColumn() takes the names of classes as a list, not ${shown(names)}.`)
  const wanted = names?.map(item => pythonText(item, isFloatType(column.dtype)))
  const known = table.features[name]
  if (known?.type === 'ClassLabel') {
    if (wanted === undefined || wanted.join('\n') === known.names!.join('\n')) return table
    throw new TrainerError('data', `Column '${name}' is numbered already: its classes are ${known.names!.join(', ')}.`)
  }
  const classes = wanted ?? classNames([column], name)
  const encoded = compactColumn(classNumbers(column, classes, `Column '${name}'`))
  return {
    columns: new Map([...table.columns].map(([key, old]) => [key, key === name ? encoded : old])),
    features: { ...table.features, [name]: classLabel(classes) },
    length: table.length,
  }
}

/**
 * One list of names for a column of several splits: those of a ClassLabel among them, else all values, sorted.
 * @param splits the splits that have the column.
 */
export function commonClasses(
  splits: readonly { readonly features: Features; unique(name: never): Iterable<unknown> }[],
  name: string,
): readonly string[] {
  const labelled = splits.find(({ features }) => features[name]?.type === 'ClassLabel')
  if (labelled !== undefined) return labelled.features[name]!.names!
  return classNames(
    splits.map(split => ({ values: split.unique(name as never), dtype: split.features[name]!.dtype })),
    name,
  )
}
