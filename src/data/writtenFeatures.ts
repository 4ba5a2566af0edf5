// features → as Hugging Face's datasets writes them: JSON in files, YAML in a dataset's card
import { type Json, type JsonObject } from '../json'
import { writeFeatures, type Features } from './features'

/** The value of the key 'huggingface' in a parquet file's metadata; `parseFeatures` reads it. */
export function featuresAsJson(features: Features): string {
  return JSON.stringify({ info: { features: writeFeatures(features) } })
}

/** `dataset_info.features` of a card; `cardFeatures` reads it. */
export function featuresAsYaml(features: Features): JsonObject[] {
  return fieldsAsYaml(writeFeatures(features))
}

function fieldsAsYaml(fields: JsonObject): JsonObject[] {
  return Object.entries(fields).map(([name, field]) => ({ name, ...asYaml(field as JsonObject) }))
}

function asYaml({ _type: type, ...rest }: JsonObject): JsonObject {
  if (typeof type !== 'string') return { struct: fieldsAsYaml(rest) }
  if (type === 'Value') return rest
  if (type === 'List' || type === 'LargeList') {
    const { feature, ...length } = rest
    return { [type === 'List' ? 'list' : 'large_list']: elementAsYaml(asYaml(feature as JsonObject)), ...length }
  }
  const name = yamlName(type)
  if (Object.keys(rest).length === 0) return { dtype: name }
  // The Hub wants the numbers of classes as texts.
  const options = type === 'ClassLabel' ? { names: { ...(rest['names'] as Json[]) } as unknown as JsonObject } : rest
  return { dtype: { [name]: options } }
}

/** A list's element, with nothing around a plain dtype or fields. */
function elementAsYaml(element: JsonObject): Json {
  const [key = '', ...others] = Object.keys(element)
  return others.length === 0 && (key === 'dtype' || key === 'struct') ? element[key]! : element
}

/** `Array2D` is array2_d, `ClassLabel` class_label. */
function yamlName(type: string): string {
  return type
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
}
