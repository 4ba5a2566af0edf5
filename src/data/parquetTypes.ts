// feature → how parquet keeps it: the elements of its schema, and cells as the writer takes them
import type { SchemaElement } from 'hyparquet'
import { TrainerError } from '../errors'
import { listOf, structOf, valueOf, type Feature, type Features } from './features'

/** How a column is written. */
export interface WrittenType {
  /** Its elements of the schema, itself first. */
  readonly elements: readonly SchemaElement[]
  /** Makes a cell what the writer takes. @throws Misfit for one that is not of the type. */
  readonly cell: Cell
  /** Whether it holds floating-point numbers: 0 and -0 are one word of a dictionary. */
  readonly hasFloats: boolean
}

/** The bytes of cells that were made, as Arrow would keep them. */
export interface Tally {
  bytes: number
}

type Cell = (value: unknown, tally: Tally) => unknown

/** A cell that is not of its column's type. */
export class Misfit extends Error {
  constructor(
    readonly value: unknown,
    readonly wanted: string,
  ) {
    super()
  }
}

/**
 * How a feature is written.
 * @throws TrainerError (`data`) for a type that is not written here.
 */
export function writtenType(name: string, feature: Feature, column = name): WrittenType {
  const kept = keptAs(feature)
  if (kept.feature !== undefined) return listType(name, kept, kept.feature, column)
  if (kept.fields !== undefined) return structType(name, kept.fields, column)
  const scalar = scalarType(kept)
  if (scalar !== undefined) {
    const { convert, element, width, hasFloats = false } = scalar
    const cell: Cell = (value, tally) => {
      tally.bytes += width
      return value === null || value === undefined ? null : convert(value, tally)
    }
    return { elements: [{ name, repetition_type: 'OPTIONAL', ...element }], cell, hasFloats }
  }
  const kind = kept.type === 'Value' ? kept.dtype : kept.type
  throw new TrainerError('data', `Column '${column}' holds values of type ${kind}, which is not written here.`, {
    fix: `Leave it out: removeColumns('${column}').`,
  })
}

/** The lists and objects that a feature of another type is kept as. */
function keptAs(feature: Feature): Feature {
  const { type, options = {} } = feature
  const text = valueOf('string')
  switch (type) {
    case 'Translation':
      return structOf(Object.fromEntries((options['languages'] as string[]).map(language => [language, text])))
    case 'TranslationVariableLanguages':
      return structOf({ language: listOf(text), translation: listOf(text) })
    case 'Image':
    case 'Audio':
    case 'Video':
      return structOf({ bytes: valueOf('binary'), path: text })
    default:
      return feature
  }
}

function listType(name: string, { length }: Feature, element: Feature, column: string): WrittenType {
  const item = writtenType('element', element, column)
  const wanted = length === undefined ? 'a list' : `a list of ${length}`
  const cell: Cell = (value, tally) => {
    tally.bytes += 4
    if (value === null || value === undefined) return null
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) throw new Misfit(value, wanted)
    const items = Array.from(value as ArrayLike<unknown>, one => item.cell(one, tally))
    if (length !== undefined && items.length !== length) throw new Misfit(value, wanted)
    return items
  }
  const elements: SchemaElement[] = [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...item.elements,
  ]
  return { elements, cell, hasFloats: item.hasFloats }
}

function structType(name: string, fields: Features, column: string): WrittenType {
  const members = Object.entries(fields).map(
    ([field, feature]) => [field, writtenType(field, feature, column)] as const,
  )
  if (members.length === 0)
    throw new TrainerError('data', `Column '${column}' holds objects without fields, which parquet cannot keep.`, {
      fix: `Leave it out: removeColumns('${column}').`,
    })
  const cell: Cell = (value, tally) => {
    const isMissing = value === null || value === undefined
    if (!isMissing && (typeof value !== 'object' || Array.isArray(value))) throw new Misfit(value, 'an object')
    const made = members.map(([field, { cell: convert }]) => {
      const own: unknown = isMissing ? null : Object.hasOwn(value, field) ? value[field as never] : null
      return [field, convert(own, tally)] as const
    })
    if (isMissing) return null
    const other = Object.keys(value).find(field => fields[field] === undefined)
    if (other !== undefined) throw new Misfit(value, `an object of ${Object.keys(fields).join(', ')}`)
    return Object.fromEntries(made)
  }
  const group: SchemaElement = { name, repetition_type: 'OPTIONAL', num_children: members.length }
  const elements = [group, ...members.flatMap(([, member]) => member.elements)]
  return { elements, cell, hasFloats: members.some(([, member]) => member.hasFloats) }
}

/** How a value of no parts is written. */
interface Scalar {
  readonly element: Omit<SchemaElement, 'name' | 'repetition_type'>
  /** Bytes of a value in Arrow's layout, beside a text's own. */
  readonly width: number
  readonly convert: Cell
  readonly hasFloats?: boolean
}

