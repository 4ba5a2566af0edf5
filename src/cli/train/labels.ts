// a column of labels → what is learned from it, the names of its classes, and a number (or several) for each row
import { type Dataset, TrainerError } from '../../index'
import { type ColumnProfile, counted, describe, isMissing, profileColumns } from './columns'

/** What can be learned of rows. */
export const rowTasks = ['text-classification', 'regression', 'multi-label-classification'] as const
export type RowTask = (typeof rowTasks)[number]

/** The label of a row; undefined where it has none. */
export type RowLabel = number | readonly number[] | undefined

/** Labels as they are learned. */
export interface Labels {
  readonly task: RowTask
  /** The names of the classes, in the order of their numbers; none of a regression. */
  readonly names: readonly string[]
  /** Why it is that task, where that was not said. */
  readonly why: string | undefined
  /** The labels of rows with these columns. @throws TrainerError (`data`) naming the row with another class. */
  of(rows: Dataset, place: string): RowLabel[]
}

/** More different numbers than these are no classes. */
const mostClassNumbers = 20

/**
 * @param columns the label, or several columns of 0 and 1.
 * @throws TrainerError (`data`) for a column from which nothing can be learned.
 */
export function readLabels(rows: Dataset, columns: readonly string[], wanted: RowTask | undefined): Labels {
  const profiles = profileColumns(rows)
  const chosen = columns.map(name => profiles.find(profile => profile.name === name)!)
  if (chosen.length > 1) return labelsOfColumns(chosen, wanted)
  const column = chosen[0]!
  const task = wanted ?? usualTask(column)
  if (wanted === undefined && task === 'regression') checkIds(column, rows.length, profiles)
  const many = `${counted(column.distinct)} different numbers`
  const why = wanted !== undefined || column.kind !== 'number' || column.isClasses ? undefined : many
  if (task === 'regression') return numbers(column, why)
  if (task === 'multi-label-classification') return severalLabels(rows, column)
  return classes(rows, column, why, profiles)
}

function usualTask({ kind, distinct, isClasses }: ColumnProfile): RowTask {
  if (kind === 'list') return 'multi-label-classification'
  return kind === 'number' && !isClasses && distinct > mostClassNumbers ? 'regression' : 'text-classification'
}

/** Whole numbers that are all different are the rows' own, and say nothing of their texts. */
function checkIds({ name, distinct, hasFractions }: ColumnProfile, rows: number, all: readonly ColumnProfile[]): void {
  if (hasFractions || distinct < rows) return
  const others = all.filter(other => other.name !== name && other.distinct > 1 && other.distinct <= rows / 2)
  const instead = others.length > 0 ? `Name another column with --label: ${describe(others)}; or ` : ''
  throw new TrainerError('data', `'${name}' has another whole number in each row, as numbers of rows have.`, {
    fix: `${instead}--task regression learns them.`,
  })
}

function numbers({ name, kind, isClasses }: ColumnProfile, why: string | undefined): Labels {
  if (kind === 'list' || isClasses)
    throw new TrainerError('data', `'${name}' holds ${isClasses ? 'named classes' : 'lists'}, not numbers.`, {
      fix: 'Leave --task out.',
    })
  return {
    task: 'regression',
    names: [],
    why,
    of: (rows, place) =>
      Array.from(rows.column(name) as ArrayLike<unknown>, (value, row) => {
        if (isMissing(value)) return undefined
        const number = Number(value)
        if (Number.isFinite(number)) return number
        throw new TrainerError('data', `Row ${row + 1} of ${place} has '${String(value)}' in '${name}', not a number.`)
      }),
  }
}

function classes(rows: Dataset, column: ColumnProfile, why: string | undefined, all: readonly ColumnProfile[]): Labels {
  const { name, kind } = column
  if (kind === 'list')
    throw new TrainerError('data', `'${name}' holds lists, not one class for each row.`, {
      fix: '--task multi-label-classification gives a row several classes.',
    })
  const declared = rows.features[name]?.names
  const names = declared ?? sortedNames(rows.column(name) as ArrayLike<unknown>)
  const present = new Set(namedValues(rows, name).filter(value => value !== undefined))
  checkClasses(column, present, rows.length, all)
  return { task: 'text-classification', names, why, of: (other, place) => numbered(other, name, names, place) }
}

