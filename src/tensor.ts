import { TrainerError } from './errors'

/** The array that holds each data type; float16 and bfloat16 are kept as their bits. */
export interface TensorArrays {
  float32: Float32Array
  float64: Float64Array
  float16: Uint16Array
  bfloat16: Uint16Array
  int64: BigInt64Array
  int32: Int32Array
  int16: Int16Array
  int8: Int8Array
  uint64: BigUint64Array
  uint32: Uint32Array
  uint16: Uint16Array
  uint8: Uint8Array
  bool: Uint8Array
}

/** The type of a tensor's elements. */
export type DataType = keyof TensorArrays
/** The floating-point types of 16 bits, which matrix products may be computed in. */
export type ReducedType = 'float16' | 'bfloat16'
export type TensorData = TensorArrays[DataType]
/** Numbers, nested as deep as the tensor has axes. */
export type Nested = number | bigint | boolean | readonly Nested[]

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

/** Bytes that one element takes. */
export function bytesPerElement(dtype: DataType): number {
  return arrays[dtype].BYTES_PER_ELEMENT
}

/** A zeroed array for `size` elements, or a view of `buffer` from `byteOffset`. */
export function createData<T extends DataType>(
  dtype: T,
  size: number,
  buffer?: ArrayBufferLike,
  byteOffset = 0,
): TensorArrays[T] {
  const type = arrays[dtype] as unknown as {
    new (size: number): TensorArrays[T]
    new (b: ArrayBufferLike, o: number, n: number): TensorArrays[T]
  }
  return buffer === undefined ? new type(size) : new type(buffer, byteOffset, size)
}

/** The number of elements of a shape; 1 for a scalar's empty shape. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1)
}

/** The values of all parts, one after another; a single part is returned as it is. */
export function concatenate<Values extends Float64Array | Uint8Array>(
  type: new (length: number) => Values,
  parts: readonly Values[],
): Values {
  if (parts.length === 1) return parts[0]!
  const whole = new type(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * A dense array with a shape, row-major: plain data, the same on every side of the engine.
 *
 * `data` is not copied: writing to it changes the tensor.
 */
export class Tensor<T extends DataType = DataType> {
  readonly dtype: T
  readonly dims: readonly number[]
  readonly data: TensorArrays[T]

  /** @throws TrainerError when the data's length is not the product of `dims`. */
  constructor(dtype: T, data: TensorArrays[T], dims: readonly number[]) {
    if (data.length !== sizeOf(dims)) {
      throw new TrainerError(
        'data',
        `A tensor of shape [${dims.join(', ')}] has ${sizeOf(dims)} elements, but ${data.length} were given.`,
      )
    }
    this.dtype = dtype
    this.data = data
    this.dims = dims
  }

  /** A tensor of zeros. */
  static zeros<T extends DataType>(dtype: T, dims: readonly number[]): Tensor<T> {
    return new Tensor(dtype, createData(dtype, sizeOf(dims)), dims)
  }

  /**
   * A tensor from nested arrays of numbers, all rows of one length.
   * @throws TrainerError when rows have different lengths.
   */
  static from<T extends DataType>(dtype: T, nested: Nested): Tensor<T> {
    const dims = shapeOf(nested)
    const tensor = Tensor.zeros(dtype, dims)
    let at = 0
    const fill = (value: Nested, depth: number): void => {
      if (Array.isArray(value) !== depth < dims.length || (Array.isArray(value) && value.length !== dims[depth])) {
        throw new TrainerError(
          'data',
          `Rows of unequal length do not make a tensor: shape [${dims.join(', ')}] was expected from the first row.`,
        )
      }
      if (Array.isArray(value)) for (const inner of value) fill(inner, depth + 1)
      else
        tensor.data[at++] = (
          tensor.data instanceof BigInt64Array || tensor.data instanceof BigUint64Array
            ? BigInt(value as number)
            : Number(value)
        ) as never
    }
    fill(nested, 0)
    return tensor
  }

  /** The number of elements. */
  get size(): number {
    return this.data.length
  }

  /** The same data under another shape of the same size. */
  reshape(dims: readonly number[]): Tensor<T> {
    return new Tensor(this.dtype, this.data, dims)
  }

  /** Nested arrays of numbers; 64-bit integers become numbers. A scalar gives a number. */
  tolist(): Nested {
    let at = 0
    const build = (depth: number): Nested =>
      depth === this.dims.length
        ? Number(this.data[at++])
        : Array.from({ length: this.dims[depth]! }, () => build(depth + 1))
    return build(0)
  }

  /**
   * The index of the largest value along an axis (negative counts from the end), the first one on a tie; that axis is
   * gone. NaN counts as the largest, as in NumPy.
   */
  argmax(axis = -1): Tensor<'int32'> {
    const { outer, length, inner, rest } = this.#split(axis)
    const result = Tensor.zeros('int32', rest)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let best = 0
        for (let k = 1; k < length; k++) {
          const value = this.data[(o * length + k) * inner + i]!
          const top = this.data[(o * length + best) * inner + i]!
          if (value > top || (Number.isNaN(value) && !Number.isNaN(top))) best = k
        }
        result.data[o * inner + i] = best
      }
    }
    return result
  }

  /** exp(x) / Σ exp(x) along an axis, computed in float64 from x - max(x). */
  softmax(axis = -1): Tensor<'float32'> {
    const { outer, length, inner } = this.#split(axis)
    const result = Tensor.zeros('float32', this.dims)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const at = (k: number): number => (o * length + k) * inner + i
        let top = -Infinity
        for (let k = 0; k < length; k++) top = Math.max(top, Number(this.data[at(k)]))
        let sum = 0
        for (let k = 0; k < length; k++) sum += Math.exp(Number(this.data[at(k)]) - top)
        for (let k = 0; k < length; k++) result.data[at(k)] = Math.exp(Number(this.data[at(k)]) - top) / sum
      }
    }
    return result
  }

  /** 1 where a value is greater than `limit`, else 0 (also for NaN): `(predictions > limit).astype(int)` of NumPy. */
  greater(limit: number): Tensor<'int32'> {
    return new Tensor(
      'int32',
      Int32Array.from(this.data as ArrayLike<number | bigint>, value => (value > limit ? 1 : 0)),
      this.dims,
    )
  }

  #split(axis: number): { outer: number; length: number; inner: number; rest: number[] } {
    const at = axis < 0 ? axis + this.dims.length : axis
    const length = this.dims[at]
    if (length === undefined)
      throw new TrainerError('argument', `Axis ${axis} is outside a tensor of shape [${this.dims.join(', ')}].`)
    const before = this.dims.slice(0, at)
    const after = this.dims.slice(at + 1)
    return { outer: sizeOf(before), length, inner: sizeOf(after), rest: [...before, ...after] }
  }
}

/** Named tensors, the first axis of each being the rows: what a collator makes of rows. */
export type Batch = Record<string, Tensor>

/** Whether a cell is a list of values, an array or a typed one. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}

/** The shape that nested arrays have, by their first elements. */
function shapeOf(nested: Nested): number[] {
  return Array.isArray(nested) ? [nested.length, ...(nested.length === 0 ? [] : shapeOf(nested[0] as Nested))] : []
}
