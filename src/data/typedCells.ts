// the cells of a CSV or TSV column → numbers, booleans or texts
import { tooLarge } from './columns'
import type { Feature } from './features'

/** One file's cells of a column, as they are written. */
export interface WrittenCells {
  readonly cells: readonly string[]
  /** Names the column and its file in errors. */
  readonly place: string
  /** The other columns of the file, for the advice how to leave this one out. */
  readonly others: readonly string[]
  readonly decimal: string
}

/** What stands for a missing cell in a column of numbers or booleans: pandas's list. */
const missing = new Set(
  '|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null'.split('|'),
)

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
}

/**
 * The values of a column over all files of a split, so that it has one type: numbers or booleans if all cells are,
 * missing ones aside, which become null; texts otherwise, of which only empty ones become null.
 * @param declared what a card says of the column: names of classes and texts stay as they are written.
 * @throws TrainerError (`data`) for an integer that a number cannot hold exactly.
 */
export function typedColumn(
  parts: readonly WrittenCells[],
  declared?: Feature,
): { values: unknown[][]; feature?: Feature } {
  const all = (fits: (cell: string, decimal: string) => boolean): boolean =>
    parts.every(({ cells, decimal }) => cells.every(cell => missing.has(cell) || fits(cell, decimal)))
  const texts = (isMissing: (cell: string) => boolean): { values: unknown[][] } => ({
    values: parts.map(({ cells }) => cells.map(cell => (isMissing(cell) ? null : cell))),
  })
  if (declared?.dtype === 'string') return texts(cell => cell === '')
  // Where all cells are numbers or booleans, they are the numbers of classes, not names that look like them, as in
  // Python; but True is a name where a class has it.
  const isNamed = (cell: string): boolean => declared?.names?.includes(cell) === true
  if (declared?.type === 'ClassLabel' && !all(isNumber) && !all(cell => isBoolean(cell) && !isNamed(cell)))
    return texts(cell => missing.has(cell) && !isNamed(cell))
  const isEmpty = all(() => false)
  if (!isEmpty && all(isBoolean)) return { values: parts.map(({ cells }) => cells.map(cell => booleans[cell] ?? null)) }
  if (!all(isNumber)) return texts(cell => cell === '')
  // Where a cell is missing, pandas has floating-point numbers, and classes are named '1.0'.
  const isFloat = parts.some(({ cells }) => cells.some(cell => missing.has(cell) || !isInteger(cell)))
  return {
    values: parts.map(part => part.cells.map(cell => (missing.has(cell) ? null : numberOf(cell, part, isFloat)))),
    ...(isFloat && { feature: { type: 'Value', dtype: 'float64' } }),
  }
}

function isBoolean(cell: string): boolean {
  return Object.hasOwn(booleans, cell)
}

function isInteger(cell: string): boolean {
  return /^\s*[+-]?\d+\s*$/.test(cell)
}

const numbers: Readonly<Record<string, RegExp>> = { '.': numberPattern('\\.'), ',': numberPattern(',') }

/** A number, maybe with blanks around it, or infinity. What begins with a needless zero is not one: `007` is a text. */
function numberPattern(point: string): RegExp {
  const digits = `(?:(?:0|[1-9]\\d*)(?:${point}\\d*)?|${point}\\d+)(?:e[+-]?\\d+)?`
  return new RegExp(`^[ \\t]*[+-]?${digits}[ \\t]*$|^[+-]?inf(?:inity)?$`, 'i')
}

function isNumber(cell: string, decimal: string): boolean {
  return numbers[decimal]!.test(cell)
}

function numberOf(cell: string, { decimal, place, others }: WrittenCells, isFloat: boolean): number {
  if (/inf/i.test(cell)) return cell.includes('-') ? -Infinity : Infinity
  const value = Number(decimal === '.' ? cell : cell.replace(decimal, '.'))
  if (isInteger(cell) && !Number.isSafeInteger(value))
    throw tooLarge(BigInt(cell.trim().replace('+', '')), place, others)
  return isFloat ? value : value + 0 // -0 is an integer's 0
}
