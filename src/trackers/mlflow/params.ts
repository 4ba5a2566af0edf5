// config and arguments → MLflow's parameters, as Hugging Face's integration writes them
import { logOnce } from '../../logging'
import { pythonFloat } from '../../pythonNumbers'
import type { TrackedRun } from '../Tracker'

/** A parameter or a tag. */
export interface KeyValue {
  readonly key: string
  readonly value: string
}

/** How long a parameter's value may be in MLflow today, and was in old servers. */
export const longestValue = 6000
export const longestOldValue = 250

/** A key as MLflow takes it. */
export function plainKey(key: string): string {
  return key.replaceAll(/[^0-9A-Za-z_\-. :/]/g, '_')
}

/**
 * The parameters of a run: the model's config and the arguments; values that are too long are left out, with a
 * warning.
 */
export function paramsOf(
  { modelConfig, args }: Pick<TrackedRun, 'modelConfig' | 'args'>,
  { flattens, most }: { readonly flattens: boolean; readonly most: number },
): KeyValue[] {
  const all = Object.entries({ ...modelConfig, ...args })
  const params = (flattens ? all.flatMap(flattened) : all).map(([key, value]) => ({
    key: plainKey(key),
    value: pythonText(value),
  }))
  return withoutLong(params, longestValue).slice(0, most)
}

/** Leaves out values that are too long, with a warning. */
export function withoutLong(params: readonly KeyValue[], longest: number): KeyValue[] {
  return params.filter(({ key, value }) => {
    if ([...value].length <= longest) return true
    const how = 'MLFLOW_FLATTEN_PARAMS=TRUE makes several parameters of an object.'
    logOnce('warning', `MLflow takes parameters of up to ${longest} characters: ${key} is longer, and left out. ${how}`)
    return false
  })
}

/** The values of an object, each under its path: `label2id.POS`. An empty object is a value. */
function flattened([key, value]: readonly [string, unknown]): [string, unknown][] {
  const isNested = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  if (!isNested) return [[key, value]]
  return Object.entries(value).flatMap(([inner, one]) => flattened([`${key}.${inner}`, one]))
}

/** A value as Python's `str` writes it, so that runs of both can be compared. */
export function pythonText(value: unknown): string {
  return typeof value === 'string' ? value : represented(value)
}

function represented(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : pythonFloat(value)
  if (typeof value === 'string') return quotedText(value)
  if (Array.isArray(value)) return `[${value.map(represented).join(', ')}]`
  const entries = Object.entries(value).map(([key, one]) => `${represented(key)}: ${represented(one)}`)
  return `{${entries.join(', ')}}`
}

/** Python's `repr` of a text: in double quotes only where that saves escapes. */
function quotedText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
  const escaped = text.replaceAll(/[\\\n\r\t]|['"]/g, one =>
    one === quote || one === '\\' ? `\\${one}` : (escapes[one] ?? one),
  )
  return `${quote}${escaped}${quote}`
}
