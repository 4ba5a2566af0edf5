import type { DataType } from '../tensor'

type None = Record<never, never>
interface Axis {
  readonly axis?: number
}
interface Reduction {
  readonly keepdims?: number
  readonly noop_with_empty_axes?: number
}
/** The attributes of an operator with windows. */
export interface WindowAttributes {
  readonly strides?: readonly number[]
  readonly dilations?: readonly number[]
  /** Before each axis, then after each. */
  readonly pads?: readonly number[]
}
interface Grouped {
  readonly group?: number
}
interface Kernel {
  readonly kernel_shape: readonly number[]
}
interface Scatter {
  readonly reduction?: 'none' | 'add' | 'mul' | 'max' | 'min'
}

/** The attributes of every operator that a graph may use, by ONNX's names; one row per operator. */
export interface Attributes {
  Neg: None
  Abs: None
  Sqrt: None
  Exp: None
  Log: None
  Erf: None
  Tanh: None
  Sigmoid: None
  Relu: None
  Reciprocal: None
  Sin: None
  Cos: None
  Tan: None
  Atan: None
  Asin: None
  Acos: None
  Sinh: None
  Cosh: None
  Asinh: None
  Acosh: None
  Atanh: None
  Floor: None
  Round: None
  Sign: None
  Not: None
  Identity: None
  Gelu: None
  Cast: { readonly to: DataType }
  Add: None
  Sub: None
  Mul: None
  Div: None
  Pow: None
  Mod: { readonly fmod?: number }
  Min: None
  Max: None
  Equal: None
  Greater: None
  Less: None
  GreaterOrEqual: None
  LessOrEqual: None
  And: None
  Or: None
  Where: None
  MatMul: None
  Gemm: { readonly alpha?: number; readonly beta?: number; readonly transA?: number; readonly transB?: number }
  Softmax: Axis
  LogSoftmax: Axis
  LayerNormalization: { readonly axis?: number; readonly epsilon?: number }
  SkipLayerNormalization: { readonly epsilon?: number }
  ReduceSum: Reduction
  ReduceMean: Reduction
  ReduceMax: Reduction
  ReduceSumSquare: Reduction
  CumSum: { readonly exclusive?: number; readonly reverse?: number }
  ArgMax: Axis & { readonly keepdims?: number; readonly select_last_index?: number }
  TopK: Axis & { readonly largest?: number; readonly sorted?: number }
  Gather: Axis
  GatherElements: Axis
  ScatterND: Scatter
  ScatterElements: Scatter & Axis
  Reshape: { readonly allowzero?: number }
  Transpose: { readonly perm?: readonly number[] }
  Expand: None
  Concat: { readonly axis: number }
  Split: Axis & { readonly num_outputs?: number }
  Slice: None
  Squeeze: None
  Unsqueeze: None
  Pad: { readonly mode?: 'constant' | 'reflect' | 'edge' }
  Shape: { readonly start?: number; readonly end?: number }
  Range: None
  Conv: WindowAttributes & Grouped
  ConvTranspose: WindowAttributes & Grouped & { readonly output_padding?: readonly number[] }
  MaxPool: WindowAttributes & Kernel & { readonly ceil_mode?: number }
  AveragePool: Omit<WindowAttributes, 'dilations'> & Kernel & { readonly count_include_pad?: number }
}

export type OpName = keyof Attributes

/** How an attribute is written in a file. */
export type AttributeKind = 'int' | 'ints' | 'float' | 'string' | 'dtype'

/** What is known of an operator without running it. */
export interface Operator {
  /** '' for ONNX's own operators. */
  readonly domain: '' | 'com.microsoft'
  /** Fewest and most inputs. */
  readonly inputs: readonly [number, number]
  /** Fewest and most outputs. */
  readonly outputs: readonly [number, number]
  readonly attributes: Readonly<Record<string, AttributeKind>>
}

/** The opset versions that {@link operators} refers to: the newest that every provider's kernels cover. */
export const opsets = { '': 18, 'com.microsoft': 1 } as const

