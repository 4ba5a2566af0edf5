// the columns that a card declares → features, and cells of their types
import { TrainerError } from '../errors'
import { isJsonObject } from '../json'
import { pythonText } from './classNames'
import { columnsOption, columnValues, compactColumn, type Column } from './columns'
import { classLabel, type Feature, type Features, listOf } from './features'
import type { Table } from './table'

/**
 * The features in a card's YAML (`- name: label`, `dtype: {class_label: {names: {'0': neg, '1': pos}}}`), in their order.
 * @throws TrainerError (`file`) for a list that is not one of named columns.
 */
export function cardFeatures(written: unknown, path: string): Features {
  const features: Record<string, Feature> = {}
  for (const entry of Array.isArray(written) ? (written as unknown[]) : [written]) {
    if (!isJsonObject(entry) || typeof entry['name'] !== 'string')
      throw new TrainerError('file', `The features in ${path} are not a list of named columns.`)
    features[entry['name']] = cardFeature(entry)
  }
  return features
}

function cardFeature({ dtype, sequence, list }: Record<string, unknown>): Feature {
  if (typeof dtype === 'string') return { type: 'Value', dtype }
  if (isJsonObject(dtype) && isJsonObject(dtype['class_label']))
    return classLabel(namesOf(dtype['class_label']['names']))
  return listOf(elementOf(sequence ?? list))
}

function elementOf(inner: unknown): Feature {
  if (typeof inner === 'string') return { type: 'Value', dtype: inner }
  if (!isJsonObject(inner)) return { type: 'Value', dtype: 'struct' }
  return cardFeature('dtype' in inner ? inner : { dtype: inner })
}

/** Names by number, '10' behind '9'; or a list of them. */
function namesOf(written: unknown): string[] {
  if (Array.isArray(written)) return written.map(String)
  const entries = Object.entries(isJsonObject(written) ? written : {})
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, name]) => String(name))
}

/**
 * The table with the columns that its card declares: texts become the numbers of classes, or numbers; a column that the
 * files lack is null.
 * @throws TrainerError (`data`) for a column that the card does not have, and naming the row of a cell that does not fit.
 */
export function declareColumns(table: Table, features: Features, place: string, wanted?: readonly string[]): Table {
  const unknown = [...table.columns.keys()].find(name => features[name] === undefined)
  if (unknown !== undefined) {
    const declared = Object.keys(features)
    throw new TrainerError('data', `${place} has a column '${unknown}', which its README.md does not declare.`, {
      fix: `Leave it out, ${columnsOption(declared)}, or declare it there.`,
    })
  }
  const names = wanted ?? Object.keys(features)
  const columns = names.map((name): [string, Column] => {
    const column = table.columns.get(name)
    if (column === undefined) return [name, compactColumn(new Array<null>(table.length).fill(null))]
    const known = JSON.stringify(table.features[name]) === JSON.stringify(features[name])
    return [name, known ? column : castColumn(column, features[name]!, name, place)]
  })
  const declared = Object.fromEntries(names.map(name => [name, features[name]!]))
  return { columns: new Map(columns), features: declared, length: table.length }
}

function castColumn(column: Column, feature: Feature, name: string, place: string): Column {
  const cast = castOf(feature)
  if (cast === undefined) return column
  const values = columnValues(column).map((value, row) => {
    if (value === null || value === undefined) return null
    const made = cast(value)
    if (made !== undefined) return made
    const wanted = feature.names === undefined ? feature.dtype : `one of ${feature.names.length} classes`
    throw new TrainerError(
      'data',
      `Column '${name}' of ${place} holds ${JSON.stringify(value)} at row ${row}; its README.md declares ${wanted}` +
        `${feature.names === undefined ? '' : `: ${feature.names.join(', ')}`}.`,
    )
  })
  return compactColumn(values)
}

/** Makes a cell what a feature says; undefined for a cell that cannot be that. */
function castOf({ type, dtype, names }: Feature): ((value: unknown) => unknown) | undefined {
  if (type === 'ClassLabel') return value => classOf(value, names!)
  if (type === 'List') return undefined
  if (dtype.endsWith('string')) return value => (typeof value === 'object' ? undefined : pythonText(value, false))
  if (!/^u?(int|float)\d+$/.test(dtype)) return undefined
  const round = dtype === 'float32' ? Math.fround : (number: number): number => number
  return value => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    const fits = typeof number === 'number' && (dtype.startsWith('float') || Number.isInteger(number))
    return fits && !(typeof value === 'string' && Number.isNaN(number)) ? round(number) : undefined
  }
}

/** A class's number, from its name or number; -1 means no class. */
function classOf(value: unknown, names: readonly string[]): number | undefined {
  const named = typeof value === 'string' ? names.indexOf(value) : -1
  if (named >= 0) return named
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number >= -1 && number < names.length
    ? number
    : undefined
}
