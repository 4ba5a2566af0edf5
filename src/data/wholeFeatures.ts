// table → what every column holds in all its rows: a file of types says more than the first rows show
import { takeTurns } from '../turns'
import { columnValues, type Column } from './columns'
import { commonType, inferFeature, valueOf, type Feature, type Features } from './features'
import type { Table } from './table'

/**
 * The feature of every column down to the last field: what is known of it, else what all its values say. The event loop
 * runs in between.
 */
export async function wholeFeatures({ columns, features }: Table): Promise<Features> {
  const whole: Record<string, Feature> = {}
  for (const [name, column] of columns) {
    const known = features[name]
    whole[name] = (known && completed(known)) ?? (await featureOf(column))
  }
  return whole
}

/** A feature with what its parts are; undefined where that is not known. */
function completed(feature: Feature): Feature | undefined {
  const { type, dtype, feature: element, fields } = feature
  if (type === 'List' || type === 'LargeList') {
    const whole = element === undefined ? plain(dtype) : completed(element)
    return whole && { ...feature, feature: whole }
  }
  if (type !== 'Struct') return type === 'Value' && plain(dtype) === undefined ? undefined : feature
  const parts = Object.entries(fields ?? {}).map(([name, field]) => [name, completed(field)] as const)
  return parts.some(([, part]) => part === undefined)
    ? undefined
    : { ...feature, fields: Object.fromEntries(parts) as Features }
}

function plain(dtype: string): Feature | undefined {
  return dtype === 'struct' ? undefined : valueOf(dtype)
}

async function featureOf(column: Column): Promise<Feature> {
  const pause = takeTurns()
  let known = valueOf('null')
  for (let row = 0; row < column.length; row += 256) {
    known = commonType(known, inferFeature(columnValues(column, row, Math.min(row + 256, column.length))))
    await pause()
  }
  return known
}
