// JSON and JSON Lines → rows
import { TrainerError } from '../errors'

/** Options of JSON files. */
export interface JsonOptions {
  /** In a JSON file that is an object: the name of the array of rows. */
  readonly field?: string
}

type JsonRow = Readonly<Record<string, unknown>>

/**
 * The rows of a JSON Lines text: an object a line, empty lines skipped.
 * @throws TrainerError naming the line that is not an object.
 */
export function parseJsonLines(text: string, file: string): JsonRow[] {
  const rows: JsonRow[] = []
  let line = 0
  for (const written of text.split('\n')) {
    line++
    if (written.trim() === '') continue
    const row = parseValue(written, `${file}, line ${line}`)
    if (!isRow(row))
      throw new TrainerError(
        'file',
        `${file}, line ${line}: an object was expected, not ${written.trim().slice(0, 40)}.`,
      )
    rows.push(row)
  }
  return rows
}

/**
 * The rows of a JSON text: an array of objects, an object with one such array in it (or under `field`), or JSON Lines.
 * @throws TrainerError when it has no such array, naming the element that is not an object.
 */
export function parseJsonRows(text: string, file: string, { field }: JsonOptions): JsonRow[] {
  const [firstLine = ''] = text.trimStart().split('\n', 1)
  if (field === undefined && isLine(firstLine) && text.trim().includes('\n')) return parseJsonLines(text, file)
  const written = parseValue(text, file)
  const fields = isRow(written) ? Object.keys(written).filter(name => Array.isArray(written[name])) : []
  const name = field ?? (fields.length === 1 ? fields[0] : undefined)
  const rows = Array.isArray(written)
    ? (written as unknown[])
    : name === undefined
      ? undefined
      : (written as JsonRow)[name]
  if (!Array.isArray(rows)) {
    throw new TrainerError('file', `${file} has no array of rows${field === undefined ? '' : ` under '${field}'`}.`, {
      ...(fields.length > 0 && {
        fix: `Name the field that holds them: field: '${fields[0]}' (arrays: ${fields.join(', ')}).`,
      }),
    })
  }
  const wrong = rows.findIndex(row => !isRow(row))
  if (wrong >= 0)
    throw new TrainerError('file', `${file}: element ${wrong} of the array is not an object of named cells.`)
  return rows as JsonRow[]
}

/** Rows as columns: all names that occur; a cell that a row lacks is null. */
export function rowsToColumns(rows: readonly JsonRow[]): Map<string, unknown[]> {
  const columns = new Map<string, unknown[]>()
  for (const row of rows) for (const name of Object.keys(row)) if (!columns.has(name)) columns.set(name, [])
  for (const [name, values] of columns) for (const row of rows) values.push(row[name] ?? null)
  return columns
}

function parseValue(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new TrainerError('file', `${place}: not valid JSON (${(error as Error).message}).`, { cause: error })
  }
}

/** Whether a line is a whole JSON object. */
function isLine(line: string): boolean {
  try {
    return isRow(JSON.parse(line))
  } catch {
    return false
  }
}

function isRow(value: unknown): value is JsonRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
