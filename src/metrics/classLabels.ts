// classes as texts, numbers or booleans → numbers of classes, and back to their names
import { TrainerError } from '../errors'
import { shown } from '../options'
import { byCodePoints } from './codePoints'
import type { Form } from './options'
import { checkIndicators, toRows, toWeights } from './rows'
import { readSide, type Rows, type Values } from './values'

/** A class, as callers name it. */
export type ClassLabel = string | number | bigint | boolean

/** The classes of rows; or of several labels, [rows, labels], 1 for each that a row has. */
export type ClassLabels = Values | readonly ClassLabel[]

/** Both sides as numbers, and what those numbers are called. */
export interface ClassRows {
  readonly rows: Rows
  /** Whether each row has several labels. */
  readonly several: boolean
  /** The classes that occur, in their order; of several labels all. */
  readonly classes: readonly number[]
  /** The number of a class that a caller names. @throws TrainerError for what is no such class. */
  readonly numberOf: (label: ClassLabel) => number
  readonly nameOf: (number: number) => string
}

/** Classes that a caller chooses. */
export const chosenClasses: Form = {
  expects: 'a list of classes',
  holds: value => value === null || (Array.isArray(value) && value.length > 0),
}

/**
 * Reads the classes of both sides.
 * @throws TrainerError (`data`) without rows, for sides of different shapes, for fractions, and for a mix of kinds.
 */
export function readClasses(
  where: string,
  references: ClassLabels,
  predictions: ClassLabels,
  sampleWeight?: Values | null,
): ClassRows {
  const kinds = [references, predictions].map(kindOf)
  const read = kinds.includes('text')
    ? textClasses(where, references, predictions)
    : numberClasses(
        where,
        references as Values,
        predictions as Values,
        kinds.every(kind => kind === 'boolean'),
      )
  const length = read.rows.predictions.length / read.rows.width
  if (length === 0) throw new TrainerError('data', `${where}: there are no rows.`, { fix: 'Give at least one.' })
  if (sampleWeight === undefined || sampleWeight === null) return read
  return { ...read, rows: { ...read.rows, weights: toWeights(where, sampleWeight, length) } }
}

function kindOf(side: unknown): 'text' | 'boolean' | 'number' {
  if (!Array.isArray(side)) return 'number'
  if (side.some(label => typeof label === 'string')) return 'text'
  return side.length > 0 && side.every(label => typeof label === 'boolean') ? 'boolean' : 'number'
}

function textClasses(where: string, references: ClassLabels, predictions: ClassLabels): ClassRows {
  const sides = [textsOf(where, 'references', references), textsOf(where, 'predictions', predictions)] as const
  if (sides[0].length !== sides[1].length) throw unequal(where, sides[1].length, sides[0].length)
  const names = [...new Set(sides.flat())].sort(byCodePoints)
  const classes = names.map((_, number) => number)
  const numbers = new Map(names.map((name, number) => [name, number]))
  const encode = (side: readonly string[]): Float64Array => Float64Array.from(side, label => numbers.get(label)!)
  return {
    rows: { references: encode(sides[0]), predictions: encode(sides[1]), width: 1 },
    several: false,
    classes,
    numberOf(label) {
      if (typeof label !== 'string') throw foreignLabel(where, label, 'texts')
      if (!numbers.has(label)) numbers.set(label, names.push(label) - 1)
      return numbers.get(label)!
    },
    nameOf: number => names[number]!,
  }
}

function textsOf(where: string, side: string, labels: ClassLabels): string[] {
  if (Array.isArray(labels)) {
    const wrong = labels.findIndex(label => typeof label !== 'string')
    if (wrong < 0) return labels as string[]
    throw new TrainerError(
      'data',
      `${where}: row ${wrong} of the ${side} is ${shown(labels[wrong])}, other classes are texts.`,
      {
        fix: 'Give all classes as texts, or all as numbers.',
      },
    )
  }
  throw new TrainerError('data', `${where}: the ${side} are numbers, and the classes of the other side texts.`, {
    fix: 'Give all classes as texts, or all as numbers.',
  })
}

function numberClasses(where: string, references: Values, predictions: Values, areBooleans: boolean): ClassRows {
  const [given, predicted] = [readSide(where, 'references', references), readSide(where, 'predictions', predictions)]
  const several = given.dims.length === 2 && given.dims[1] !== 1
  if (several && (predicted.dims[1] ?? 1) === 1 && predicted.dims[0] === given.dims[0])
    throw new TrainerError(
      'data',
      `${where}: the references have ${given.dims[1]} labels in each row, the predictions one.`,
      {
        fix: 'Give both 0 or 1 for each label.',
      },
    )
  const rows = toRows({ name: where, definition: { compares: 'classes' }, several }, predictions, references)
  if (several) checkIndicators(where, rows)
  const occurring = new Set(rows.references)
  for (const one of rows.predictions) occurring.add(one)
  const all = several ? Array.from({ length: rows.width }, (_, label) => label) : [...occurring].sort((a, b) => a - b)
  return {
    rows,
    several,
    classes: all,
    numberOf(label) {
      const number = typeof label === 'string' ? NaN : Number(label)
      if (!Number.isSafeInteger(number)) throw foreignLabel(where, label, 'whole numbers')
      if (several && (number < 0 || number >= rows.width))
        throw new TrainerError('argument', `${where}: labels has ${number}, but rows have ${rows.width} labels.`, {
          fix: `Name them by their places, 0 to ${rows.width - 1}.`,
        })
      return number
    },
    // as Python writes booleans
    nameOf: number => (areBooleans && (number === 0 || number === 1) ? ['False', 'True'][number]! : String(number)),
  }
}

function unequal(where: string, predictions: number, references: number): TrainerError {
  return new TrainerError('data', `${where}: there are ${predictions} predictions for ${references} references.`, {
    fix: 'Give one prediction for each reference, in the same order.',
  })
}

function foreignLabel(where: string, label: ClassLabel, kind: string): TrainerError {
  return new TrainerError('argument', `${where}: labels has ${shown(label)}, but the classes are ${kind}.`, {
    fix: `Give ${kind}.`,
  })
}
