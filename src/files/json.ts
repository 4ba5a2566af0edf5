import { TrainerError } from '../errors'
import { formatJson, type FormatOptions, isJsonObject, type Json, type JsonObject, parseJson } from '../json'
import { readText } from './readFile'
import { writeFileWhole } from './writeFile'

/**
 * Reads a JSON file; Python's literals NaN, Infinity and -Infinity become numbers.
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

/** Writes a value as JSON (see {@link formatJson}) beside its place, flushes it to the disk and renames it. */
export async function writeJson(path: string, value: unknown, options: FormatOptions = {}): Promise<void> {
  await writeFileWhole(path, new TextEncoder().encode(formatJson(value, options)))
}
