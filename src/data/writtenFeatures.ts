// features → as Hugging Face's datasets writes them: JSON in files, YAML in a dataset's card
import { elementOf, type Feature, type Features } from './features'

/** The value of the key 'huggingface' in a parquet file's metadata; `parseFeatures` reads it. */
export function featuresAsJson(features: Features): string {
  return JSON.stringify({ info: { features: each(features, asJson) } })
}

function asJson(feature: Feature): unknown {
  const { dtype, names, fields, length } = feature
  if (feature.type === 'List')
    return { feature: asJson(elementOf(feature)), ...(length !== undefined && { length }), _type: 'List' }
  if (names !== undefined) return { names, _type: 'ClassLabel' }
  if (fields !== undefined) return each(fields, asJson)
  return dtype === 'json' ? { _type: 'Json' } : { dtype, _type: 'Value' }
}

/** `dataset_info.features` of a card; `cardFeatures` reads it. */
export function featuresAsYaml(features: Features): unknown[] {
  return Object.entries(features).map(([name, feature]) => ({ name, ...asYaml(feature) }))
}

function asYaml(feature: Feature): object {
  const { dtype, names, fields, length } = feature
  if (feature.type === 'List')
    return { list: asYamlElement(elementOf(feature)), ...(length !== undefined && { length }) }
  // The Hub wants the numbers of classes as texts.
  if (names !== undefined) return { dtype: { class_label: { names: Object.fromEntries(names.entries()) } } }
  return fields !== undefined ? { struct: featuresAsYaml(fields) } : { dtype }
}

/** A list's element, with nothing around a plain dtype or fields. */
function asYamlElement(element: Feature): unknown {
  if (element.type === 'Value') return element.fields === undefined ? element.dtype : featuresAsYaml(element.fields)
  return asYaml(element)
}

function each(features: Features, written: (feature: Feature) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, written(feature)]))
}
