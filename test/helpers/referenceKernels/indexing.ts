import { sizeOf } from '../../../src/tensor'
import { type Dense, dense, front, places, stridesOf } from './dense'
import type { Kernels } from './Kernel'

function gather(x: Dense, index: Dense, axis: number): Dense {
  const before = x.dims.slice(0, axis)
  const after = x.dims.slice(axis + 1)
  const length = x.dims[axis]!
  const inner = sizeOf(after)
  const picked = index.data.length
  return dense(x.dtype, [...before, ...index.dims, ...after], i => {
    const outer = Math.floor(i / (inner * picked))
    const row = within(index.data[Math.floor(i / inner) % picked]!, length)
    return x.data[(outer * length + row) * inner + (i % inner)]!
  })
}

/** For each element of the index: its place in an array of shape `dims`, with the index taken along the axis. */
function elementPlaces(dims: readonly number[], index: Dense, axis: number): Int32Array {
  const strides = stridesOf(dims)
  const start = places(
    index.dims,
    strides.map((s, i) => (i === axis ? 0 : s)),
  )
  return start.map((place, i) => place + within(index.data[i]!, dims[axis]!) * strides[axis]!)
}

function within(index: number, length: number): number {
  if (index < -length || index >= length) throw new RangeError(`index ${index} is outside a length of ${length}`)
  return index < 0 ? index + length : index
}

const combine = {
  none: (_: number, b: number) => b,
  add: (a: number, b: number) => a + b,
  mul: (a: number, b: number) => a * b,
  max: Math.max,
  min: Math.min,
}

function scatter(data: Dense, targets: Int32Array, updates: Dense, reduction: keyof typeof combine): Dense {
  const result = dense(data.dtype, data.dims, i => data.data[i]!)
  targets.forEach((place, i) => {
    result.data[place] = combine[reduction](result.data[place]!, updates.data[i]!)
  })
  return result
}

/** Where every element of ScatterND's updates goes. */
function scatterPlaces(dims: readonly number[], index: Dense): Int32Array {
  const depth = index.dims.at(-1)!
  const strides = stridesOf(dims)
  const width = sizeOf(dims.slice(depth))
  return new Int32Array((index.data.length / depth) * width).map((_, i) => {
    const row = Math.floor(i / width) * depth
    let place = i % width
    for (let k = 0; k < depth; k++) place += within(index.data[row + k]!, dims[k]!) * strides[k]!
    return place
  })
}

/** Kernels of operators that pick by an index, or put. */
export const indexing = {
  Gather: ({ inputs: [x, index], attributes: { axis = 0 } }) => [gather(x!, index!, front(axis, x!.dims.length))],
  GatherElements: ({ inputs: [x, index], attributes: { axis = 0 } }) => {
    const from = elementPlaces(x!.dims, index!, front(axis, x!.dims.length))
    return [dense(x!.dtype, index!.dims, i => x!.data[from[i]!]!)]
  },
  ScatterND: ({ inputs: [x, index, updates], attributes: { reduction = 'none' } }) => [
    scatter(x!, scatterPlaces(x!.dims, index!), updates!, reduction),
  ],
  ScatterElements: ({ inputs: [x, index, updates], attributes: { axis = 0, reduction = 'none' } }) => [
    scatter(x!, elementPlaces(x!.dims, index!, front(axis, x!.dims.length)), updates!, reduction),
  ],
} satisfies Kernels
