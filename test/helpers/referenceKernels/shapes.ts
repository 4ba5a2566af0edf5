import { sizeOf } from '../../../src/tensor'
import { common, type Dense, dense, front, pick, places, stretch, stridesOf, transpose } from './dense'
import type { Kernel, Kernels } from './Kernel'

function slice({ inputs: [x, starts, ends, axes, steps] }: Parameters<Kernel<'Slice'>>[0]): Dense[] {
  const strides = stridesOf(x!.dims)
  const dims = [...x!.dims]
  const by = [...strides]
  let from = 0
  starts!.data.forEach((start, k) => {
    const axis = front(axes?.data[k] ?? k, dims.length)
    const step = steps?.data[k] ?? 1
    const d = x!.dims[axis]!
    const clamp = (v: number): number => Math.min(Math.max(v < 0 ? v + d : v, step < 0 ? -1 : 0), step < 0 ? d - 1 : d)
    const first = step < 0 ? Math.max(clamp(start), 0) : clamp(start)
    dims[axis] = Math.max(0, Math.ceil((clamp(ends!.data[k]!) - first) / step))
    by[axis] = strides[axis]! * step
    from += first * strides[axis]!
  })
  return [pick(x!, dims, by, from)]
}

function pad({ inputs: [x, pads, value, axes], attributes: { mode } }: Parameters<Kernel<'Pad'>>[0]): Dense[] {
  const rank = x!.dims.length
  const listed = axes === undefined ? x!.dims.map((_, i) => i) : Array.from(axes.data, axis => front(axis, rank))
  const amount = (axis: number, end: 0 | 1): number =>
    listed.includes(axis) ? pads!.data[listed.indexOf(axis) + end * listed.length]! : 0
  const dims = x!.dims.map((d, i) => d + amount(i, 0) + amount(i, 1))
  const strides = stridesOf(dims)
  const own = stridesOf(x!.dims)
  return [
    dense(x!.dtype, dims, i => {
      let place = 0
      for (let axis = 0; axis < rank; axis++) {
        const d = x!.dims[axis]!
        let at = (Math.floor(i / strides[axis]!) % dims[axis]!) - amount(axis, 0)
        if (mode === 'edge') at = Math.min(Math.max(at, 0), d - 1)
        else if (mode === 'reflect') at = at < 0 ? -at : at >= d ? 2 * (d - 1) - at : at
        else if (at < 0 || at >= d) return value?.data[0] ?? 0
        place += at * own[axis]!
      }
      return x!.data[place]!
    }),
  ]
}

function split({ inputs: [x, sizes], attributes, outputs }: Parameters<Kernel<'Split'>>[0]): Dense[] {
  const axis = front(attributes.axis ?? 0, x!.dims.length)
  const chunk = Math.ceil(x!.dims[axis]! / outputs)
  const strides = stridesOf(x!.dims)
  let at = 0
  return Array.from({ length: outputs }, (_, k) => {
    const length = sizes?.data[k] ?? Math.min(chunk, x!.dims[axis]! - k * chunk)
    const part = pick(
      x!,
      x!.dims.map((d, i) => (i === axis ? length : d)),
      strides,
      at * strides[axis]!,
    )
    at += length
    return part
  })
}

function concat(inputs: readonly Dense[], axis: number): Dense {
  const lengths = inputs.map(input => input.dims[axis]!)
  const result = dense(
    inputs[0]!.dtype,
    inputs[0]!.dims.map((d, i) => (i === axis ? lengths.reduce((a, b) => a + b) : d)),
  )
  const strides = stridesOf(result.dims)
  inputs.forEach((input, k) => {
    const start = lengths.slice(0, k).reduce((a, b) => a + b, 0) * strides[axis]!
    places(input.dims, strides, start).forEach((place, i) => {
      result.data[place] = input.data[i]!
    })
  })
  return result
}

function reshape(x: Dense, target: Dense, allowzero: number | undefined): Dense {
  const wanted = Array.from(target.data, (d, i) => (d === 0 && allowzero !== 1 ? x.dims[i]! : d))
  const rest = x.data.length / sizeOf(wanted.filter(d => d !== -1))
  const dims = wanted.map(d => (d === -1 ? rest : d))
  if (sizeOf(dims) !== x.data.length) throw new RangeError(`[${x.dims.join()}] cannot be reshaped to [${dims.join()}]`)
  return { ...x, dims }
}

/** Kernels of what has the same elements in another shape, and of the shape itself. */
export const shapes = {
  Reshape: ({ inputs: [x, target], attributes: { allowzero } }) => [reshape(x!, target!, allowzero)],
  Transpose: ({ inputs: [x], attributes: { perm } }) => [
    transpose(x!, perm ?? x!.dims.map((_, i) => x!.dims.length - 1 - i)),
  ],
  Expand: ({ inputs: [x, target] }) => [stretch(x!, common(x!.dims, Array.from(target!.data)))],
  Concat: ({ inputs, attributes: { axis } }) => [concat(inputs, front(axis, inputs[0]!.dims.length))],
  Split: split,
  Slice: slice,
  Pad: pad,
  Squeeze: ({ inputs: [x, axes] }) => {
    const gone = axes && Array.from(axes.data, axis => front(axis, x!.dims.length))
    return [{ ...x!, dims: x!.dims.filter((d, i) => (gone === undefined ? d !== 1 : !gone.includes(i))) }]
  },
  Unsqueeze: ({ inputs: [x, axes] }) => {
    const rank = x!.dims.length + axes!.data.length
    const added = Array.from(axes!.data, axis => front(axis, rank))
    let next = 0
    return [{ ...x!, dims: Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : x!.dims[next++]!)) }]
  },
  Shape: ({ inputs: [x], attributes: { start, end } }) => {
    const dims = x!.dims.slice(start, end)
    return [dense('int64', [dims.length], i => dims[i]!)]
  },
  Range: ({ inputs: [start, limit, delta] }) => {
    const [from, to, by] = [start, limit, delta].map(bound => bound!.data[0]!) as [number, number, number]
    return [dense(start!.dtype, [Math.max(0, Math.ceil((to - from) / by))], i => from + i * by)]
  },
} satisfies Kernels
