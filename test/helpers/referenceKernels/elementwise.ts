import type { OpName } from '../../../src/onnx/operators'
import type { DataType } from '../../../src/tensor'
import { common, dense, integral, stretch } from './dense'
import type { Kernel, Kernels } from './Kernel'

const unary =
  (f: (x: number) => number): Kernel<OpName> =>
  ({ inputs: [x] }) => [dense(x!.dtype, x!.dims, i => f(x!.data[i]!))]

const binary =
  (f: (a: number, b: number, dtype: DataType) => number, dtype?: DataType): Kernel<OpName> =>
  ({ inputs: [a, b] }) => {
    const dims = common(a!.dims, b!.dims)
    const x = stretch(a!, dims)
    const y = stretch(b!, dims)
    return [dense(dtype ?? a!.dtype, dims, i => f(x.data[i]!, y.data[i]!, a!.dtype))]
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

/** Kernels of operators that are computed element by element. */
export const elementwise = {
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
  Tan: unary(Math.tan),
  Atan: unary(Math.atan),
  Asin: unary(Math.asin),
  Acos: unary(Math.acos),
  Sinh: unary(Math.sinh),
  Cosh: unary(Math.cosh),
  Asinh: unary(Math.asinh),
  Acosh: unary(Math.acosh),
  Atanh: unary(Math.atanh),
  Floor: unary(Math.floor),
  Round: unary(x => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))), // halves to even numbers
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
  Mod: ({ inputs: [a, b], attributes: { fmod = 0 } }) =>
    binary((x, y) => (fmod === 1 ? x % y : x - y * Math.floor(x / y)))({
      inputs: [a!, b!],
      attributes: {},
      outputs: 1,
    }),
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
} satisfies Kernels
