import { TrainerError } from '../errors'
import { Tensor, type TensorData } from '../tensor'

/** One number per row: a tensor, a typed array, a list, or lists of one number each. Shape [rows] or [rows, 1]. */
export type Values =
  Tensor | TensorData | readonly (number | bigint | boolean | readonly (number | bigint | boolean)[])[]

/** What a metric compares, and its options. */
export interface MetricInput extends MetricOptions {
  readonly predictions: Values
  readonly references: Values
}

/** Options of metrics; a metric ignores those of others. */
export interface MetricOptions {
  /** f1, precision, recall: how classes become one number; 'binary' by default. */
  readonly average?: Average | undefined
  /** f1, precision, recall: the class that counts with 'binary'; 1 by default. */
  readonly posLabel?: number | undefined
  /** f1, precision, recall: the classes that are averaged; all that occur by default. */
  readonly labels?: readonly number[] | undefined
  /** accuracy: false gives the number of right rows instead of their share; true by default. */
  readonly normalize?: boolean | undefined
}

/** How the scores of classes become one number, as in scikit-learn. */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted'

/** Predictions and references as numbers, one each per row. */
export interface Pairs {
  readonly predictions: Float64Array
  readonly references: Float64Array
}

/** The arithmetic of a metric: rows → values by key. */
export type MetricFunction = (pairs: Pairs, options: MetricOptions) => Record<string, number>

/**
 * Both sides as numbers.
 * @throws TrainerError (`data`) when they differ in length, or a side does not have one number per row.
 */
export function toPairs(metric: string, predictions: Values, references: Values): Pairs {
  const pairs = {
    predictions: toNumbers(metric, 'predictions', predictions),
    references: toNumbers(metric, 'references', references),
  }
  if (pairs.predictions.length !== pairs.references.length) {
    throw new TrainerError(
      'data',
      `${metric}: there are ${pairs.predictions.length} predictions for ${pairs.references.length} references.`,
      { fix: 'Give one prediction for each reference, in the same order.' },
    )
  }
  return pairs
}

function toNumbers(metric: string, side: string, values: Values): Float64Array {
  if (values instanceof Tensor) {
    if (values.dtype === 'float16' || values.dtype === 'bfloat16') {
      throw new TrainerError('data', `${metric}: ${side} are ${values.dtype}.`, { fix: 'Convert them to float32.' })
    }
    checkShape(metric, side, values.dims)
    return Float64Array.from(values.data as ArrayLike<number | bigint>, Number)
  }
  if (ArrayBuffer.isView(values)) return Float64Array.from(values as ArrayLike<number | bigint>, Number)
  if (Array.isArray(values))
    return Float64Array.from(values as readonly unknown[], (row, i) => toNumber(metric, side, row, i))
  throw new TrainerError(
    'argument',
    `${metric}: ${side} should be a tensor or an array of numbers, not ${typeof values}.`,
  )
}

function toNumber(metric: string, side: string, row: unknown, index: number): number {
  if (Array.isArray(row) || ArrayBuffer.isView(row)) {
    const inner = row as ArrayLike<unknown>
    if (inner.length !== 1) checkShape(metric, side, [index + 1, inner.length])
    return toNumber(metric, side, inner[0], index)
  }
  if (typeof row === 'number' || typeof row === 'bigint' || typeof row === 'boolean') return Number(row)
  throw new TrainerError(
    'data',
    `${metric}: row ${index} of the ${side} is ${JSON.stringify(row) ?? 'undefined'}, not a number.`,
    { fix: 'Text labels have to become class numbers first: dataset.classEncodeColumn.' },
  )
}

function checkShape(metric: string, side: string, dims: readonly number[]): void {
  if (dims.length === 1 || (dims.length === 2 && dims[1] === 1)) return
  throw new TrainerError(
    'data',
    `${metric}: ${side} should have the shape [rows] or [rows, 1], not [${dims.join(', ')}].`,
    { fix: 'If these are logits, take the class first: predictions.argmax(-1).' },
  )
}
