import { nearest, quoted, TrainerError } from '../errors'
import type { ModelConfig } from './config'
import { commonFields, type ConfigField, type FamilyConfig, type FieldKind } from './fields'
import { activationNames } from './layers'

/** What a config's field is blamed on in a message: the file's path, or what else the field stands in. */
export type ConfigSource = string | ((field: string) => string)

/**
 * A config with its family's default in the place of every field that it lacks, and without aliases: what a model is
 * made of. Fields that nobody knows stay in it.
 * @param source where its fields stand, for messages.
 * @throws TrainerError ('model') for a value that a field cannot have, one that is refused, and fields that do not fit
 * each other.
 */
export function completeConfig(config: ModelConfig, family: FamilyConfig, source?: ConfigSource): ModelConfig {
  const named = withoutAliases(config, family)
  const own = { ...family.fields, ...family.read }
  const known = { ...commonFields, ...family.olderFields, ...own }
  const nameSource = (field: string): string => sourceOf(field, config, source)
  for (const [name, field] of Object.entries(known)) {
    if (Object.hasOwn(named, name) && named[name] !== undefined) checkField(name, field, named[name], nameSource(name))
  }
  const defaults = Object.fromEntries(Object.entries(own).map(([name, field]) => [name, field.default]))
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  const complete = { ...defaults, ...given } as ModelConfig
  checkTogether(complete, family, nameSource)
  return complete
}

/** The config with each field under its own name, as Python's `attribute_map` has it: what an alias says counts. */
export function withoutAliases(config: ModelConfig, family: FamilyConfig): ModelConfig {
  const present = Object.entries(family.aliases).filter(([alias]) => Object.hasOwn(config, alias))
  if (present.length === 0) return config
  const rest = Object.fromEntries(Object.entries(config).filter(([name]) => !Object.hasOwn(family.aliases, name)))
  return { ...rest, ...Object.fromEntries(present.map(([alias, name]) => [name, config[alias]])) } as ModelConfig
}

/** Every name that a field of the family's configs may have. */
export function fieldNames(family: FamilyConfig): string[] {
  const { fields, read, olderFields, aliases } = family
  return [fields, read, olderFields, commonFields, aliases].flatMap(known => Object.keys(known ?? {}))
}

/** The fields of a family that hold numbers with fractions: Python's config classes take no whole ones there. */
export function floatFields({ fields, read, olderFields }: FamilyConfig): string[] {
  const known = Object.entries({ ...fields, ...read, ...olderFields })
  return known.flatMap(([name, { kind }]) => (kind === 'number' ? [name] : []))
}

/**
 * Fields that no config of the family has, with the known one that each is a slip of: one written otherwise, or with
 * one wrong letter in a name of six or more. Other unknown fields are somebody's own, such as `is_encoder` or `type`.
 */
export function misspeltFields(config: object, family: FamilyConfig): { written: string; meant: string }[] {
  const known = fieldNames(family)
  const plain = (name: string): string => name.replaceAll('_', '').toLowerCase()
  return Object.keys(config).flatMap(written => {
    if (known.includes(written)) return []
    const meant = known.find(name => plain(name) === plain(written)) ?? nearestLong(written, known)
    return meant === undefined ? [] : [{ written, meant }]
  })
}

/** Short words of somebody's own are often one letter from another. */
function nearestLong(written: string, known: readonly string[]): string | undefined {
  return written.length < 6 ? undefined : nearest(written, known, 1)
}

function sourceOf(field: string, config: ModelConfig, source: ConfigSource | undefined): string {
  if (typeof source === 'function') return source(field)
  return source ?? `The config of this ${config.model_type} model`
}

