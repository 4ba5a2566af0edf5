import type { OpName } from '../../src/onnx/operators'
import {
  unary,
  binary,
  along,
  logSoftmax,
  reduce,
  total,
  matMul,
  transpose,
  layerNormalization,
  erf,
} from './referenceKernels/arithmetic'
import { type Kernel, integral, dense, stretch, common, front } from './referenceKernels/dense'
import {
  slice,
  pad,
  split,
  concat,
  gather,
  elementPlaces,
  scatter,
  scatterPlaces,
  reshape,
} from './referenceKernels/movement'

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
    const condition = stretch(c!, dims)
    const x = stretch(a!, dims)
    const y = stretch(b!, dims)
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
    const s = stretch(skip!, x!.dims)
    const b = bias && stretch(bias, x!.dims)
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
