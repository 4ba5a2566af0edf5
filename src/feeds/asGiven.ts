// batches as they are: the columns are the inputs of the graph
import { quoted, TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { RawValue } from '../onnx/RawModel'
import type { Dimension, Value } from '../onnx/types'
import { type Batch, createData, type DataType, Tensor } from '../tensor'
import type { Feed, FeedLayout, RowName } from './FeedLayout'
import { adviceFor } from './fixedLengths'
import { checkLimits, checkRows, type Limits } from './limits'

/** An input of a graph: what a column of a batch has to be. */
export interface GivenInput {
  readonly name: string
  readonly dtype: DataType
  readonly shape: readonly Dimension[]
}

/** An input of a file's graph. @throws TrainerError ('file') where the file does not say what it is. */
export function givenInput({ name, type }: RawValue, file: string): GivenInput {
  if (type !== undefined) return { name, ...type }
  throw new TrainerError('file', `${file}: the input "${name}" has no type and shape.`)
}

/** What else is known of inputs. */
export interface GivenOptions {
  /** Which numbers they may be. */
  readonly limits?: (() => Limits) | undefined
  /** Whether they are labels, which errors are told apart by. */
  readonly areLabels?: boolean
  /** What names of lengths stand for already; gets those of the inputs. */
  readonly known?: Record<string, number>
}

/** The layout of a graph that takes the columns of a batch as they are. */
export function asGiven(
  inputs: readonly GivenInput[],
  limits?: () => Limits,
): FeedLayout<Readonly<Record<string, Value>>> {
  return {
    usualVariant: 'as given',
    declare: graph => declareGiven(graph, inputs),
    feed: (batch, rowName) => feed(batch, inputs, rowName, limits),
  }
}

/** The inputs as values of a graph, by name. */
export function declareGiven(graph: GraphBuilder, inputs: readonly GivenInput[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(inputs.map(({ name, dtype, shape }) => [name, graph.input(name, dtype, shape)]))
}

/**
 * The columns of a batch that are inputs, in the inputs' types.
 * @throws TrainerError ('data') for a column that is missing, of another shape, or of numbers that the type cannot hold or
 * the graph does not know.
 */
export function givenColumns(
  batch: Batch,
  inputs: readonly GivenInput[],
  rowName: RowName,
  { limits, areLabels = false, known = {} }: GivenOptions = {},
): readonly (readonly [name: string, column: Tensor])[] {
  return inputs.map(input => {
    const given = columnOf(batch, input)
    const column = converted(given, input, rowName)
    Object.assign(known, lengthsOf(column, input, known))
    // before a number is cut to what the type holds
    if (limits !== undefined) checkLimits(input.name, given, limits(), rowName, areLabels)
    return [input.name, column] as const
  })
}

function feed(batch: Batch, inputs: readonly GivenInput[], rowName: RowName, limits: GivenOptions['limits']): Feed {
  const lengths: Record<string, number> = {}
  const columns = givenColumns(batch, inputs, rowName, { limits, known: lengths })
  const main = columns[0]?.[1]
  const rows = main?.dims[0] ?? 0
  if (limits !== undefined && (main?.dims.length ?? 0) > 1) checkRows(rows, limits())
  const elements = main?.size ?? 0
  return {
    variant: 'as given',
    inputs: Object.fromEntries(columns),
    places: {
      order: Int32Array.from({ length: rows }, (_, row) => row),
      lengths: new Int32Array(rows),
      slots: new Int32Array(0),
      groups: [],
    },
    lengths,
    size: { elements, realTokens: elements },
  }
}

function columnOf(batch: Batch, { name }: GivenInput): Tensor {
  const column = batch[name]
  if (column !== undefined) return column
  const names = quoted(Object.keys(batch))
  throw new TrainerError('data', `The graph takes "${name}", but the columns of the batch are ${names}.`, {
    fix: `Return it from the data collator, as a Tensor.`,
  })
}

/** The column in the input's type. @throws TrainerError for numbers that it cannot hold. */
function converted(column: Tensor, { name, dtype }: GivenInput, rowName: RowName): Tensor {
  if (column.dtype === dtype) return column
  const data = createData(dtype, column.size)
  const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array
  for (let i = 0; i < column.size; i++) {
    const value = Number(column.data[i])
    if (!dtype.startsWith('float') && !Number.isInteger(value)) {
      const row = rowName(Math.floor(i / Math.max(1, column.size / (column.dims[0] ?? 1))))
      throw new TrainerError('data', `"${name}" of ${row} is ${value}, but the graph takes whole numbers (${dtype}).`)
    }
    data[i] = (isBig ? BigInt(value) : value) as never
  }
  return new Tensor(dtype, data as never, column.dims)
}

/** What the names in an input's shape stand for in a column. @throws TrainerError ('data') for another shape. */
function lengthsOf({ dims }: Tensor, { name, shape }: GivenInput, known: Feed['lengths']): Record<string, number> {
  const lengths: Record<string, number> = { ...known }
  const fits = (length: Dimension, i: number): boolean =>
    dims[i] === (typeof length === 'number' ? length : (lengths[length] ??= dims[i]!))
  if (dims.length === shape.length && shape.every(fits)) return lengths
  const wanted = shape.map(length =>
    typeof length === 'string' && known[length] !== undefined ? `${length} = ${known[length]}` : length,
  )
  const problem = `"${name}" of the batch has the shape [${dims.join(', ')}], but the graph takes [${wanted.join(', ')}].`
  const at =
    dims.length === shape.length ? shape.findIndex((length, i) => typeof length === 'number' && dims[i] !== length) : -1
  const fixed = shape[at]
  throw new TrainerError('data', problem, typeof fixed === 'number' ? { fix: adviceFor(name, at, fixed) } : {})
}
