import { sizeOf } from '../../../src/tensor'
import { type Dense, dense, front, lines, places, stretch, stridesOf } from './dense'
import type { Kernel, Kernels } from './Kernel'

const along =
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

function logSoftmax(line: Float64Array): Float64Array {
  const top = line.reduce((a, b) => Math.max(a, b), -Infinity)
  const logSum = top + Math.log(line.reduce((sum, x) => sum + Math.exp(x - top), 0))
  return line.map(x => x - logSum)
}

const reduce =
  (f: (line: Float64Array) => number): Kernel<'ReduceSum'> =>
  ({ inputs: [x, given], attributes }) => {
    const all = x!.dims.map((_, i) => i)
    const listed = given === undefined ? [] : Array.from(given.data, axis => front(axis, all.length))
    if (listed.length === 0 && attributes.noop_with_empty_axes === 1)
      return [dense(x!.dtype, x!.dims, i => f(Float64Array.of(x!.data[i]!)))] // each alone: squares, too
    const axes = listed.length === 0 ? all : listed
    const strides = stridesOf(x!.dims)
    const kept = all.filter(i => !axes.includes(i))
    const starts = places(
      kept.map(i => x!.dims[i]!),
      kept.map(i => strides[i]!),
    )
    const dims =
      attributes.keepdims === 0 ? kept.map(i => x!.dims[i]!) : x!.dims.map((d, i) => (axes.includes(i) ? 1 : d))
    const lengths = axes.map(a => x!.dims[a]!)
    const steps = axes.map(a => strides[a]!)
    return [
      dense(x!.dtype, dims, i => f(Float64Array.from(places(lengths, steps, starts[i]), place => x!.data[place]!))),
    ]
  }

/** Running sums of the line, or of all that comes before. */
function running(line: Float64Array, exclusive: boolean, reverse: boolean): Float64Array {
  const ordered = reverse ? line.toReversed() : line
  let sum = 0
  const sums = ordered.map(x => {
    sum += x
    return exclusive ? sum - x : sum
  })
  return reverse ? sums.reverse() : sums
}

const topK: Kernel<'TopK'> = ({ inputs: [x, count], attributes: { axis = -1, largest = 1 }, outputs }) => {
  const at = front(axis, x!.dims.length)
  const dims = x!.dims.with(at, count!.data[0]!)
  const values = dense(x!.dtype, dims)
  const index = dense('int64', dims)
  const targets: Int32Array[] = []
  lines(dims, at, line => targets.push(line))
  lines(x!.dims, at, (line, i) => {
    const order = Array.from(line, (place, k) => [x!.data[place]!, k] as const)
    order.sort(([a, j], [b, k]) => (largest === 1 ? b - a : a - b) || j - k)
    targets[i]!.forEach((place, k) => {
      values.data[place] = order[k]![0]
      index.data[place] = order[k]![1]
    })
  })
  return [values, index].slice(0, outputs)
}

const argMax: Kernel<'ArgMax'> = ({ inputs: [x], attributes: { axis = 0, keepdims = 1, select_last_index = 0 } }) => {
  const at = front(axis, x!.dims.length)
  const found: number[] = []
  lines(x!.dims, at, line => {
    const values = Array.from(line, place => x!.data[place]!)
    const top = values.reduce((a, b) => Math.max(a, b), -Infinity)
    found.push(select_last_index === 1 ? values.lastIndexOf(top) : values.indexOf(top))
  })
  return [dense('int64', keepdims === 0 ? x!.dims.toSpliced(at, 1) : x!.dims.with(at, 1), i => found[i]!)]
}

const total = (line: Float64Array): number => line.reduce((a, b) => a + b, 0)

/** Over all axes from `axis` on: the result, the mean and the reciprocal standard deviation. */
function layerNormalization(x: Dense, scale: Dense, bias: Dense | undefined, axis: number, epsilon: number): Dense[] {
  const width = sizeOf(x.dims.slice(axis))
  const statistics = x.dims.map((d, i) => (i < axis ? d : 1))
  const row = (r: number): Float64Array => Float64Array.from(x.data.subarray(r * width, (r + 1) * width))
  const mean = dense('float32', statistics, r => total(row(r)) / width)
  const inverse = dense(
    'float32',
    statistics,
    r => 1 / Math.sqrt(total(row(r).map(v => (v - mean.data[r]!) ** 2)) / width + epsilon),
  )
  const s = stretch(scale, x.dims)
  const b = bias && stretch(bias, x.dims)
  const y = dense(x.dtype, x.dims, i => {
    const r = Math.floor(i / width)
    return (x.data[i]! - mean.data[r]!) * inverse.data[r]! * s.data[i]! + (b?.data[i] ?? 0)
  })
  return [y, mean, inverse]
}

/** Kernels of operators along axes: softmax, normalization and reductions. */
export const alongAxes = {
  Softmax: along(line => logSoftmax(line).map(Math.exp)),
  LogSoftmax: along(logSoftmax),
  LayerNormalization: ({ inputs: [x, scale, bias], attributes: { axis = -1, epsilon = 1e-5 }, outputs }) =>
    layerNormalization(x!, scale!, bias, front(axis, x!.dims.length), epsilon).slice(0, outputs),
  SkipLayerNormalization: ({ inputs: [x, skip, scale, beta, bias], attributes: { epsilon = 1e-12 }, outputs }) => {
    const s = stretch(skip!, x!.dims)
    const b = bias && stretch(bias, x!.dims)
    const sum = dense(x!.dtype, x!.dims, i => x!.data[i]! + s.data[i]! + (b?.data[i] ?? 0))
    return [...layerNormalization(sum, scale!, beta, x!.dims.length - 1, epsilon), sum].slice(0, outputs)
  },
  CumSum: ({ inputs: [x, axis], attributes: { exclusive, reverse } }) =>
    along(line => running(line, exclusive === 1, reverse === 1))({
      inputs: [x!],
      attributes: { axis: axis!.data[0]! },
      outputs: 1,
    }),
  ArgMax: argMax,
  TopK: topK,
  ReduceSum: reduce(total),
  ReduceMean: reduce(line => total(line) / line.length),
  ReduceMax: reduce(line => line.reduce((a, b) => Math.max(a, b), -Infinity)),
  ReduceSumSquare: reduce(line => total(line.map(x => x * x))),
} satisfies Kernels