function checkField(name: string, field: ConfigField, value: unknown, source: string): void {
  if (value === null && (field.nullable === true || field.kind === 'any' || field.default === null)) return
  const wanted = expectations[field.kind]
  if (!wanted.holds(value)) {
    const expected = field.nullable === true ? `${wanted.text} or null` : wanted.text
    throw new TrainerError('model', `${source} needs "${name}" as ${expected}, but it is ${JSON.stringify(value)}.`, {
      fix:
        field.default === null
          ? 'Correct it, or leave it out.'
          : `A config without it has ${JSON.stringify(field.default)}.`,
    })
  }
  if (field.most !== undefined && (value as number) > field.most) {
    throw new TrainerError('model', `${source} has "${name}" ${String(value)}, more than the ${field.most} allowed.`, {
      fix: 'Correct it: no model of this family is that large.',
    })
  }
  if (field.effect === 'refused') refuseUnlessHarmless(name, field, value, source)
}

function refuseUnlessHarmless(name: string, field: ConfigField, value: unknown, source: string): void {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
  if ([field.default, ...(field.harmless ?? [])].some(allowed => same(allowed, value))) return
  throw new TrainerError('model', `${source} has "${name}" ${JSON.stringify(value)}: ${field.purpose}.`, {
    fix: refusedFixes[name] ?? `Only ${JSON.stringify(field.harmless?.[0] ?? field.default)} is supported.`,
  })
}

const refusedFixes: Readonly<Record<string, string>> = {
  quantization_config:
    'Take the model before it was quantized, or dequantize it in Python (model.dequantize()) and save it in float32.',
  pruned_heads: 'Take the model before its heads were pruned.',
}

/** What fields say of each other: heads divide the width, and the padding id has its row. */
function checkTogether(config: ModelConfig, family: FamilyConfig, source: (field: string) => string): void {
  const { width, heads } = family
  const has = (field: string, problem: string, fix?: string): TrainerError =>
    new TrainerError('model', `${source(field)} has "${field}" ${JSON.stringify(config[field])}, ${problem}.`, {
      ...(fix !== undefined && { fix }),
    })
  if ((config[width] as number) % (config[heads] as number) !== 0)
    throw has(width, `which cannot be divided among ${String(config[heads])} heads ("${heads}")`)
  const wrong = family.check?.(config)
  if (wrong !== undefined) throw has(wrong.field, wrong.problem, wrong.fix)
  const padding = config.pad_token_id
  if (typeof padding !== 'number') return
  const vocabulary = config.vocab_size as number
  if (padding >= vocabulary)
    throw has('pad_token_id', `which is not a token: "vocab_size" is ${vocabulary}, so ids are below that`)
  const rows = config.max_position_embeddings as number
  if (family.countsFromPadding && rows <= padding + 1)
    throw has('max_position_embeddings', `but positions are counted from ${padding + 1}, after "pad_token_id"`)
}

interface Expectation {
  readonly text: string
  holds(value: unknown): boolean
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const floatingTypes = ['float32', 'float16', 'bfloat16', 'float64', 'half', 'float', 'double'] as const

const expectations: Readonly<Record<FieldKind, Expectation>> = {
  size: { text: 'a whole number of at least 1', holds: value => Number.isInteger(value) && (value as number) >= 1 },
  token: { text: 'a whole number of at least 0', holds: value => Number.isInteger(value) && (value as number) >= 0 },
  whole: { text: 'a whole number', holds: value => Number.isInteger(value) },
  number: { text: 'a number of at least 0', holds: value => isNumber(value) && value >= 0 },
  probability: {
    text: 'a probability of at least 0 and below 1',
    holds: value => isNumber(value) && value >= 0 && value < 1,
  },
  activation: {
    text: `one of ${quoted(activationNames)}`,
    holds: value => activationNames.includes(value as string),
  },
  dtype: {
    text: `one of ${quoted(floatingTypes)}`,
    holds: value => floatingTypes.includes(value as (typeof floatingTypes)[number]),
  },
  boolean: { text: 'true or false', holds: value => typeof value === 'boolean' },
  text: { text: 'a text', holds: value => typeof value === 'string' },
  names: {
    text: 'a list of texts, or one text with | between them',
    holds: value => typeof value === 'string' || (Array.isArray(value) && value.every(one => typeof one === 'string')),
  },
  labels: { text: '', holds: () => true },
  any: { text: '', holds: () => true },
}