function checkClasses(
  { name, distinct, kind }: ColumnProfile,
  present: ReadonlySet<unknown>,
  rows: number,
  all: readonly ColumnProfile[],
): void {
  if (present.size === 0) throw new TrainerError('data', `No row has a label in '${name}'.`)
  if (present.size === 1)
    throw new TrainerError('data', `All rows have the same label in '${name}', ${[...present].join('')}.`, {
      fix: 'A model learns to tell at least two classes apart: add rows of another.',
    })
  if (distinct <= Math.max(2, rows / 2)) return
  const how = distinct === rows ? 'all different' : `${counted(distinct)} different values in ${counted(rows)} rows`
  const others = all.filter(other => other.name !== name && other.distinct > 1 && other.distinct <= rows / 2)
  const fix =
    kind === 'number'
      ? '--task regression learns the numbers themselves.'
      : others.length > 0 && `Name another column with --label: ${describe(others)}.`
  throw new TrainerError('data', `'${name}' is no column of classes: its values are ${how}.`, {
    ...(typeof fix === 'string' && { fix }),
  })
}

/** The class of each row by its name; undefined where it has none: an empty cell, or the -1 of rows to be predicted. */
export function namedValues(rows: Dataset, name: string): (string | undefined)[] {
  const declared = rows.features[name]?.names
  return Array.from(rows.column(name) as ArrayLike<unknown>, value => {
    if (isMissing(value)) return undefined
    return declared === undefined ? String(value) : declared[Number(value)]
  })
}

function numbered(rows: Dataset, name: string, names: readonly string[], place: string): RowLabel[] {
  return namedValues(rows, name).map((value, row) => {
    if (value === undefined) return undefined
    return numberOf(value, names, `Row ${row + 1} of ${place} has '${value}' in '${name}'`)
  })
}

function numberOf(value: string, names: readonly string[], where: string): number {
  const number = names.indexOf(value)
  if (number >= 0) return number
  throw new TrainerError('data', `${where}, which no row that is trained on has; the classes are ${names.join(', ')}.`)
}

/** Numbers by their size, texts as Python sorts them. */
function sortedNames(values: ArrayLike<unknown>): string[] {
  const different = [...new Set(Array.from(values).filter(value => !isMissing(value)))]
  if (different.every(value => typeof value === 'number'))
    return different.toSorted((a, b) => Number(a) - Number(b)).map(String)
  return [...new Set(different.map(String))].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function severalLabels(rows: Dataset, { name, kind }: ColumnProfile): Labels {
  if (kind !== 'list')
    throw new TrainerError('data', `'${name}' holds one value in each row, not a list of classes.`, {
      fix: 'Name several columns of 0 and 1: --label A --label B; or give lists, as JSON Lines and parquet have them.',
    })
  const declared = rows.features[name]?.feature?.names
  const lists = (other: Dataset): (string[] | undefined)[] =>
    Array.from(other.column(name) as ArrayLike<ArrayLike<unknown> | null>, list =>
      list === null || list === undefined
        ? undefined
        : Array.from(list, value => declared?.[Number(value)] ?? String(value)),
    )
  const names = declared ?? sortedNames(lists(rows).flatMap(list => list ?? []))
  if (names.length === 0) throw new TrainerError('data', `No row has a class in '${name}'.`)
  return {
    task: 'multi-label-classification',
    names,
    why: undefined,
    of: (other, place) =>
      lists(other).map((list, row) => {
        const where = (value: string): string => `Row ${row + 1} of ${place} has '${value}' in '${name}'`
        const held = list?.map(value => numberOf(value, names, where(value)))
        return held && names.map((_, number) => (held.includes(number) ? 1 : 0))
      }),
  }
}

function labelsOfColumns(columns: readonly ColumnProfile[], wanted: RowTask | undefined): Labels {
  const names = columns.map(({ name }) => name)
  if (wanted !== undefined && wanted !== 'multi-label-classification')
    throw new TrainerError('data', `Several columns of labels (${names.join(', ')}) are no ${wanted}.`, {
      fix: 'Name one with --label.',
    })
  return {
    task: 'multi-label-classification',
    names,
    why: undefined,
    of(rows, place) {
      const values = names.map(name => rows.column(name) as ArrayLike<unknown>)
      return Array.from({ length: rows.length }, (_, row) => {
        const cells = values.map(column => column[row])
        if (cells.every(isMissing)) return undefined
        return cells.map((cell, at) =>
          zeroOrOne(cell, `Row ${row + 1} of ${place} has '${String(cell)}' in '${names[at]}'`),
        )
      })
    },
  }
}

function zeroOrOne(cell: unknown, where: string): number {
  if (isMissing(cell) || cell === false || Number(cell) === 0) return 0
  if (cell === true || Number(cell) === 1) return 1
  throw new TrainerError('data', `${where}; several columns of labels hold 0 or 1.`, { fix: 'Name one with --label.' })
}
