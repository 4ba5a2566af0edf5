import type { Attributes, OpName } from '../../src/onnx/operators'
import { createData, type DataType, sizeOf } from '../../src/tensor'

/** An array in row-major order; floating-point and 64-bit values are held as float64. */
export interface Dense {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly data: Exclude<ReturnType<typeof createData>, BigInt64Array | BigUint64Array>
}

export type Kernel<Op extends OpName> = (site: {
  readonly inputs: readonly Dense[]
  readonly attributes: Readonly<Attributes[Op]>
  /** How many outputs the node has. */
  readonly outputs: number
}) => readonly Dense[]

const small: ReadonlySet<DataType> = new Set<DataType>(['int32', 'int16', 'int8', 'uint32', 'uint16', 'uint8', 'bool'])
const integral: ReadonlySet<DataType> = new Set<DataType>([...small, 'int64', 'uint64'])

/** An array of the given type and shape, element by element; small integer types wrap. */
export function dense(dtype: DataType, dims: readonly number[], element: (i: number) => number = () => 0): Dense {
  const data = createData(small.has(dtype) ? dtype : 'float64', sizeOf(dims)) as Dense['data']
  for (let i = 0; i < data.length; i++) data[i] = element(i)
  return { dtype, dims, data }
}

// ── walking ──

/** For every index into `dims`, in row-major order, where it falls: start + Σ index · stride. */
function places(dims: readonly number[], strides: readonly number[], start = 0): Int32Array {
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

function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, i) => sizeOf(dims.slice(i + 1)))
}

function pick(x: Dense, dims: readonly number[], strides: readonly number[], start = 0): Dense {
  const from = places(dims, strides, start)
  return dense(x.dtype, dims, i => x.data[from[i]!]!)
}

function stretch(x: Dense, dims: readonly number[]): Dense {
  const missing = dims.length - x.dims.length
  const own = stridesOf(x.dims)
  dims.forEach((d, i) => {
    if (i < missing || x.dims[i - missing] === 1 || x.dims[i - missing] === d) return
    throw new RangeError(`[${x.dims.join()}] does not stretch to [${dims.join()}]`)
  })
  return pick(
    x,
    dims,
    dims.map((_, i) => (i < missing || x.dims[i - missing] === 1 ? 0 : own[i - missing]!)),
  )
}

function common(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(shape => shape.length))
  return Array.from({ length: rank }, (_, i) =>
    shapes.map(shape => shape[i - rank + shape.length] ?? 1).reduce((a, b) => (a === 1 ? b : a)),
  )
}

function front(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** Calls `each` with the places of one line along the axis, for every line. */
function lines(dims: readonly number[], axis: number, each: (line: Int32Array, at: number) => void): void {
  const strides = stridesOf(dims)
  const starts = places(
    dims.filter((_, i) => i !== axis),
    strides.filter((_, i) => i !== axis),
  )
  starts.forEach((start, at) => each(places([dims[axis]!], [strides[axis]!], start), at))
}

// ── operators ──

const unary =
  (f: (x: number) => number): Kernel<OpName> =>
  ({ inputs: [x] }) => [dense(x!.dtype, x!.dims, i => f(x!.data[i]!))]

const binary =
  (f: (a: number, b: number, dtype: DataType) => number, dtype?: DataType): Kernel<OpName> =>
  ({ inputs: [a, b] }) => {
    const dims = common(a!.dims, b!.dims)
    const [x, y] = [stretch(a!, dims), stretch(b!, dims)]
    return [dense(dtype ?? a!.dtype, dims, i => f(x.data[i]!, y.data[i]!, a!.dtype))]
  }

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
    const [kept, gone] = [all.filter(i => !axes.includes(i)), axes]
    const starts = places(
      kept.map(i => x!.dims[i]!),
      kept.map(i => strides[i]!),
    )
    const dims =
      attributes.keepdims === 0 ? kept.map(i => x!.dims[i]!) : x!.dims.map((d, i) => (axes.includes(i) ? 1 : d))
    const [lengths, steps] = [gone.map(a => x!.dims[a]!), gone.map(a => strides[a]!)]
    return [
      dense(x!.dtype, dims, i => f(Float64Array.from(places(lengths, steps, starts[i]), place => x!.data[place]!))),
    ]
  }

const total = (line: Float64Array): number => line.reduce((a, b) => a + b, 0)

function matMul(a: Dense, b: Dense): Dense {
  const [m, k, n] = [a.dims.at(-2)!, a.dims.at(-1)!, b.dims.at(-1)!]
  const batch = common(a.dims.slice(0, -2), b.dims.slice(0, -2))
  const [x, y] = [stretch(a, [...batch, m, k]), stretch(b, [...batch, k, n])]
  return dense(a.dtype, [...batch, m, n], i => {
    const [column, row] = [i % n, Math.floor(i / n)]
    const from = Math.floor(row / m) * k * n + column
    let sum = 0
    for (let j = 0; j < k; j++) sum += x.data[row * k + j]! * y.data[from + j * n]!
    return sum
  })
}

function transpose(x: Dense, perm: readonly number[]): Dense {
  const strides = stridesOf(x.dims)
  return pick(
    x,
    perm.map(i => x.dims[i]!),
    perm.map(i => strides[i]!),
  )
}

/** Over all axes from `axis` on: the result, the mean and the reciprocal standard deviation. */
function layerNormalization(x: Dense, scale: Dense, bias: Dense | undefined, axis: number, epsilon: number): Dense[] {
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
  const [s, b] = [stretch(scale, x.dims), bias && stretch(bias, x.dims)]
  const y = dense(x.dtype, x.dims, i => {
    const r = Math.floor(i / width)
    return (x.data[i]! - mean.data[r]!) * inverse.data[r]! * s.data[i]! + (b?.data[i] ?? 0)
  })
  return [y, mean, inverse]
}

