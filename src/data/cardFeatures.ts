// the columns that a card declares → features, and cells of their types
import { TrainerError } from '../errors'
import { isJsonObject, type Json, type JsonObject } from '../json'
import { shown } from '../options'
import { castOf, Misfit } from './castCells'
import { columnsOption, columnValues, compactColumn, type Column } from './columns'
import {
  classLabel,
  listOf,
  otherFeature,
  sequenceOf,
  structOf,
  valueOf,
  type Feature,
  type Features,
} from './features'
import type { Table } from './table'

/**
 * The features in a card's YAML (`- name: label`, `dtype: {class_label: {names: {'0': neg, '1': pos}}}`), in their order.
 * @throws TrainerError (`file`) naming the column whose feature cannot be read.
 */
export function cardFeatures(written: unknown, path: string): Features {
  return fieldsOf(written, text => new TrainerError('file', `The features in ${path} ${text}.`))
}

type Refusal = (problem: string) => TrainerError

/** Named features: of a dataset's columns, or of an object's fields. */
function fieldsOf(written: unknown, refusal: Refusal): Features {
  const fields = (Array.isArray(written) ? (written as unknown[]) : [written]).map((entry): [string, Feature] => {
    if (!isJsonObject(entry) || typeof entry['name'] !== 'string') throw refusal('are not a list of named columns')
    const { name, ...feature } = entry
    return [name, cardFeature(feature, problem => refusal(`say of '${name}' what is not read here: it ${problem}`))]
  })
  return Object.fromEntries(fields)
}

const lists = ['list', 'sequence', 'large_list'] as const

/** A feature by its one key: `dtype: int32`, `list: string`, `struct: […]`, `class_label: {…}`; a text is a dtype. */
function cardFeature(written: unknown, refusal: Refusal): Feature {
  if (typeof written === 'string') return plainFeature(written, refusal)
  if (Array.isArray(written)) return structOf(fieldsOf(written, refusal))
  if (!isJsonObject(written)) throw refusal('has no type')
  const list = lists.find(name => name in written)
  if (list !== undefined) return listFeature(list, written, refusal)
  if ('struct' in written) return structOf(fieldsOf(written['struct'], refusal))
  if ('dtype' in written) return cardFeature(written['dtype'], refusal)
  const [type = '', options] = Object.entries(written)[0] ?? []
  const inner = isJsonObject(options) ? options : {}
  if (type === 'class_label') return classLabel(namesOf(inner, refusal))
  return otherFeature(pythonName(type), typedOptions(inner) as JsonObject) ?? unknownType(type, refusal)
}

function listFeature(kind: (typeof lists)[number], written: JsonObject, refusal: Refusal): Feature {
  const inner = written[kind]
  const length = written['length'] === undefined ? undefined : Number(written['length'])
  if (kind === 'sequence' && Array.isArray(inner)) return sequenceOf(fieldsOf(inner, refusal), length)
  const list = listOf(cardFeature(inner, refusal), length)
  return kind === 'large_list' ? { ...list, type: 'LargeList' } : list
}

const dtypes =
  /^(null|bool|u?int(8|16|32|64)|float(16|32|64)|(large_)?(string|binary)(_view)?|date(32|64)|(time(32|64)|timestamp|duration)\[.+\]|decimal(32|64|128|256)\(.+\))$/

function plainFeature(dtype: string, refusal: Refusal): Feature {
  const known = { float: 'float32', double: 'float64' }[dtype] ?? dtype
  return dtypes.test(known) ? valueOf(known) : (otherFeature(pythonName(dtype)) ?? unknownType(dtype, refusal))
}

function unknownType(type: string, refusal: Refusal): never {
  throw refusal(`has the type ${type}`)
}

/** `array2_d` is Array2D, `translation` Translation. */
function pythonName(name: string): string {
  return name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Numbers and booleans, as `shape: [2, 2]` and `decode: false`, of a card all of whose scalars are texts. */
function typedOptions(written: Json | undefined): Json | undefined {
  if (Array.isArray(written)) return written.map(item => typedOptions(item as Json) ?? null)
  if (isJsonObject(written))
    return Object.fromEntries(Object.entries(written).map(([key, item]) => [key, typedOptions(item)]))
  if (written === 'true' || written === 'false') return written === 'true'
  return typeof written === 'string' && /^\d+$/.test(written) ? Number(written) : written
}

/** Names by number, '10' behind '9'; or a list of them; or as many as `num_classes` says. */
function namesOf({ names: written, num_classes: count }: JsonObject, refusal: Refusal): string[] {
  const names = Array.isArray(written) ? written.map(String) : numberedNames(written ?? {}, refusal)
  const twice = names.find((name, id) => names.indexOf(name) !== id)
  if (twice !== undefined) throw refusal(`names two classes '${twice}'`)
  if (written !== undefined) return names
  if (count === undefined) throw refusal('names no classes')
  return Array.from({ length: Number(count) }, (_, id) => String(id))
}

function numberedNames(written: Json, refusal: Refusal): string[] {
  if (!isJsonObject(written)) throw refusal('does not number its classes')
  const entries = Object.entries(written).sort(([a], [b]) => Number(a) - Number(b))
  const gap = entries.findIndex(([id], place) => Number(id) !== place)
  if (gap >= 0) throw refusal(`numbers its classes ${entries.map(([id]) => id).join(', ')}, without ${gap}`)
  return entries.map(([, name]) => String(name))
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
  const values = columnValues(column).map((value, row) => {
    try {
      return cast(value)
    } catch (misfit) {
      if (!(misfit instanceof Misfit)) throw misfit
      const held = typeof misfit.value === 'object' ? shown(misfit.value) : JSON.stringify(misfit.value)
      throw new TrainerError(
        'data',
        `Column '${name}' of ${place} holds ${held} at row ${row}; its README.md declares ${misfit.wanted}.`,
      )
    }
  })
  return compactColumn(values)
}
