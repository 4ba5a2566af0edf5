// what callers give a metric → numbers
import { TrainerError } from '../errors'
import { isList, Tensor, type TensorData } from '../tensor'

type Value = number | bigint | boolean

/**
 * The values of rows: a tensor, a typed array, a list, or a list of lists. Shape [rows] or [rows, 1]; in the
 * configurations `multilabel` and `multilist` [rows, labels].
 */
export type Values = Tensor | TensorData | readonly (Value | readonly Value[] | TensorData)[]

/** Predictions and references as numbers: `width` of them for each row, one row after another. */
export interface Rows {
  readonly predictions: Float64Array
  readonly references: Float64Array
  readonly width: number
  /** How much each row counts, if they do not count alike. */
  readonly weights?: Float64Array | undefined
}

/** One side as numbers, row by row. */
export interface Side {
  readonly values: Float64Array
  readonly dims: readonly number[]
}

/**
 * One side of a metric as numbers; `side` is its name in errors.
 * @throws TrainerError (`data`) naming the row that is not a number, or not as long as the first.
 */
export function readSide(metric: string, side: string, values: Values): Side {
  if (values instanceof Tensor) {
    if (values.dtype === 'float16' || values.dtype === 'bfloat16') {
      throw new TrainerError('data', `${metric}: ${side} are ${values.dtype}.`, { fix: 'Convert them to float32.' })
    }
    return { values: Float64Array.from(values.data as ArrayLike<number | bigint>, Number), dims: values.dims }
  }
  if (ArrayBuffer.isView(values) && !((values as unknown) instanceof DataView))
    return { values: Float64Array.from(values as ArrayLike<number | bigint>, Number), dims: [values.length] }
  if (Array.isArray(values)) return readList(metric, side, values as readonly unknown[])
  const given = (values as unknown) instanceof Promise ? 'a Promise' : values === null ? 'null' : typeof values
  throw new TrainerError('argument', `${metric}: ${side} should be a tensor or an array of numbers, not ${given}.`, {
    ...(given === 'a Promise' && { fix: 'Write await before it.' }),
  })
}

function readList(metric: string, side: string, rows: readonly unknown[]): Side {
  const width = isList(rows[0]) ? rows[0].length : undefined
  const values = new Float64Array(rows.length * (width ?? 1))
  let at = 0
  for (const [index, row] of rows.entries()) {
    if ((isList(row) ? row.length : undefined) !== width) {
      const count = (length: number | undefined): string =>
        length === undefined ? 'one number' : `a list of ${length}`
      const found = count(isList(row) ? row.length : undefined)
      throw new TrainerError('data', `${metric}: row ${index} of the ${side} is ${found}, the first ${count(width)}.`, {
        fix: 'Give each row as many values.',
      })
    }
    if (isList(row)) for (let i = 0; i < row.length; i++) values[at++] = toNumber(metric, side, row[i], index)
    else values[at++] = toNumber(metric, side, row, index)
  }
  return { values, dims: width === undefined ? [rows.length] : [rows.length, width] }
}

function toNumber(metric: string, side: string, value: unknown, row: number): number {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return Number(value)
  throw new TrainerError(
    'data',
    `${metric}: row ${row} of the ${side} is ${JSON.stringify(value) ?? 'undefined'}, not a number.`,
    {
      fix: 'Text labels have to become class numbers first: dataset.classEncodeColumn.',
    },
  )
}
