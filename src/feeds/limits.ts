import { LabelError, TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import { logOnce } from '../logging'
import type { IndexLimit } from '../onnx/indexLimits'
import type { Tensor } from '../tensor'
import type { RowName } from './FeedLayout'
import { rowsAdvice } from './fixedLengths'

/** Which numbers the inputs of a graph may be. */
export interface Limits {
  /** What messages call the graph. */
  readonly file: string
  readonly byInput: ReadonlyMap<string, readonly IndexLimit[]>
  /** Where what it gives has so many rows, whatever it is given. */
  readonly rows?: number
}

/** @throws TrainerError ('data') for a batch of other rows than the graph gives. */
export function checkRows(rows: number, { file, rows: wanted }: Limits): void {
  if (wanted === undefined || rows === wanted) return
  throw new TrainerError(
    'data',
    `A batch has ${rows} ${rows === 1 ? 'row' : 'rows'}, but what ${file} makes of it has ${wanted}.`,
    {
      fix: rowsAdvice(wanted),
    },
  )
}

/**
 * Checks that what a column's numbers are looked up in has so many places. Places below 0 are counted from the end, as
 * ONNX has them, which is told in a warning; no label is such a place.
 * @throws TrainerError ('data') naming row, column and number, and the numbers that there may be.
 */
export function checkLimits(name: string, column: Tensor, limits: Limits, rowName: RowName, isLabel = false): void {
  const { data, dims } = column
  const perRow = data.length / Math.max(1, dims[0] ?? 1)
  for (const limit of limits.byInput.get(name) ?? []) {
    const { length, placeOf } = limit
    for (let at = 0; at < data.length; at++) {
      const number = Number(data[at])
      const place = placeOf === undefined ? number : placeOf(number)
      if (place >= 0 && place < length) continue
      const within = perRow > 1 ? `, place ${at % perRow},` : ''
      const where = `"${name}" of ${rowName(Math.floor(at / perRow))}${within} is ${number}`
      if (isLabel || place < -length || !(place < length)) throw unknownNumber(where, limit, limits.file, isLabel)
      logOnce('warning', `"${name}" has numbers below 0, which ${limits.file} counts from the end of "${limit.of}".`)
    }
  }
}

function unknownNumber(where: string, limit: IndexLimit, file: string, isLabel: boolean): TrainerError {
  return isLabel
    ? new LabelError(`${where}, but the classes of ${file} are ${numbersOf(limit)}.`, labelAdvice(limit))
    : new TrainerError('data', `${where}, but ${file} looks it up ${placesIn(limit)}.`, { fix })
}

const fix =
  'Make the column with the tokenizer, or the settings, that belong to the model, or export the model with a larger table.'

function placesIn(limit: IndexLimit): string {
  return `in "${limit.of}", which has ${limit.length} ${limit.length === 1 ? 'place' : 'places'}: ${numbersOf(limit)}`
}

function labelAdvice(limit: IndexLimit): string {
  const ignored = othersOf(limit)[0]
  const uncounted = ignored === undefined ? '' : `, and give ${ignored} where a label does not count`
  return `Number the classes from 0${uncounted}; or export the model with more classes.`
}

/** "0 to 96", and what else is taken: "0 to 2, or -100". */
function numbersOf(limit: IndexLimit): string {
  const taken = Array.from({ length: limit.length }, (_, i) => i).filter(isTaken(limit))
  const range = taken.length === 0 ? '' : taken.length === 1 ? `${taken[0]}` : `${taken[0]} to ${taken.at(-1)}`
  const others = othersOf(limit)
  const more = others.length > 2 ? `${others.at(-1)} to ${others[0]}` : others.join(' or ')
  return [range, more].filter(text => text !== '').join(', or ')
}

/** Other numbers that are taken, as one that does not count is: the highest below 0 first, then those above. */
function othersOf(limit: IndexLimit): readonly number[] {
  const beyond = Math.max(-ignoredIndex, limit.length) + 1
  const below = Array.from({ length: beyond }, (_, i) => -1 - i)
  const above = Array.from({ length: mostIgnored }, (_, i) => limit.length + i)
  return [...below, ...above].filter(isTaken(limit))
}

/** A label that does not count is no higher: 255 in pictures, say. */
const mostIgnored = 1000

function isTaken({ length, placeOf }: IndexLimit): (number: number) => boolean {
  return number => {
    const place = placeOf === undefined ? number : placeOf(number)
    return place >= 0 && place < length
  }
}
