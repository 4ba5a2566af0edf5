import { parse as parseYaml } from 'yaml'
import { TrainerError } from '../errors'
import { type OptimizerArguments, writeOptimizerArguments } from './optimizers'
import type { ResolvedArguments } from './resolve'
import { camelCase, respell, snakeCase } from './spelling'
import { argumentNames, argumentRow } from './table'

/**
 * Reads options from JSON or YAML text, or from the object parsed from it, in snake_case or camelCase.
 *
 * `null` means "not given". Nested options become camelCase too. Names are not checked here.
 * @throws TrainerError (`file`) for text that is neither, or not an object; (`argument`) for a name in both spellings.
 */
export function readOptions(source: string | object): Record<string, unknown> {
  const read = typeof source === 'string' ? parseText(source) : source
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    const kind = Array.isArray(read) ? 'a list' : String(read)
    throw new TrainerError('file', `Training arguments are an object of names and values, but this is ${kind}.`)
  }
  const options: Record<string, unknown> = {}
  for (const [written, value] of Object.entries(read)) {
    const name = camelCase(written)
    if (Object.hasOwn(options, name))
      throw new TrainerError('argument', `${name} is given twice, in both spellings.`, { fix: 'Keep one.' })
    options[name] = value === null ? undefined : readNested(name, value)
  }
  return options
}

function parseText(text: string): unknown {
  try {
    return parseYaml(text) // JSON is YAML
  } catch (cause) {
    throw new TrainerError('file', `The training arguments are neither JSON nor YAML: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

/** Options of the schedule and the optimizer with names in camelCase, also from JSON text. */
export function readNested(name: string, value: unknown): unknown {
  if (name !== 'lrSchedulerKwargs' && name !== 'optimArgs') return value
  if (typeof value === 'string' && value.trimStart().startsWith('{'))
    return respell(coerce(parseText(value)), camelCase)
  return typeof value === 'string' ? respellPairs(value) : respell(value, camelCase)
}

/** Python's rule for options given as text: "true", "12" and "1.5" are read as such; here "1e-7" is, too. */
function coerce(value: unknown): unknown {
  if (typeof value === 'string') {
    if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
    return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coerce(inner)]))
}

/** `lr_decay=0.1` → `lrDecay=0.1` */
function respellPairs(text: string): string {
  return text
    .split(',')
    .map(part => part.replace(/^[^=]*/, name => camelCase(name.trim())))
    .join(',')
}

/**
 * The arguments like Python's `to_dict`: snake_case, `null` for what is not given, tokens as placeholders. Arguments of
 * ts-trainer alone are left out at their defaults, so that `TrainingArguments(**dict)` works in Python.
 */
export function writeOptions(values: ResolvedArguments): Record<string, unknown> {
  const entries = argumentNames.flatMap(name => {
    const row = argumentRow(name)
    if (row.mark === 'own' && values[name] === row.default) return []
    return [[snakeCase(name), writeValue(name, values[name])]]
  })
  return Object.fromEntries(entries) as Record<string, unknown>
}

function writeValue(name: string, value: unknown): unknown {
  if (name.endsWith('Token')) return `<${snakeCase(name).toUpperCase()}>`
  if (name === 'optimArgs') return writeOptimizerArguments(value as OptimizerArguments, snakeCase) ?? null
  return name === 'lrSchedulerKwargs' ? (respell(value, snakeCase) ?? null) : (value ?? null)
}
