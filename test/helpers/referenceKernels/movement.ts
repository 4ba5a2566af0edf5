// operators that move numbers
import { sizeOf } from '../../../src/tensor'
import { type Dense, type Kernel, dense, places, stridesOf, pick, front } from './dense'

export const combine = {
  none: (_: number, b: number) => b,
  add: (a: number, b: number) => a + b,
  mul: (a: number, b: number) => a * b,
  max: Math.max,
  min: Math.min,
}

export function slice({ inputs: [x, starts, ends, axes, steps] }: Parameters<Kernel<'Slice'>>[0]): Dense[] {
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

export function pad({ inputs: [x, pads, value, axes], attributes: { mode } }: Parameters<Kernel<'Pad'>>[0]): Dense[] {
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

export function split({ inputs: [x, sizes], attributes, outputs }: Parameters<Kernel<'Split'>>[0]): Dense[] {
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

export function concat(inputs: readonly Dense[], axis: number): Dense {
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

export function gather(x: Dense, index: Dense, axis: number): Dense {
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
export function elementPlaces(dims: readonly number[], index: Dense, axis: number): Int32Array {
  const strides = stridesOf(dims)
  const start = places(
    index.dims,
    strides.map((s, i) => (i === axis ? 0 : s)),
  )
  return start.map((place, i) => place + within(index.data[i]!, dims[axis]!) * strides[axis]!)
}

export function within(index: number, length: number): number {
  if (index < -length || index >= length) throw new RangeError(`index ${index} is outside a length of ${length}`)
  return index < 0 ? index + length : index
}

export function scatter(data: Dense, targets: Int32Array, updates: Dense, reduction: keyof typeof combine): Dense {
  const result = dense(data.dtype, data.dims, i => data.data[i]!)
  targets.forEach((place, i) => {
    result.data[place] = combine[reduction](result.data[place]!, updates.data[i]!)
  })
  return result
}

/** Where every element of ScatterND's updates goes. */
export function scatterPlaces(dims: readonly number[], index: Dense): Int32Array {
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

export function reshape(x: Dense, target: Dense, allowzero: number | undefined): Dense {
  const wanted = Array.from(target.data, (d, i) => (d === 0 && allowzero !== 1 ? x.dims[i]! : d))
  const rest = x.data.length / sizeOf(wanted.filter(d => d !== -1))
  const dims = wanted.map(d => (d === -1 ? rest : d))
  if (sizeOf(dims) !== x.data.length) throw new RangeError(`[${x.dims.join()}] cannot be reshaped to [${dims.join()}]`)
  return { ...x, dims }
}
