import { TrainerError } from '../errors'
import { readText, writeFileWhole } from './files'

/** What a JSON file holds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }
export type JsonObject = { readonly [key: string]: Json | undefined }

/**
 * Reads a JSON file, also one that Python wrote with the literals NaN, Infinity and -Infinity, which become numbers.
 * @returns undefined when there is no such file.
 * @throws TrainerError (`file`) when it cannot be read or is not JSON.
 */
export async function readJson(path: string): Promise<Json | undefined> {
  const text = await readText(path)
  if (text === undefined) return undefined
  try {
    return parseJson(text)
  } catch (cause) {
    throw new TrainerError('file', `${path} is not valid JSON: ${(cause as Error).message}.`, {
      fix: 'Restore the file, or save it again.',
      cause,
    })
  }
}

/**
 * Reads a JSON file that holds one object.
 * @throws TrainerError (`file`) when it is missing, unreadable, or holds something else.
 */
export async function readJsonObject(path: string): Promise<JsonObject> {
  const value = await readJson(path)
  if (value === undefined)
    throw new TrainerError('file', `There is no file ${path}.`, {
      fix: 'Check the path; the folder may be incomplete.',
    })
  if (isJsonObject(value)) return value
  throw new TrainerError(
    'file',
    `${path} should hold a JSON object, not ${Array.isArray(value) ? 'a list' : String(value)}.`,
  )
}

/**
 * Writes a value as valid JSON, indented by 2, with a final newline; beside its place, flushed, then renamed.
 *
 * Numbers that are not finite become null; 64-bit integers become numbers; typed arrays become lists; keys that are
 * undefined are left out.
 * @param sorted keys in alphabetical order, as Hugging Face writes its files.
 */
export async function writeJson(path: string, value: unknown, options: { sorted?: boolean } = {}): Promise<void> {
  await writeFileWhole(path, new TextEncoder().encode(formatJson(value, options)))
}

/** The text that `writeJson` writes, indented by 2 unless told. */
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

/** `JSON.parse` that also takes Python's NaN, Infinity and -Infinity, and a byte order mark. */
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

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