const combine = {
  none: (_: number, b: number) => b,
  add: (a: number, b: number) => a + b,
  mul: (a: number, b: number) => a * b,
  max: Math.max,
  min: Math.min,
}

function slice({ inputs: [x, starts, ends, axes, steps] }: Parameters<Kernel<'Slice'>>[0]): Dense[] {
  const strides = stridesOf(x!.dims)
  const dims = [...x!.dims]
  const by = [...strides]
  let from = 0
  starts!.data.forEach((start, k) => {
    const axis = front(axes?.data[k] ?? k, dims.length)
    const [step, d] = [steps?.data[k] ?? 1, x!.dims[axis]!]
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
  const [strides, own] = [stridesOf(dims), stridesOf(x!.dims)]
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

function gather(x: Dense, index: Dense, axis: number): Dense {
  const [before, after] = [x.dims.slice(0, axis), x.dims.slice(axis + 1)]
  const [length, inner, picked] = [x.dims[axis]!, sizeOf(after), index.data.length]
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

function reshape(x: Dense, target: Dense, allowzero: number | undefined): Dense {
  const wanted = Array.from(target.data, (d, i) => (d === 0 && allowzero !== 1 ? x.dims[i]! : d))
  const rest = x.data.length / sizeOf(wanted.filter(d => d !== -1))
  const dims = wanted.map(d => (d === -1 ? rest : d))
  if (sizeOf(dims) !== x.data.length) throw new RangeError(`[${x.dims.join()}] cannot be reshaped to [${dims.join()}]`)
  return { ...x, dims }
}

/**
 * erf(x) = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!: all terms have one sign, so nothing cancels (Abramowitz and Stegun
 * 7.1.6).
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x)
  let [term, sum] = [x, x]
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1)
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** The kernels: one for every operator of the table. */
export const kernels: { readonly [Op in OpName]: Kernel<Op> } = {
  Neg: unary(x => -x),
  Abs: unary(Math.abs),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Erf: unary(erf),
  Tanh: unary(Math.tanh),
  Sigmoid: unary(x => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)))),
  Relu: unary(x => Math.max(x, 0)),
  Reciprocal: unary(x => 1 / x),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Floor: unary(Math.floor),
  Sign: unary(Math.sign),
  Not: unary(x => (x === 0 ? 1 : 0)),
  Identity: unary(x => x),
  Gelu: unary(x => (x / 2) * (1 + erf(x / Math.SQRT2))),
  Cast: ({ inputs: [x], attributes: { to } }) => [
    dense(to, x!.dims, i =>
      to === 'bool' ? Number(x!.data[i] !== 0) : integral.has(to) ? Math.trunc(x!.data[i]!) : x!.data[i]!,
    ),
  ],
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Pow: binary((a, b) => a ** b),
  Min: binary((a, b) => Math.min(a, b)),
  Max: binary((a, b) => Math.max(a, b)),
  Mul: binary((a, b, dtype) => (dtype === 'int32' || dtype === 'uint32' ? Math.imul(a, b) : a * b)),
  Div: binary((a, b, dtype) => (integral.has(dtype) ? Math.trunc(a / b) : a / b)),
  Equal: binary((a, b) => Number(a === b), 'bool'),
  Greater: binary((a, b) => Number(a > b), 'bool'),
  Less: binary((a, b) => Number(a < b), 'bool'),
  GreaterOrEqual: binary((a, b) => Number(a >= b), 'bool'),
  LessOrEqual: binary((a, b) => Number(a <= b), 'bool'),
  And: binary((a, b) => a & b),
  Or: binary((a, b) => a | b),
  Where: ({ inputs: [c, a, b] }) => {
    const dims = common(c!.dims, a!.dims, b!.dims)
    const [condition, x, y] = [stretch(c!, dims), stretch(a!, dims), stretch(b!, dims)]
    return [dense(a!.dtype, dims, i => (condition.data[i] ? x : y).data[i]!)]
  },
  MatMul: ({ inputs: [a, b] }) => [matMul(a!, b!)],
  Gemm: ({ inputs: [a, b, c], attributes: { alpha = 1, beta = 1, transA, transB } }) => {
    const product = matMul(transA ? transpose(a!, [1, 0]) : a!, transB ? transpose(b!, [1, 0]) : b!)
    const added = c && stretch(c, product.dims)
    return [
      dense(
        product.dtype,
        product.dims,
        i => alpha * product.data[i]! + (added === undefined ? 0 : beta * added.data[i]!),
      ),
    ]
  },
  Softmax: along(line => logSoftmax(line).map(Math.exp)),
  LogSoftmax: along(logSoftmax),
  LayerNormalization: ({ inputs: [x, scale, bias], attributes: { axis = -1, epsilon = 1e-5 }, outputs }) =>
    layerNormalization(x!, scale!, bias, front(axis, x!.dims.length), epsilon).slice(0, outputs),
  SkipLayerNormalization: ({ inputs: [x, skip, scale, beta, bias], attributes: { epsilon = 1e-12 }, outputs }) => {
    const [s, b] = [stretch(skip!, x!.dims), bias && stretch(bias, x!.dims)]
    const sum = dense(x!.dtype, x!.dims, i => x!.data[i]! + s.data[i]! + (b?.data[i] ?? 0))
    return [...layerNormalization(sum, scale!, beta, x!.dims.length - 1, epsilon), sum].slice(0, outputs)
  },
  ReduceSum: reduce(total),
  ReduceMean: reduce(line => total(line) / line.length),
  ReduceMax: reduce(line => line.reduce((a, b) => Math.max(a, b), -Infinity)),
  ReduceSumSquare: reduce(line => total(line.map(x => x * x))),
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
}
