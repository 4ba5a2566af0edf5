/** What JSON holds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }
export type JsonObject = { readonly [key: string]: Json | undefined }

/** `JSON.parse` that also reads Python's NaN, Infinity and -Infinity, and skips a byte order mark. */
export function parseJson(text: string): Json {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text
  try {
    return JSON.parse(plain) as Json
  } catch (error) {
    // Outside strings these words can only be Python's literals; each becomes a string that no file contains by chance.
    const literals = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/gs
    const marked = plain.replace(literals, match => (match.startsWith('"') ? match : `"\\u0000${mark}${match}"`))
    if (marked === plain) throw error
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(`\0${mark}`) ? Number(value.slice(mark.length + 1)) : value,
    ) as Json
  }
}

const mark = 'python number literal: '

/**
 * A value as valid JSON text with a final newline.
 *
 * Numbers that are not finite become null, 64-bit integers become numbers, typed arrays become lists; keys that are
 * undefined are left out.
 * @param options.sorted puts keys in alphabetical order, as Hugging Face writes its files.
 * @param options.indent spaces a level; 2 by default.
 */
export function formatJson(value: unknown, options: { sorted?: boolean; indent?: number } = {}): string {
  const replace = (_key: string, inner: unknown): unknown => {
    if (typeof inner === 'bigint') return Number(inner)
    if (ArrayBuffer.isView(inner) && !(inner instanceof DataView))
      return Array.from(inner as unknown as ArrayLike<number | bigint>)
    if (options.sorted === true && typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    return inner
  }
  return `${JSON.stringify(value, replace, options.indent ?? 2)}\n`
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
