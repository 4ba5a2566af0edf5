// what a column holds: the part of Hugging Face's features that training needs
import { isJsonObject } from '../json'

/** What a column holds. A ClassLabel's values are indices into `names`. */
export interface Feature {
  readonly type: 'Value' | 'ClassLabel' | 'List'
  /** `string`, `int32`, `int64`, `float64`, `bool`, …; for a list that of its elements; for an object 'struct'. */
  readonly dtype: string
  /** The names of a ClassLabel's classes, in the order of their numbers. */
  readonly names?: readonly string[]
  /** What a list's elements are, where they are classes, lists or objects: `features.ner_tags.feature.names`. */
  readonly feature?: Feature
  /** How many elements each list has, where that is fixed. */
  readonly length?: number
  /** What an object's fields hold. */
  readonly fields?: Features
}

export type Features = Readonly<Record<string, Feature>>

/** A ClassLabel of these names. */
export function classLabel(names: readonly string[]): Feature {
  return { type: 'ClassLabel', dtype: 'int64', names: [...names] }
}

/** A list of such elements. */
export function listOf(element: Feature, length?: number): Feature {
  const isPlain = Object.keys(element).every(key => key === 'type' || key === 'dtype') && element.type !== 'List'
  const isFixed = length !== undefined && length >= 0
  return { type: 'List', dtype: element.dtype, ...(!isPlain && { feature: element }), ...(isFixed && { length }) }
}

/** An object of such fields. */
export function structOf(fields: Features): Feature {
  return { type: 'Value', dtype: 'struct', fields }
}

/** What a list's elements are. */
export function elementOf(list: Feature): Feature {
  return list.feature ?? { type: 'Value', dtype: list.dtype }
}

/**
 * The feature that the first values of a column suggest. Numbers are integers if all of them are whole; values of several
 * types, which JSON may hold, have the dtype 'json', as in `datasets`.
 */
export function inferFeature(values: Iterable<unknown>): Feature {
  let known: Feature | undefined
  for (const value of values) {
    if (value === null || value === undefined) continue
    const isList = Array.isArray(value) || ArrayBuffer.isView(value)
    if (known?.type === 'List' && isList) return known // lists may be long: the first one counts
    const found: Feature = isList
      ? listOf(inferFeature(value as unknown as Iterable<unknown>))
      : { type: 'Value', dtype: scalarType(value) }
    known = known === undefined ? found : commonType(known, found)
  }
  return known ?? { type: 'Value', dtype: 'null' }
}

function commonType(a: Feature, b: Feature): Feature {
  if (a.type === b.type && a.dtype === b.dtype) return a
  const isNumber = ({ type, dtype }: Feature): boolean => type === 'Value' && /^(int|float)64$/.test(dtype)
  return { type: 'Value', dtype: isNumber(a) && isNumber(b) ? 'float64' : 'json' }
}

/**
 * Features as Hugging Face writes them into a parquet file or a dataset card
 * (`{"label": {"names": [...], "_type": "ClassLabel"}, "sentence": {"dtype": "string", "_type": "Value"}}`).
 */
export function parseFeatures(written: unknown): Features {
  const features: Record<string, Feature> = {}
  for (const [name, feature] of Object.entries(isJsonObject(written) ? written : {}))
    features[name] = parseFeature(feature)
  return features
}

function parseFeature(written: unknown): Feature {
  if (Array.isArray(written)) return listOf(parseFeature(written[0]))
  if (!isJsonObject(written)) return { type: 'Value', dtype: 'null' }
  const { _type: type, feature, length } = written
  if (type === undefined) return structOf(parseFeatures(written))
  if (type === 'ClassLabel' && Array.isArray(written['names'])) return classLabel(written['names'].map(String))
  if (type === 'Value') return { type: 'Value', dtype: String(written['dtype']) }
  if (type === 'Json') return { type: 'Value', dtype: 'json' }
  if (feature === undefined) return { type: 'Value', dtype: 'struct' }
  const lists = (element: Feature): Feature => listOf(element, typeof length === 'number' ? length : undefined)
  const element = parseFeature(feature)
  // Sequence of an object is an object of lists: datasets keeps it so, as TensorFlow Datasets did.
  return type === 'Sequence' && element.fields !== undefined
    ? structOf(Object.fromEntries(Object.entries(element.fields).map(([name, field]) => [name, lists(field)])))
    : lists(element)
}

function scalarType(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int64'
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64'
    default:
      return 'struct'
  }
}