function scalarType({ dtype, names }: Feature): Scalar | undefined {
  if (names !== undefined) return classScalar(names)
  const time = /^timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]$/.exec(dtype)
  if (time !== null) return timestamp(time[1]!, time[2] !== undefined)
  return integerType(dtype) ?? scalars[dtype]
}

/** Numbers of classes; -1 stands for none. */
function classScalar(names: readonly string[]): Scalar {
  const isClass = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= -1 && (value as number) < names.length
  const wanted = `a number of one of its ${names.length} classes`
  return { element: { type: 'INT64' }, width: 8, convert: checked(isClass, wanted, value => BigInt(value as number)) }
}

function timestamp(unit: string, isAdjustedToUTC: boolean): Scalar {
  const units = { s: 'MILLIS', ms: 'MILLIS', us: 'MICROS', ns: 'NANOS' } as const
  const logical = { type: 'TIMESTAMP', isAdjustedToUTC, unit: units[unit as keyof typeof units] } as const
  return { element: { type: 'INT64', logical_type: logical }, width: 8, convert: date }
}

function integerType(dtype: string): Scalar | undefined {
  const match = /^(u?)int(8|16|32|64)$/.exec(dtype)
  if (match === null) return undefined
  const [isUnsigned, bits] = [match[1] === 'u', Number(match[2])]
  const least = isUnsigned ? 0n : -(2n ** BigInt(bits - 1))
  const most = 2n ** BigInt(isUnsigned ? bits : bits - 1) - 1n
  const fits = (value: unknown): boolean =>
    (typeof value === 'bigint' || Number.isInteger(value)) && (value as number) >= least && (value as number) <= most
  const type = bits === 64 ? 'INT64' : 'INT32'
  const isPlain = !isUnsigned && bits >= 32
  const kept = `${isUnsigned ? 'UINT' : 'INT'}_${bits}` as 'INT_8'
  return {
    element: { type, ...(!isPlain && { converted_type: kept }) },
    width: bits / 8,
    convert: checked(fits, dtype, value => (bits === 64 ? BigInt(value as number) : Number(value))),
  }
}

function checked(fits: (value: unknown) => boolean, wanted: string, make = (value: unknown): unknown => value): Cell {
  return value => {
    if (fits(value)) return make(value)
    throw new Misfit(value, wanted)
  }
}

const isNumber = (value: unknown): boolean => typeof value === 'number'
const date = checked(value => value instanceof Date && !Number.isNaN(value.getTime()), 'a date')

const loneSurrogate = /\p{Surrogate}/u

const string: Cell = (value, tally) => {
  if (typeof value !== 'string') throw new Misfit(value, 'a text')
  if (loneSurrogate.test(value)) throw new Misfit(value, 'a text of whole characters (this one has half of one)')
  tally.bytes += Buffer.byteLength(value)
  return value
}

const binary: Cell = (value, tally) => {
  const isByte = (item: unknown): boolean => Number.isInteger(item) && (item as number) >= 0 && (item as number) < 256
  if (!(value instanceof Uint8Array) && !(Array.isArray(value) && value.every(isByte))) throw new Misfit(value, 'bytes')
  tally.bytes += value.length
  return Uint8Array.from(value as number[])
}

const texts: Scalar = { element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, width: 4, convert: string }
const bytes: Scalar = { element: { type: 'BYTE_ARRAY' }, width: 4, convert: binary }
const half: Scalar['element'] = { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } }
const never = checked(() => false, 'nothing, as in all other rows')

const scalars: Readonly<Record<string, Scalar>> = {
  string: texts,
  large_string: texts,
  string_view: texts,
  binary: bytes,
  large_binary: bytes,
  bool: {
    element: { type: 'BOOLEAN' },
    width: 1 / 8,
    convert: checked(it => typeof it === 'boolean', 'true or false'),
  },
  float16: { element: half, width: 2, convert: checked(isNumber, 'a number'), hasFloats: true },
  float32: { element: { type: 'FLOAT' }, width: 4, convert: checked(isNumber, 'a number'), hasFloats: true },
  float64: { element: { type: 'DOUBLE' }, width: 8, convert: checked(isNumber, 'a number'), hasFloats: true },
  date32: { element: { type: 'INT32', converted_type: 'DATE' }, width: 4, convert: date },
  date64: { element: { type: 'INT32', converted_type: 'DATE' }, width: 4, convert: date },
  json: { element: { type: 'BYTE_ARRAY', converted_type: 'JSON' }, width: 4, convert: value => value },
  null: { element: { type: 'INT32', logical_type: { type: 'NULL' } }, width: 0, convert: never },
}
