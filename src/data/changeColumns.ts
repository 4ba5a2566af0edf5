// table → table with fewer, renamed or encoded columns
import { TrainerError } from '../errors'
import { type Column, columnValues, compactColumn } from './columns'
import { classNames, classNumbers, isFloatType, pythonText } from './classNames'
import { classLabel, type Feature, type Features } from './features'
import { shown } from '../options'
import { columnOf, featuresOf, takenName, type Table } from './table'

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
 * @throws TrainerError (`data`) when another column has that name, (`argument`) for a name that is no text.
 */
export function renameColumn(table: Table, from: string, to: string): Table {
  columnOf(table, from)
  if (typeof to !== 'string')
    throw new TrainerError('argument', `The new name of column '${from}' is a text, but ${shown(to)} was given.`)
  if (from !== to && table.columns.has(to)) throw takenName(to, from)
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
  return withColumn(table, name, compactColumn(classNumbers(column, classes, `Column '${name}'`)), classLabel(classes))
}

/**
 * The table with the classes of a ClassLabel numbered as a mapping says. Names are compared without regard to case, as in
 * Hugging Face; -1, which marks a hidden label, and missing cells stay.
 * @param label2id the numbers from 0 by name, as in a model's config.
 * @throws TrainerError for a column that is no ClassLabel, numbers with gaps, and a row whose class has no number.
 */
export function alignLabels(table: Table, label2id: Readonly<Record<string, number>>, name: string): Table {
  const column = columnOf(table, name)
  const classes = table.features[name]?.names
  if (classes === undefined) {
    throw new TrainerError('data', `The classes of column '${name}' have no names, so they cannot be aligned.`, {
      fix: `If it holds names, dataset.classEncodeColumn('${name}') numbers them.`,
    })
  }
  const names = namesInOrder(label2id)
  const numbers = new Map(names.map((label, id) => [label.toLowerCase(), id]))
  const aligned = Array.from(columnValues(column), (value, row) => {
    if (value === null || value === undefined || value === -1) return value
    const number = numbers.get(classes[value as number]?.toLowerCase() ?? '')
    if (number !== undefined) return number
    const given = `'${classes[value as number] ?? String(value)}'`
    throw new TrainerError('data', `Column '${name}' holds the class ${given} at row ${row}, which has no number.`, {
      fix: `The mapping has ${names.join(', ')}: add it, or leave such rows out with filter().`,
    })
  })
  return withColumn(table, name, compactColumn(aligned), classLabel(names))
}

/** The names of a mapping by their numbers. @throws TrainerError unless these are 0, 1, 2, … */
function namesInOrder(label2id: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(label2id ?? {}).sort(([, a], [, b]) => a - b)
  const isDense = entries.length > 0 && entries.every(([, id], i) => id === i)
  const isDistinct = new Set(entries.map(([name]) => name.toLowerCase())).size === entries.length
  if (isDense && isDistinct) return entries.map(([name]) => name)
  throw new TrainerError('argument', `label2id has to number different names from 0 on, not ${shown(label2id)}.`, {
    fix: "Give the label2id of the model's config.",
  })
}

function withColumn(table: Table, name: string, column: Column, feature: Feature): Table {
  return {
    columns: new Map([...table.columns].map(([key, old]) => [key, key === name ? column : old])),
    features: { ...table.features, [name]: feature },
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
