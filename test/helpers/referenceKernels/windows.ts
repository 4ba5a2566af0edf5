import { type Window, windowCounts, windowsOf } from '../../../src/onnx/windows'
import { sizeOf } from '../../../src/tensor'
import { type Dense, dense, stridesOf } from './dense'
import type { Kernels } from './Kernel'

/** All indices into `dims`, in row-major order. */
function* indices(dims: readonly number[]): Generator<readonly number[]> {
  const strides = stridesOf(dims)
  for (let i = 0; i < sizeOf(dims); i++) yield dims.map((length, axis) => Math.floor(i / strides[axis]!) % length)
}

/** Where the element k of the window o lies along all axes. */
function placed(windows: readonly Window[], o: readonly number[], k: readonly number[]): readonly number[] {
  return windows.map(({ stride, dilation, before }, i) => o[i]! * stride + k[i]! * dilation - before)
}

/** Calls `each` for every element of every window that lies inside of `lengths`, in order. */
function visit(
  lengths: readonly number[],
  counts: readonly number[],
  windows: readonly Window[],
  each: (inside: number, o: number, k: number) => void,
): void {
  const strides = stridesOf(lengths)
  const kernels = [...indices(windows.map(({ kernel }) => Number(kernel)))]
  let at = 0
  for (const o of indices(counts)) {
    for (const [n, k] of kernels.entries()) {
      const place = placed(windows, o, k)
      if (place.some((p, i) => p < 0 || p >= lengths[i]!)) continue
      each(
        place.reduce((sum, p, i) => sum + p * strides[i]!, 0),
        at,
        n,
      )
    }
    at++
  }
}

function countsOf(lengths: readonly number[], windows: readonly Window[], ceil = false): readonly number[] {
  return windowCounts(lengths, windows, () => NaN, ceil) as readonly number[]
}

/** What links an image of `lengths` with one of `counts`: `each` gets places in x, y and w, for every product. */
function convolve(
  [rows, group, each, made]: readonly [number, number, number, number],
  [lengths, counts]: readonly [readonly number[], readonly number[]],
  windows: readonly Window[],
  add: (x: number, y: number, w: number) => void,
): void {
  const [size, count, kernel] = [sizeOf(lengths), sizeOf(counts), sizeOf(windows.map(({ kernel: k }) => Number(k)))]
  for (const [n, g, m, c] of indices([rows, group, made, each]) as Generator<readonly [number, number, number, number]>)
    visit(lengths, counts, windows, (inside, o, k) =>
      add(
        ((n * group + g) * each + c) * size + inside,
        ((n * group + g) * made + m) * count + o,
        ((g * made + m) * each + c) * kernel + k,
      ),
    )
}

function started(x: Dense, dims: readonly number[], bias: Dense | undefined): Dense {
  const size = sizeOf(dims.slice(2))
  return dense(x.dtype, dims, i => (bias === undefined ? 0 : bias.data[Math.floor(i / size) % dims[1]!]!))
}

/** Kernels of convolutions and pooling. */
export const windows = {
  Conv: ({ inputs: [x, w, b], attributes }) => {
    const { group = 1 } = attributes
    const all = windowsOf(w!.dims.slice(2), attributes)
    const lengths = x!.dims.slice(2)
    const counts = countsOf(lengths, all)
    const y = started(x!, [x!.dims[0]!, w!.dims[0]!, ...counts], b)
    convolve([x!.dims[0]!, group, w!.dims[1]!, w!.dims[0]! / group], [lengths, counts], all, (i, o, k) => {
      y.data[o]! += x!.data[i]! * w!.data[k]!
    })
    return [y]
  },
  ConvTranspose: ({ inputs: [x, w, b], attributes }) => {
    const { group = 1, output_padding: extra } = attributes
    const all = windowsOf(w!.dims.slice(2), attributes)
    const counts = x!.dims.slice(2)
    const lengths = all.map(
      ({ kernel, stride, dilation, before, after }, i) =>
        (counts[i]! - 1) * stride + dilation * (Number(kernel) - 1) + 1 + (extra?.[i] ?? 0) - before - after,
    )
    const y = started(x!, [x!.dims[0]!, w!.dims[1]! * group, ...lengths], b)
    convolve([x!.dims[0]!, group, w!.dims[1]!, w!.dims[0]! / group], [lengths, counts], all, (i, o, k) => {
      y.data[i]! += x!.data[o]! * w!.data[k]!
    })
    return [y]
  },
  MaxPool: ({ inputs: [x], attributes }) => {
    const all = windowsOf(attributes.kernel_shape, attributes)
    const lengths = x!.dims.slice(2)
    const counts = countsOf(lengths, all, attributes.ceil_mode === 1)
    const [size, count] = [sizeOf(lengths), sizeOf(counts)]
    const dims = [...x!.dims.slice(0, 2), ...counts]
    const largest = dense(x!.dtype, dims, () => -Infinity)
    const places = dense('int64', dims)
    for (let at = 0; at < x!.dims[0]! * x!.dims[1]!; at++)
      visit(lengths, counts, all, (inside, o) => {
        const value = x!.data[at * size + inside]!
        if (value <= largest.data[at * count + o]!) return
        largest.data[at * count + o] = value
        places.data[at * count + o] = at * size + inside
      })
    return [largest, places]
  },
  AveragePool: ({ inputs: [x], attributes }) => {
    const all = windowsOf(attributes.kernel_shape, attributes)
    const lengths = x!.dims.slice(2)
    const counts = countsOf(lengths, all)
    const [size, count] = [sizeOf(lengths), sizeOf(counts)]
    const y = dense(x!.dtype, [...x!.dims.slice(0, 2), ...counts])
    const inside = dense('float64', [count])
    visit(lengths, counts, all, (_, o) => inside.data[o]!++)
    for (let at = 0; at < x!.dims[0]! * x!.dims[1]!; at++)
      visit(lengths, counts, all, (place, o) => {
        const divisor = attributes.count_include_pad === 1 ? sizeOf(attributes.kernel_shape) : inside.data[o]!
        y.data[at * count + o]! += x!.data[at * size + place]! / divisor
      })
    return [y]
  },
} satisfies Kernels
