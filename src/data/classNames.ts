// values → names of classes, spelt and sorted as Python does
import { TrainerError } from '../errors'
import { pythonFloat } from '../pythonNumbers'

/** Values that name classes. */
export interface ClassValues {
  readonly values: Iterable<unknown>
  /** Their dtype: in a column of floating-point numbers 1 is the class '1.0'. */
  readonly dtype: string
}

/**
 * The different names in a column of class names, of one split or of several, sorted as `class_encode_column` of
 * Hugging Face sorts them; a class's number is its place here.
 * @throws TrainerError (`data`) for a column of lists or objects.
 */
export function classNames(splits: readonly ClassValues[], column: string): string[] {
  const names = new Set<string>()
  const float = splits.some(isFloat)
  for (const { values } of splits) {
    for (const value of values) {
      if (typeof value === 'object' && value !== null)
        throw new TrainerError('data', `Column '${column}' holds lists or objects, which cannot name classes.`)
      if (value !== null && value !== undefined) names.add(pythonText(value, float))
    }
  }
  return [...names].sort(compareCodePoints)
}

/**
 * The number of each value's class; missing values stay.
 * @param names the classes, in the order of their numbers.
 * @throws TrainerError (`data`) for a value that none of them names, and (`argument`) for a name that occurs twice.
 */
export function classNumbers(column: ClassValues, names: readonly string[], place: string): unknown[] {
  const numbers = new Map(names.map((name, number) => [name, number]))
  const twice = names.find((name, number) => numbers.get(name) !== number)
  if (twice !== undefined)
    throw new TrainerError('argument', `'${twice}' occurs twice among the names of ${place}'s classes.`)
  const float = isFloat(column)
  return Array.from(column.values, (value, row) => {
    if (value === null || value === undefined) return value
    const number = numbers.get(pythonText(value, float)) ?? numbers.get(pythonText(value, !float))
    if (number !== undefined) return number
    const given = pythonText(value, float)
    throw new TrainerError('data', `${place} holds '${given}' at row ${row}, which is not among its classes.`, {
      fix: `They are ${names.join(', ')}. Add it to them, or leave such rows out: filter(row => …).`,
    })
  })
}

/** Whether a dtype is one of floating-point numbers. */
export function isFloatType(dtype: string): boolean {
  return /^(float|double)/.test(dtype)
}

/** Whether numbers are floating-point ones: by their dtype, or because one has a fraction. */
function isFloat({ values, dtype }: ClassValues): boolean {
  if (isFloatType(dtype)) return true
  for (const value of values) if (typeof value === 'number' && !Number.isInteger(value)) return true
  return false
}

/** Python's `str` of a value. */
export function pythonText(value: unknown, float: boolean): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'number' && float ? pythonFloat(value) : String(value)
}

/** Compares two texts by code point, as Python sorts; JavaScript's `<` compares UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i)
    const unitB = b.charCodeAt(i)
    if (unitA !== unitB) return rankOf(unitA) - rankOf(unitB)
  }
  return a.length - b.length
}

/** A UTF-16 unit's place among code points: surrogates stand for code points above all others. */
function rankOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
