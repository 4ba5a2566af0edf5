// rows of scores → a report, as text or object
import { TrainerError } from '../errors'
import { fixedPoint, pythonFloat } from '../pythonNumbers'
import type { Form } from './options'

/** One line of a report. */
export interface ReportRow {
  readonly name: string
  readonly precision: number
  readonly recall: number
  readonly 'f1-score': number
  /** How many there are in the references; with weights, how much they weigh. */
  readonly support: number
}

/** The scores of a class, or an average, by its name; `accuracy` is a number. */
export type Report = Readonly<Record<string, ReportScores>>

/** What a report says of a class. */
export type ReportScores = Omit<ReportRow, 'name'>

export const digits: Form = {
  expects: 'a whole number from 0 to 50',
  holds: value => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 50,
}

/**
 * The rows by their names. Names that look like numbers come first, in their order: so it is in JavaScript's objects.
 * @throws TrainerError (`data`) for two rows of the same name, of which one would be lost.
 */
export function reportObject(where: string, rows: readonly ReportRow[], averages: readonly ReportRow[]): Report {
  const names = new Set<string>()
  for (const { name } of [...rows, ...averages]) {
    if (names.has(name)) {
      const isAverage = averages.some(average => average.name === name)
      const what = isAverage
        ? `a class is called "${name}", as a line of the report`
        : `two classes are called "${name}"`
      throw new TrainerError('data', `${where}: ${what}, and an object keeps one of them.`, {
        fix: 'Give them other names, or leave out outputDict: the text has both.',
      })
    }
    names.add(name)
  }
  return Object.fromEntries([...rows, ...averages].map(({ name, ...scores }) => [name, scores]))
}

/** How a report is written. */
export interface ReportStyle {
  /** A width that names may need more than those of the rows. */
  readonly width?: number
  /** Whether support is a weight, and so written with a fraction. */
  readonly isWeighted?: boolean
  /** The name of the line that has one number. */
  readonly single?: string
}

/** The report as scikit-learn and seqeval print it. */
export function reportText(
  rows: readonly ReportRow[],
  averages: readonly ReportRow[],
  digits: number,
  { width: least = 0, isWeighted = false, single }: ReportStyle = {},
): string {
  const lengths = rows.map(({ name }) => letters(name))
  const width = Math.max(...lengths, least, 'weighted avg'.length, digits)
  const line = (name: string, cells: readonly string[]): string =>
    `${' '.repeat(width - letters(name))}${name} ${cells.map(cell => ` ${cell.padStart(9)}`).join('')}\n`
  const written = ({ name, precision, recall, 'f1-score': f1, support }: ReportRow, hasOne = false): string => {
    const number = isWeighted ? pythonFloat(support) : String(support)
    const scores = [precision, recall].map(score => (hasOne ? '' : fixedPoint(score, digits)))
    return line(name, [...scores, fixedPoint(f1, digits), number])
  }
  const head = line('', ['precision', 'recall', 'f1-score', 'support'])
  const parts = [rows.map(row => written(row)), averages.map(row => written(row, row.name === single))]
  return [head, ...parts.map(part => part.join(''))].join('\n')
}

/** Python counts code points. */
export function letters(text: string): number {
  return [...text].length
}
