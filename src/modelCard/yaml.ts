// the YAML of a model card, so that YAML 1.1 (Python's) and 1.2 (the Hub's) read the same
import { parse, type ScalarTag, stringify, type Tags } from 'yaml'
import { isJsonObject } from '../json'
import { pythonFloat } from '../pythonNumbers'

/** What a card's YAML holds; a bigint is a whole number, a number a float. */
export type Yaml = string | number | bigint | readonly Yaml[] | { readonly [key: string]: Yaml }

/** As Python's cards look; texts that either version reads as something else are in quotes. */
export function writeYaml(value: Yaml): string {
  return stringify(value, {
    schema: 'core',
    compat: 'yaml-1.1',
    customTags: (tags: Tags) => [specialText, float, ...tags],
    aliasDuplicateObjects: false,
    indentSeq: false,
    lineWidth: 0,
    blockQuote: false,
    doubleQuotedAsJSON: true,
  })
}

/** The fields of a card's YAML, all scalars as texts; empty for what is not a mapping. @throws for what is not YAML. */
export function readYaml(text: string): Readonly<Record<string, unknown>> {
  const yaml: unknown = parse(text, { schema: 'failsafe' })
  return isJsonObject(yaml) ? yaml : {}
}

/**
 * Texts with characters that Python takes for the end of a line or does not take at all, and the two that are no texts
 * in YAML 1.1.
 */
const special = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]|^(?:=|<<)$/u

const specialText: ScalarTag = {
  tag: 'tag:yaml.org,2002:str',
  default: true,
  identify: value => typeof value === 'string' && special.test(value),
  resolve: text => text,
  stringify: ({ value }) => escaped(String(value)),
}

function escaped(text: string): string {
  const whole = JSON.stringify(text.replace(/\p{Cs}/gu, '\ufffd'))
  return whole.replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const float: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /(?!)/, // for writing alone
  identify: value => typeof value === 'number',
  resolve: Number,
  stringify: ({ value }) => floatText(Number(value)),
}

/** YAML 1.1 reads 1e-07 as a text, but 1.0e-07 as a number. */
function floatText(value: number): string {
  const text = pythonFloat(value)
  if (!Number.isFinite(value)) return text.replace(/^-?/, '$&.')
  return text.includes('.') ? text : text.replace('e', '.0e')
}
