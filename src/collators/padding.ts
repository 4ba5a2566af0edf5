// encoded texts of different lengths → one length
import { TrainerError } from '../errors'
import { shown } from '../options'

/** What texts are padded to, in Python's words. */
export type PaddingStrategy = 'longest' | 'max_length' | 'do_not_pad'
export type Side = 'left' | 'right'

/** What to pad with and how. */
export interface Padding {
  readonly strategy: PaddingStrategy
  readonly maxLength: number | undefined
  readonly multipleOf: number | undefined
  readonly side: Side
}

/** The length that rows of up to `longest` tokens are padded to; 0 without padding. */
export function paddedLength(longest: number, { strategy, maxLength, multipleOf }: Padding): number {
  if (strategy === 'do_not_pad') return 0
  const length = strategy === 'max_length' ? (maxLength ?? longest) : longest
  return multipleOf === undefined ? length : Math.ceil(length / multipleOf) * multipleOf
}

/** The values lengthened with `filler` on a side; the same array if they are long enough. */
export function padValues<Value>(values: readonly Value[], length: number, filler: Value, side: Side): Value[] {
  const missing = length - values.length
  if (missing <= 0) return values as Value[]
  const fillers = new Array<Value>(missing).fill(filler)
  return side === 'right' ? values.concat(fillers) : fillers.concat(values)
}

/** The strategy that an option means: true is 'longest', false and undefined 'do_not_pad'. */
export function paddingStrategy(padding: unknown): PaddingStrategy {
  if (padding === undefined || padding === false) return 'do_not_pad'
  if (padding === true) return 'longest'
  if (padding === 'longest' || padding === 'max_length' || padding === 'do_not_pad') return padding
  throw new TrainerError(
    'argument',
    `padding is ${shown(padding)}; true, false, 'longest', 'max_length' or 'do_not_pad' was expected.`,
  )
}

/** The side that an option means; `name` is the option's, for the error. */
export function checkSide(side: unknown, name: string): Side {
  if (side === 'left' || side === 'right') return side
  throw new TrainerError('argument', `${name} is ${shown(side)}; 'left' or 'right' was expected.`)
}

/**
 * The number of tokens that `maxLength` means; null is the default, as None in Python.
 * @throws TrainerError (`argument`) for what is not a whole number from 0.
 */
export function checkMaxLength(maxLength: unknown): number | undefined {
  if (maxLength === undefined || maxLength === null) return undefined
  if (Number.isInteger(maxLength) && (maxLength as number) >= 0) return maxLength as number
  throw new TrainerError('argument', `maxLength is ${shown(maxLength)}; a whole number of tokens was expected.`)
}

/**
 * The number whose multiple lengths are to be; null is the default, as None in Python.
 * @throws TrainerError (`argument`) for what is not a whole number from 1.
 */
export function checkMultiple(multiple: unknown): number | undefined {
  if (multiple === undefined || multiple === null) return undefined
  if (Number.isInteger(multiple) && (multiple as number) > 0) return multiple as number
  throw new TrainerError('argument', `padToMultipleOf is ${shown(multiple)}; a whole number from 1 was expected.`, {
    fix: 'Leave it out to pad to any length.',
  })
}
