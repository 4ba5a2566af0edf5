// what a column holds: Hugging Face's features
import { isJsonObject, type JsonObject } from '../json'

/** Types of features. `Struct` is an object with fields of its own, which in Python is a dict of features. */
export type FeatureType = 'Value' | 'ClassLabel' | 'List' | 'LargeList' | 'Struct' | OtherType

/** Those whose cells come as the file has them: what they say beyond their name is in `options`. */
type OtherType = (typeof otherTypes)[number]
const otherTypes = [
  ...(['Translation', 'TranslationVariableLanguages', 'Json'] as const),
  ...(['Array2D', 'Array3D', 'Array4D', 'Array5D'] as const),
  ...(['Image', 'Audio', 'Video', 'Pdf', 'Mesh', 'Nifti', 'BioSequence', 'BioStructure'] as const),
]

/** What a column holds. A ClassLabel's values are indices into `names`. */
export interface Feature {
  readonly type: FeatureType
  /** `string`, `int32`, `int64`, `float64`, `bool`, …; for a list that of its elements, for an object `struct`. */
  readonly dtype: string
  /** The names of a ClassLabel's classes, in the order of their numbers. */
  readonly names?: readonly string[]
  /** What a list's elements are: `features.ner_tags.feature.names`, as in Python. */
  readonly feature?: Feature
  /** The length of all lists, where it is fixed. */
  readonly length?: number
  /** What the fields of a Struct are. */
  readonly fields?: Features
  /** What else Python's features say of another type: `languages`, `shape`, … */
  readonly options?: JsonObject
}

export type Features = Readonly<Record<string, Feature>>

/** Plain values of a dtype. */
export function valueOf(dtype: string): Feature {
  return { type: 'Value', dtype }
}

/** A ClassLabel of these names. */
export function classLabel(names: readonly string[]): Feature {
  return { type: 'ClassLabel', dtype: 'int64', names: [...names] }
}

/** A list of such elements. */
export function listOf(feature: Feature, length?: number): Feature {
  return { type: 'List', dtype: feature.dtype, feature, ...(length !== undefined && length >= 0 && { length }) }
}

/** An object of such fields. */
export function structOf(fields: Features): Feature {
  return { type: 'Struct', dtype: 'struct', fields }
}

/** A feature of another type by its name; undefined for a name that there is not. */
export function otherFeature(type: string, options: JsonObject = {}): Feature | undefined {
  if (!(otherTypes as readonly string[]).includes(type)) return undefined
  const dtype = type === 'Json' ? 'json' : 'struct'
  return { type: type as OtherType, dtype, ...(Object.keys(options).length > 0 && { options }) }
}

/** TensorFlow's sequence of objects, which `datasets` keeps as an object of lists. */
export function sequenceOf(fields: Features, length?: number): Feature {
  return structOf(Object.fromEntries(Object.entries(fields).map(([name, feature]) => [name, listOf(feature, length)])))
}

/**
 * The feature that the first values of a column suggest. Numbers are integers if all of them are whole; values of several
 * types, which JSON may hold, are 'Json', as in `datasets`.
 */
export function inferFeature(values: Iterable<unknown>): Feature {
  let known = valueOf('null')
  for (const value of values) if (value !== null && value !== undefined) known = commonType(known, typeOf(value))
  return known
}

function typeOf(value: unknown): Feature {
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return listOf(inferFeature(value as unknown as Iterable<unknown>))
  if (typeof value !== 'object' || value === null) return scalarType(value)
  if (value instanceof Date) return valueOf('timestamp[ms]')
  return structOf(Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inferFeature([item])])))
}

/** What holds the values of both. */
export function commonType(a: Feature, b: Feature): Feature {
  if (a === b) return a
  if (a.dtype === 'null' && a.type === 'Value') return b
  if (b.dtype === 'null' && b.type === 'Value') return a
  if (a.feature !== undefined && b.feature !== undefined) return listOf(commonType(a.feature, b.feature))
  if (a.fields !== undefined && b.fields !== undefined) return structOf(commonFields(a.fields, b.fields))
  if (a.type === b.type && a.dtype === b.dtype) return a
  const isNumber = ({ type, dtype }: Feature): boolean => type === 'Value' && /^(int|float)64$/.test(dtype)
  return isNumber(a) && isNumber(b) ? valueOf('float64') : { type: 'Json', dtype: 'json' }
}

function commonFields(a: Features, b: Features): Features {
  const fields = new Map(Object.entries(a))
  for (const [name, feature] of Object.entries(b)) {
    const known = fields.get(name)
    fields.set(name, known === undefined ? feature : commonType(known, feature))
  }
  return Object.fromEntries(fields)
}

/**
 * Features as Hugging Face writes them into a parquet file
 * (`{"label": {"names": [...], "_type": "ClassLabel"}, "sentence": {"dtype": "string", "_type": "Value"}}`).
 */
export function parseFeatures(written: unknown): Features {
  const entries = Object.entries(isJsonObject(written) ? written : {})
  return Object.fromEntries(entries.map(([name, feature]) => [name, parseFeature(feature)]))
}

function parseFeature(written: unknown): Feature {
  if (Array.isArray(written)) return listOf(parseFeature(written[0]))
  if (!isJsonObject(written)) return valueOf('null')
  const { _type: type, feature, length, ...options } = written
  if (typeof type !== 'string') return structOf(parseFeatures(written))
  if (type === 'Value') return valueOf(String(written['dtype']))
  if (type === 'ClassLabel') return classLabel(classesOf(written))
  if (feature === undefined) return otherFeature(type, options) ?? valueOf('struct')
  const fixed = typeof length === 'number' ? length : undefined
  const element = parseFeature(feature)
  if (type === 'Sequence' && element.fields !== undefined) return sequenceOf(element.fields, fixed)
  return { ...listOf(element, fixed), ...(type === 'LargeList' && { type }) }
}

function classesOf({ names, num_classes: count }: JsonObject): string[] {
  return Array.isArray(names) ? names.map(String) : Array.from({ length: Number(count ?? 0) }, (_, id) => String(id))
}

/** Features as Hugging Face writes them: what `parseFeatures` reads, and Python's `Features.to_dict`. */
export function writeFeatures(features: Features): JsonObject {
  return Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, writeFeature(feature)]))
}

function writeFeature({ type, dtype, names = [], feature, length, fields = {}, options }: Feature): JsonObject {
  switch (type) {
    case 'Value':
      return { dtype, _type: type }
    case 'ClassLabel':
      return { names, _type: type }
    case 'List':
    case 'LargeList':
      return { feature: writeFeature(feature!), ...(length !== undefined && { length }), _type: type }
    case 'Struct':
      return writeFeatures(fields)
    default:
      return { ...options, _type: type }
  }
}

const text = valueOf('string')
const boolean = valueOf('bool')
const integer = valueOf('int64')
const float = valueOf('float64')

/** Whole numbers are integers where a 64-bit integer gives them back, the sign of -0 too. */
function scalarType(value: unknown): Feature {
  switch (typeof value) {
    case 'string':
      return text
    case 'boolean':
      return boolean
    case 'bigint':
      return integer
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? integer : float
    default:
      return valueOf('struct')
  }
}
