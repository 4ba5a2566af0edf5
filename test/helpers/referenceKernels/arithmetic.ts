// operators that compute
import type { OpName } from '../../../src/onnx/operators'
import { type DataType, sizeOf } from '../../../src/tensor'
import { type Dense, type Kernel, dense, places, stridesOf, pick, stretch, common, front, lines } from './dense'

export const unary =
  (f: (x: number) => number): Kernel<OpName> =>
  ({ inputs: [x] }) => [dense(x!.dtype, x!.dims, i => f(x!.data[i]!))]

export const binary =
  (f: (a: number, b: number, dtype: DataType) => number, dtype?: DataType): Kernel<OpName> =>
  ({ inputs: [a, b] }) => {
    const dims = common(a!.dims, b!.dims)
    const x = stretch(a!, dims)
    const y = stretch(b!, dims)
    return [dense(dtype ?? a!.dtype, dims, i => f(x.data[i]!, y.data[i]!, a!.dtype))]
  }

export const along =
  (write: (line: Float64Array) => Float64Array): Kernel<'Softmax'> =>
  ({ inputs: [x], attributes }) => {
    const result = dense(x!.dtype, x!.dims)
    lines(x!.dims, front(attributes.axis ?? -1, x!.dims.length), line => {
      const written = write(Float64Array.from(line, place => x!.data[place]!))
      line.forEach((place, k) => {
        result.data[place] = written[k]!
      })
    })
    return [result]
  }

export function logSoftmax(line: Float64Array): Float64Array {
  const top = line.reduce((a, b) => Math.max(a, b), -Infinity)
  const logSum = top + Math.log(line.reduce((sum, x) => sum + Math.exp(x - top), 0))
  return line.map(x => x - logSum)
}

export const reduce =
  (f: (line: Float64Array) => number): Kernel<'ReduceSum'> =>
  ({ inputs: [x, given], attributes }) => {
    const all = x!.dims.map((_, i) => i)
    const listed = given === undefined ? [] : Array.from(given.data, axis => front(axis, all.length))
    if (listed.length === 0 && attributes.noop_with_empty_axes === 1)
      return [dense(x!.dtype, x!.dims, i => f(Float64Array.of(x!.data[i]!)))] // each alone: squares, too
    const axes = listed.length === 0 ? all : listed
    const strides = stridesOf(x!.dims)
    const kept = all.filter(i => !axes.includes(i))
    const gone = axes
    const starts = places(
      kept.map(i => x!.dims[i]!),
      kept.map(i => strides[i]!),
    )
    const dims =
      attributes.keepdims === 0 ? kept.map(i => x!.dims[i]!) : x!.dims.map((d, i) => (axes.includes(i) ? 1 : d))
    const lengths = gone.map(a => x!.dims[a]!)
    const steps = gone.map(a => strides[a]!)
    return [
      dense(x!.dtype, dims, i => f(Float64Array.from(places(lengths, steps, starts[i]), place => x!.data[place]!))),
    ]
  }

export const total = (line: Float64Array): number => line.reduce((a, b) => a + b, 0)

export function matMul(a: Dense, b: Dense): Dense {
  const m = a.dims.at(-2)!
  const k = a.dims.at(-1)!
  const n = b.dims.at(-1)!
  const batch = common(a.dims.slice(0, -2), b.dims.slice(0, -2))
  const x = stretch(a, [...batch, m, k])
  const y = stretch(b, [...batch, k, n])
  return dense(a.dtype, [...batch, m, n], i => {
    const column = i % n
    const row = Math.floor(i / n)
    const from = Math.floor(row / m) * k * n + column
    let sum = 0
    for (let j = 0; j < k; j++) sum += x.data[row * k + j]! * y.data[from + j * n]!
    return sum
  })
}

export function transpose(x: Dense, perm: readonly number[]): Dense {
  const strides = stridesOf(x.dims)
  return pick(
    x,
    perm.map(i => x.dims[i]!),
    perm.map(i => strides[i]!),
  )
}

/** Over all axes from `axis` on: the result, the mean and the reciprocal standard deviation. */
export function layerNormalization(
  x: Dense,
  scale: Dense,
  bias: Dense | undefined,
  axis: number,
  epsilon: number,
): Dense[] {
  const width = sizeOf(x.dims.slice(axis))
  const rows = x.data.length / width
  const statistics = x.dims.map((d, i) => (i < axis ? d : 1))
  const row = (r: number): Float64Array => Float64Array.from(x.data.subarray(r * width, (r + 1) * width))
  const mean = dense('float32', statistics, r => total(row(r)) / width)
  const inverse = dense(
    'float32',
    statistics,
    r => 1 / Math.sqrt(total(row(r).map(v => (v - mean.data[r]!) ** 2)) / width + epsilon),
  )
  if (mean.data.length !== rows) throw new RangeError('internal: rows')
  const s = stretch(scale, x.dims)
  const b = bias && stretch(bias, x.dims)
  const y = dense(x.dtype, x.dims, i => {
    const r = Math.floor(i / width)
    return (x.data[i]! - mean.data[r]!) * inverse.data[r]! * s.data[i]! + (b?.data[i] ?? 0)
  })
  return [y, mean, inverse]
}

/**
 * erf(x) = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!: all terms have one sign, so nothing cancels (Abramowitz and Stegun
 * 7.1.6).
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x)
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1)
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}
