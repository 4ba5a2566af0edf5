// 'train[10%:20%]+test' → those rows of splits
import { TrainerError } from '../errors'
import { shown } from '../options'
import { splitMeant } from './splitNames'

/** What `split` says. */
export interface Slice {
  readonly name: string
  readonly start: string | undefined
  readonly end: string | undefined
}

/**
 * Reads `train`, `train[10:20]`, `train[:5%]`, and several of them with `+` in between.
 * @throws TrainerError (`argument`) for anything else.
 */
export function parseSplit(written: unknown): readonly [Slice, ...Slice[]] {
  if (Array.isArray(written))
    throw new TrainerError('argument', `split is ${shown(written)}; one split was expected, not a list.`, {
      fix: `Leave it out, and take them by their names (dataset.train); one Dataset of several is split: '${written.join('+')}'.`,
    })
  const matches = typeof written !== 'string' ? [] : written.split('+').map(part => slicePattern.exec(part))
  const [first, ...others] = matches.flatMap(match =>
    match === null ? [] : [{ name: match[1]!, start: match[2], end: match[3] }],
  )
  if (first === undefined || matches.includes(null)) {
    throw new TrainerError('argument', `split is ${shown(written)}; the name of a split or of a slice was expected.`, {
      fix: "Write 'train', 'train[:100]', 'train[10%:20%]' or 'train+validation'.",
    })
  }
  return [first, ...others]
}

const slicePattern = /^(\w[\w.-]*)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?$/

/**
 * The slices that are meant: 'all' stands for every split, unless one has that name.
 * @param place what has the splits, for the error.
 * @throws TrainerError (`argument`) for a split that is not there.
 */
export function slicesOf(wanted: readonly Slice[], there: readonly string[], place: string): readonly Slice[] {
  const [{ name, start, end }] = wanted as [Slice]
  if (name === 'all' && wanted.length === 1 && !there.includes(name))
    return there.map(split => ({ name: split, start, end }))
  const missing = wanted.find(slice => !there.includes(slice.name))
  if (missing === undefined) return wanted
  const close = splitMeant(missing.name, there)
  throw new TrainerError(
    'argument',
    `${place} has no split '${missing.name}'; there ${there.length === 1 ? 'is' : 'are'} ${there.join(', ')}.`,
    close === undefined ? {} : { fix: `Did you mean '${close}'?` },
  )
}

/**
 * The numbers of a slice's rows. Its ends are numbers of rows, or percentages if one of them is, counted from the end if
 * negative.
 */
export function rowsOf({ start, end }: Slice, length: number): number[] {
  const inPercent = `${start}${end}`.includes('%')
  const place = (written: string | undefined, otherwise: number): number => {
    if (written === undefined) return otherwise
    const number = Number(written.replace('%', ''))
    const row = inPercent ? roundHalfToEven((number * length) / 100) : number
    return Math.min(Math.max(row < 0 ? row + length : row, 0), length)
  }
  const from = place(start, 0)
  const to = place(end, length)
  return Array.from({ length: Math.max(to - from, 0) }, (_, row) => from + row)
}

/** Whether a slice is a whole split. */
export function isWhole({ start, end }: Slice): boolean {
  return start === undefined && end === undefined
}

/** Python's `round`: half way between two whole numbers it takes the even one. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(value)
}
