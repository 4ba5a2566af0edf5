// table → what every column holds, down to the last field: a file of types says more than training has to know
import { takeTurns } from '../turns'
import type { Column } from './columns'
import { elementOf, listOf, structOf, type Feature, type Features } from './features'
import type { Table } from './table'

/**
 * The feature of every column, with the fields of objects: what is known of it, else what all its values say. The event
 * loop runs in between.
 */
export async function wholeFeatures({ columns, features }: Table): Promise<Features> {
  const whole: Record<string, Feature> = {}
  for (const [name, column] of columns) {
    const known = features[name]
    whole[name] = known !== undefined && isWhole(known) ? known : await featureOfColumn(column)
  }
  return whole
}

function isWhole(feature: Feature): boolean {
  if (feature.type === 'List') return isWhole(elementOf(feature))
  return feature.dtype !== 'struct' || (feature.fields !== undefined && Object.values(feature.fields).every(isWhole))
}

const nothing: Feature = { type: 'Value', dtype: 'null' }
const mixed: Feature = { type: 'Value', dtype: 'json' }

async function featureOfColumn(column: Column): Promise<Feature> {
  const pause = takeTurns()
  let known = nothing
  for (let row = 0; row < column.length; row++) {
    known = common(known, featureOfValue(column.get(row)))
    if (row % 256 === 255) await pause()
  }
  return known
}

/** What a value is. Whole numbers are integers if a 64-bit integer gives them back, the sign of -0 too. */
function featureOfValue(value: unknown): Feature {
  if (value === null || value === undefined) return nothing
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    let element = nothing
    for (const item of value as unknown as Iterable<unknown>) element = common(element, featureOfValue(item))
    return listOf(element)
  }
  if (value instanceof Date) return { type: 'Value', dtype: 'timestamp[ms]' }
  switch (typeof value) {
    case 'object':
      return structOf(Object.fromEntries(Object.entries(value).map(([name, item]) => [name, featureOfValue(item)])))
    case 'string':
      return text
    case 'boolean':
      return boolean
    case 'bigint':
      return integer
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? integer : float
    default:
      return mixed
  }
}

const text: Feature = { type: 'Value', dtype: 'string' }
const boolean: Feature = { type: 'Value', dtype: 'bool' }
const integer: Feature = { type: 'Value', dtype: 'int64' }
const float: Feature = { type: 'Value', dtype: 'float64' }

/** What holds the values of both; JSON where they have nothing in common, as in `datasets`. */
function common(a: Feature, b: Feature): Feature {
  if (a === b || b === nothing) return a
  if (a === nothing) return b
  if (a.type === 'List' && b.type === 'List') return commonList(a, b)
  if (a.fields !== undefined && b.fields !== undefined) return commonStruct(a.fields, b.fields)
  if (a.type === 'List' || b.type === 'List') return mixed
  if (a.dtype === b.dtype) return a
  return (a === integer && b === float) || (a === float && b === integer) ? float : mixed
}

function commonList(a: Feature, b: Feature): Feature {
  const [first, second] = [canonical(elementOf(a)), canonical(elementOf(b))]
  const element = common(first, second)
  return element === first ? a : element === second ? b : listOf(element)
}

/** A plain element of a list as the one object that `common` compares. */
function canonical(element: Feature): Feature {
  if (element.type === 'List') return element
  return [nothing, mixed, text, boolean, integer, float].find(({ dtype }) => dtype === element.dtype) ?? element
}

function commonStruct(a: Features, b: Features): Feature {
  const fields: Record<string, Feature> = { ...a }
  for (const [name, feature] of Object.entries(b)) fields[name] = common(fields[name] ?? nothing, feature)
  return structOf(fields)
}
