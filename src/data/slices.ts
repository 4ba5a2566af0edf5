// 'train[10%:20%]' → those rows of a split
import { TrainerError } from '../errors'
import { shown } from '../options'
import type { Dataset } from './dataset'

/** What `split` says. */
export interface Slice {
  readonly name: string
  readonly start: string | undefined
  readonly end: string | undefined
}

/** Reads `train`, `train[10:20]`, `train[:5%]`. @throws TrainerError (`argument`) for anything else. */
export function parseSplit(written: string): Slice {
  const match = typeof written !== 'string' ? null : /^(\w[\w.-]*)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?$/.exec(written)
  if (match === null) {
    throw new TrainerError('argument', `split is ${shown(written)}; the name of a split or of a slice was expected.`, {
      fix: "Write 'train', 'train[:100]' or 'train[10%:20%]'.",
    })
  }
  return { name: match[1]!, start: match[2], end: match[3] }
}

/**
 * The rows of a slice. Its ends are numbers of rows, or percentages if one of them is, counted from the end if negative.
 */
export function slice(dataset: Dataset<object>, start: string | undefined, end: string | undefined): Dataset<object> {
  if (start === undefined && end === undefined) return dataset
  const { length } = dataset
  const inPercent = `${start}${end}`.includes('%')
  const place = (written: string | undefined, otherwise: number): number => {
    if (written === undefined) return otherwise
    const number = Number(written.replace('%', ''))
    const row = inPercent ? roundHalfToEven((number * length) / 100) : number
    return Math.min(Math.max(row < 0 ? row + length : row, 0), length)
  }
  const from = place(start, 0)
  const to = place(end, length)
  return dataset.select(Array.from({ length: Math.max(to - from, 0) }, (_, row) => from + row))
}

/** Python's `round`: half way between two whole numbers it takes the even one. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(value)
}