const row = (
  inputs: readonly [number, number],
  attributes: Operator['attributes'] = {},
  outputs: readonly [number, number] = [1, 1],
): Operator => ({ domain: '', inputs, outputs, attributes })
const unary = row([1, 1])
const binary = row([2, 2])
const axis = { axis: 'int' } as const
const reduction = { keepdims: 'int', noop_with_empty_axes: 'int' } as const
const windows = { strides: 'ints', pads: 'ints' } as const
const convolution = { ...windows, dilations: 'ints', group: 'int' } as const
const pooling = { ...windows, kernel_shape: 'ints' } as const

/** The operator table. */
export const operators: { readonly [Op in OpName]: Operator } = {
  Neg: unary,
  Abs: unary,
  Sqrt: unary,
  Exp: unary,
  Log: unary,
  Erf: unary,
  Tanh: unary,
  Sigmoid: unary,
  Relu: unary,
  Reciprocal: unary,
  Sin: unary,
  Cos: unary,
  Tan: unary,
  Atan: unary,
  Asin: unary,
  Acos: unary,
  Sinh: unary,
  Cosh: unary,
  Asinh: unary,
  Acosh: unary,
  Atanh: unary,
  Floor: unary,
  Round: unary,
  Sign: unary,
  Not: unary,
  Identity: unary,
  Gelu: { ...unary, domain: 'com.microsoft' }, // x Φ(x) in one pass; ONNX's own was added only in opset 20
  Cast: row([1, 1], { to: 'dtype' }),
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Pow: binary,
  Mod: row([2, 2], { fmod: 'int' }),
  Min: binary,
  Max: binary,
  Equal: binary,
  Greater: binary,
  Less: binary,
  GreaterOrEqual: binary,
  LessOrEqual: binary,
  And: binary,
  Or: binary,
  Where: row([3, 3]),
  MatMul: binary,
  Gemm: row([2, 3], { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' }),
  Softmax: row([1, 1], axis),
  LogSoftmax: row([1, 1], axis),
  LayerNormalization: row([2, 3], { axis: 'int', epsilon: 'float' }, [1, 3]),
  SkipLayerNormalization: { ...row([3, 5], { epsilon: 'float' }, [1, 4]), domain: 'com.microsoft' },
  ReduceSum: row([1, 2], reduction),
  ReduceMean: row([1, 2], reduction),
  ReduceMax: row([1, 2], reduction),
  ReduceSumSquare: row([1, 2], reduction),
  CumSum: row([2, 2], { exclusive: 'int', reverse: 'int' }),
  ArgMax: row([1, 1], { axis: 'int', keepdims: 'int', select_last_index: 'int' }),
  TopK: row([2, 2], { axis: 'int', largest: 'int', sorted: 'int' }, [2, 2]),
  Gather: row([2, 2], axis),
  GatherElements: row([2, 2], axis),
  ScatterND: row([3, 3], { reduction: 'string' }),
  ScatterElements: row([3, 3], { axis: 'int', reduction: 'string' }),
  Reshape: row([2, 2], { allowzero: 'int' }),
  Transpose: row([1, 1], { perm: 'ints' }),
  Expand: binary,
  Concat: row([1, Infinity], axis),
  Split: row([1, 2], { axis: 'int', num_outputs: 'int' }, [1, Infinity]),
  Slice: row([3, 5]),
  Squeeze: row([1, 2]),
  Unsqueeze: binary,
  Pad: row([2, 4], { mode: 'string' }),
  Shape: row([1, 1], { start: 'int', end: 'int' }),
  Range: row([3, 3]),
  Conv: row([2, 3], convolution), // the lengths of its kernel are those of the weight
  ConvTranspose: row([2, 3], { ...convolution, output_padding: 'ints' }),
  MaxPool: row([1, 1], { ...pooling, dilations: 'ints', ceil_mode: 'int' }, [1, 2]),
  AveragePool: row([1, 1], { ...pooling, count_include_pad: 'int' }),
}
