// JSON and JSON Lines → columns
import { TrainerError } from '../errors'
import { parseJson } from '../json'
import { literalPattern } from '../literalPattern'
import { inferFeature, listOf, valueOf, type Feature, type Features } from './features'

/** Options of JSON files. */
export interface JsonOptions {
  /** In a JSON file that is an object: what holds the rows, an array of them or an array for each column. */
  readonly field?: string
}

type JsonRow = Readonly<Record<string, unknown>>
type JsonColumns = Map<string, unknown[]>

/**
 * The columns of a JSON Lines text: an object a line, empty lines skipped.
 * @param firstLine the number that its first line has in the file.
 * @throws TrainerError naming the line that is not an object.
 */
export function parseJsonLines(text: string, file: string, firstLine = 1): JsonColumns {
  const rows: JsonRow[] = []
  for (const [at, written] of text.split(/\r\n|\n|\r/).entries()) {
    if (written.trim() === '') continue
    rows.push(parseJsonLine(written, file, at + firstLine))
  }
  return rowsToColumns(rows)
}

/** The object of a line. @throws TrainerError naming the line, if there is none. */
export function parseJsonLine(written: string, file: string, line: number): JsonRow {
  const row = parseValue(written, `${file}, line ${line}`)
  if (isRow(row)) return row
  throw new TrainerError('file', `${file}, line ${line}: an object was expected, not ${written.trim().slice(0, 40)}.`)
}

/**
 * The columns of a JSON text: an array of objects, or of texts (the column 'text'); an object with one array of objects
 * in it; an object of arrays, one for each column; any other object, which is one row; what is under `field`; or JSON
 * Lines.
 * @throws TrainerError when it is none of these, naming the element that is not an object.
 */
export function parseJsonColumns(text: string, file: string, { field }: JsonOptions): JsonColumns {
  const [firstLine = ''] = text.trimStart().split(/\r\n|\n|\r/, 1)
  if (field === undefined && isLine(firstLine) && /[\r\n]/.test(text.trim())) return parseJsonLines(text, file)
  const written = parseValue(text, file)
  if (field === undefined) return columnsOf(isRow(written) ? rowsWithin(written, file) : written, file)
  if (isRow(written) && Object.hasOwn(written, field)) return columnsOf(written[field], `${file}, field '${field}'`)
  throw new TrainerError('file', `${file} has no field '${field}'${fieldsOf(written)}.`, {
    fix: 'Name one of its fields, or leave field out.',
  })
}

function fieldsOf(written: unknown): string {
  return isRow(written) ? `; its fields are ${Object.keys(written).join(', ')}` : ', because it is not an object'
}

/** The one array of objects in an object, or the object itself. */
function rowsWithin(written: JsonRow, file: string): unknown {
  const arrays = Object.keys(written).filter(name => isRows(written[name]))
  if (arrays.length <= 1) return arrays.length === 1 ? written[arrays[0]!] : written
  throw new TrainerError('file', `${file} has no array of rows of its own.`, {
    fix: `Name the field that holds them: field: '${arrays[0]}' (arrays: ${arrays.join(', ')}).`,
  })
}

function isRows(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRow) && value.length > 0
}

function columnsOf(written: unknown, place: string): JsonColumns {
  if (isRow(written)) return isColumns(written) ? new Map(Object.entries(written)) : rowsToColumns([written])
  if (!Array.isArray(written))
    throw new TrainerError('file', `${place} has no array of rows: it is ${String(written)}.`)
  const elements = written as unknown[]
  if (elements.length > 0 && elements.every(element => typeof element === 'string'))
    return new Map([['text', elements]])
  const wrong = elements.findIndex(element => !isRow(element))
  if (wrong >= 0)
    throw new TrainerError('file', `${place}: element ${wrong} of the array is not an object of named cells.`)
  return rowsToColumns(elements as JsonRow[])
}

/** Whether an object's values are arrays of one length. */
function isColumns(written: JsonRow): written is Record<string, unknown[]> {
  const [first, ...others] = Object.values(written)
  return Array.isArray(first) && others.every(other => Array.isArray(other) && other.length === first.length)
}

/** Rows as columns: all names that occur; a cell that a row lacks is null. */
function rowsToColumns(rows: readonly JsonRow[]): JsonColumns {
  const columns: JsonColumns = new Map()
  for (const row of rows) for (const name of Object.keys(row)) if (!columns.has(name)) columns.set(name, [])
  for (const [name, values] of columns) for (const row of rows) values.push(row[name] ?? null)
  return columns
}

/** Integers beyond 2⁵³ become BigInts, which whoever keeps the column judges. */
function parseValue(text: string, place: string): unknown {
  try {
    return parseJson(text, literal => {
      if (/^-?\d+$/.test(literal)) return BigInt(literal)
      throw new RangeError(`the number ${literal} is too large`)
    })
  } catch (error) {
    throw new TrainerError('file', `${place}: not valid JSON (${(error as Error).message}).`, { cause: error })
  }
}

/** Whether a line is a whole JSON object. */
function isLine(line: string): boolean {
  try {
    return isRow(parseJson(line))
  } catch {
    return false
  }
}

function isRow(value: unknown): value is JsonRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The features of columns of whole numbers, or lists of them, that JSON writes with a point or an exponent: 1.0 has
 * become 1 when it is read.
 */
export function floatFeatures(text: string, columns: ReadonlyMap<string, readonly unknown[]>): Features {
  const found = [...columns].flatMap(([name, values]): [string, Feature][] => {
    const feature = inferFeature(values)
    const floats = withFloats(feature)
    return floats !== undefined && writesFloats(text, name) ? [[name, floats]] : []
  })
  return Object.fromEntries(found)
}

/** A feature of integers as one of floating-point numbers; undefined for any other. */
function withFloats({ type, dtype, feature }: Feature): Feature | undefined {
  if (type === 'Value') return dtype === 'int64' ? valueOf('float64') : undefined
  const element = type === 'List' ? withFloats(feature!) : undefined
  return element && listOf(element)
}

/** Whether a number with a point or an exponent stands behind a name, maybe in brackets and behind others. */
function writesFloats(text: string, name: string): boolean {
  const escaped = (letter: string): string => `(?:${letter}|\\\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')})`
  const key = literalPattern(JSON.stringify(name)).replace(/[^\x20-\x7e]/g, escaped)
  return new RegExp(`${key}\\s*:[-\\d,\\s[\\]nul]*\\d[.e]`, 'i').test(text)
}
