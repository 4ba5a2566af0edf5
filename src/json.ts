/** What JSON holds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }
export type JsonObject = { readonly [key: string]: Json | undefined }

/**
 * `JSON.parse` that also reads Python's NaN, Infinity and -Infinity, and skips a byte order mark.
 * @param inexact makes the values of numbers that JavaScript does not keep: integers beyond 2⁵³, and what is beyond
 * every double. Without it they are rounded, as `JSON.parse` does.
 */
export function parseJson(text: string, inexact?: (literal: string) => unknown): Json {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text
  if (inexact !== undefined && /\d{16}|e\+?\d{3}/i.test(plain)) return parseMarked(plain, inexact)
  try {
    return JSON.parse(plain) as Json
  } catch (error) {
    if (/\bInfinity\b|\bNaN\b/.test(plain)) return parseMarked(plain, inexact ?? Number)
    throw error
  }
}

/** Outside strings each such literal becomes a string that no file contains by chance, and that string its value. */
function parseMarked(text: string, inexact: (literal: string) => unknown): Json {
  const literals = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b|-?\d[\d.eE+-]*/gs
  const marked = text.replace(literals, literal =>
    literal.startsWith('"') || isExact(literal) ? literal : `"\\u0000${mark}${literal}"`,
  )
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(`\0${mark}`)) return value
    const literal = value.slice(mark.length + 1)
    return /[IN]/.test(literal) ? Number(literal) : inexact(literal)
  }) as Json
}

function isExact(literal: string): boolean {
  const value = Number(literal)
  return /^-?\d+$/.test(literal) ? Number.isSafeInteger(value) : Number.isFinite(value) && !/[IN]/.test(literal)
}

const mark = 'python number literal: '

/**
 * A value as valid JSON text with a final newline.
 *
 * Numbers that are not finite become null, 64-bit integers become numbers, typed arrays become lists; keys that are
 * undefined are left out.
 * @param options.sorted puts keys in alphabetical order, as Hugging Face writes its files.
 * @param options.indent spaces a level; 2 by default.
 * @param options.floats names of fields whose whole numbers are written with a fraction, `2.0`: Python tells them apart.
 */
export function formatJson(value: unknown, options: FormatOptions = {}): string {
  const { floats = [] } = options
  const replace = (key: string, inner: unknown): unknown => {
    if (typeof inner === 'bigint') return Number(inner)
    if (Number.isInteger(inner) && floats.includes(key)) return `\0${mark}${String(inner)}`
    if (ArrayBuffer.isView(inner) && !(inner instanceof DataView))
      return Array.from(inner as unknown as ArrayLike<number | bigint>)
    if (options.sorted === true && typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    return inner
  }
  const text = JSON.stringify(value, replace, options.indent ?? 2)
  const marked = new RegExp(`"\\\\u0000${mark}([^"]+)"`, 'g')
  const asFloat = (_literal: string, whole: string): string => (whole.includes('e') ? whole : `${whole}.0`)
  return `${text.replace(marked, asFloat)}\n`
}

/** How {@link formatJson} writes. */
export interface FormatOptions {
  readonly sorted?: boolean
  readonly indent?: number
  readonly floats?: readonly string[]
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
