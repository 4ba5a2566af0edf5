// a parquet file's schema → the features of its columns
import type { SchemaElement, SchemaTree } from 'hyparquet'
import { listOf, structOf, valueOf, type Feature, type Features } from './features'

/** What a file's own types say of its columns; nothing of one whose type has no counterpart here. */
export function featuresOfSchema(columns: readonly SchemaTree[]): Features {
  const found = columns.map(column => [column.element.name, featureOf(column)] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, Feature] => entry[1] !== undefined))
}

function featureOf({ element, children }: SchemaTree): Feature | undefined {
  if (children.length === 0) return leafFeature(element)
  const kind = element.logical_type?.type ?? element.converted_type
  if (kind === 'LIST') return listFeature(children[0]!)
  if (kind !== undefined) return undefined // a map
  const fields = children.map(child => [child.element.name, featureOf(child)] as const)
  const known = fields.filter((entry): entry is [string, Feature] => entry[1] !== undefined)
  return known.length === fields.length ? structOf(Object.fromEntries(known)) : undefined
}

/** A list's repeated group has its elements as its one child; older writers repeat the element itself. */
function listFeature(repeated: SchemaTree): Feature | undefined {
  const element = featureOf(repeated.children.length === 1 ? repeated.children[0]! : repeated)
  return element && listOf(element)
}

function leafFeature(element: SchemaElement): Feature | undefined {
  if (element.repetition_type === 'REPEATED') return undefined
  const dtype = dtypeOf(element)
  return dtype === undefined ? undefined : valueOf(dtype)
}

const plainTypes: Readonly<Record<string, string>> = {
  BOOLEAN: 'bool',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT: 'float32',
  DOUBLE: 'float64',
  BYTE_ARRAY: 'binary',
}

/** The dtype of plain values, by their logical type or the older converted one. */
function dtypeOf({ type, logical_type: logical, converted_type: converted }: SchemaElement): string | undefined {
  if (logical?.type === 'STRING' || converted === 'UTF8') return 'string'
  if (logical?.type === 'NULL') return 'null'
  if (logical?.type === 'FLOAT16') return 'float16'
  if (logical?.type === 'DATE' || converted === 'DATE') return 'date32'
  if (logical?.type === 'TIMESTAMP') {
    const unit = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' }[logical.unit]
    return `timestamp[${unit}${logical.isAdjustedToUTC ? ', tz=UTC' : ''}]`
  }
  if (logical?.type === 'INTEGER') return `${logical.isSigned ? '' : 'u'}int${logical.bitWidth}`
  const integer = /^(U?)INT_(\d+)$/.exec(converted ?? '')
  if (integer !== null) return `${integer[1]!.toLowerCase()}int${integer[2]}`
  return logical === undefined && converted === undefined ? plainTypes[type ?? ''] : undefined
}
