import { createData, type DataType, sizeOf } from '../../../src/tensor'

/** An array in row-major order; floating-point and 64-bit values are held as float64. */
export interface Dense {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly data: Exclude<ReturnType<typeof createData>, BigInt64Array | BigUint64Array>
}

const small: ReadonlySet<DataType> = new Set<DataType>(['int32', 'int16', 'int8', 'uint32', 'uint16', 'uint8', 'bool'])
export const integral: ReadonlySet<DataType> = new Set<DataType>([...small, 'int64', 'uint64'])

/** An array of the given type and shape, element by element; small integer types wrap. */
export function dense(dtype: DataType, dims: readonly number[], element: (i: number) => number = () => 0): Dense {
  const data = createData(small.has(dtype) ? dtype : 'float64', sizeOf(dims)) as Dense['data']
  for (let i = 0; i < data.length; i++) data[i] = element(i)
  return { dtype, dims, data }
}

/** For every index into `dims`, in row-major order, where it falls: start + Σ index · stride. */
export function places(dims: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const result = new Int32Array(sizeOf(dims))
  const index = dims.map(() => 0)
  let place = start
  for (let i = 0; i < result.length; i++) {
    result[i] = place
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      place += strides[axis]!
      if (++index[axis]! < dims[axis]!) break
      place -= strides[axis]! * dims[axis]!
      index[axis] = 0
    }
  }
  return result
}

export function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, i) => sizeOf(dims.slice(i + 1)))
}

/** The elements at start + Σ index · stride, for every index into `dims`. */
export function pick(x: Dense, dims: readonly number[], strides: readonly number[], start = 0): Dense {
  const from = places(dims, strides, start)
  return dense(x.dtype, dims, i => x.data[from[i]!]!)
}

/** The axes in another order. */
export function transpose(x: Dense, perm: readonly number[]): Dense {
  const strides = stridesOf(x.dims)
  return pick(
    x,
    perm.map(i => x.dims[i]!),
    perm.map(i => strides[i]!),
  )
}

/** Stretched to a shape, by NumPy's rule. */
export function stretch(x: Dense, dims: readonly number[]): Dense {
  const missing = dims.length - x.dims.length
  const own = stridesOf(x.dims)
  dims.forEach((d, i) => {
    if (i < missing || x.dims[i - missing] === 1 || x.dims[i - missing] === d) return
    throw new RangeError(`[${x.dims.join()}] cannot be broadcast to [${dims.join()}]`)
  })
  return pick(
    x,
    dims,
    dims.map((_, i) => (i < missing || x.dims[i - missing] === 1 ? 0 : own[i - missing]!)),
  )
}

/** The shape that all of these are stretched to. */
export function common(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(shape => shape.length))
  return Array.from({ length: rank }, (_, i) =>
    shapes.map(shape => shape[i - rank + shape.length] ?? 1).reduce((a, b) => (a === 1 ? b : a)),
  )
}

/** The axis counted from the front. */
export function front(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** Calls `each` with the places of one line along the axis, for every line. */
export function lines(dims: readonly number[], axis: number, each: (line: Int32Array, at: number) => void): void {
  const strides = stridesOf(dims)
  const starts = places(
    dims.filter((_, i) => i !== axis),
    strides.filter((_, i) => i !== axis),
  )
  starts.forEach((start, at) => each(places([dims[axis]!], [strides[axis]!], start), at))
}
