import { TrainerError } from '../errors'
import type { DataType, Tensor } from '../tensor'
import { type Attributes, operators, type OpName, type WindowAttributes } from './operators'
import {
  agree,
  agreeAll,
  broadcast,
  describe,
  distinct,
  mostAxes,
  positive,
  reshaped,
  slicedLength,
  stretches,
  toEnd,
} from './shapes'
import type { Dimension, Value, ValueType } from './types'
import { coveredLength, windowCounts, windowsOf } from './windows'

/** What a shape rule is given. */
interface Site<Op extends OpName> {
  readonly inputs: readonly Value[]
  readonly attributes: Readonly<Attributes[Op]>
  /** How many outputs were asked for. */
  readonly outputs: number
  /** The constant that an input is, if it is one. */
  readonly constant: (value: Value | undefined) => Tensor | undefined
  /** A name for a length that cannot be known. */
  readonly unknown: () => Dimension
  /** See `Graph.openLengths`. */
  readonly openLengths?: boolean | undefined
}

type Rule<Op extends OpName> = (site: Site<Op>) => readonly ValueType[]

/**
 * The element types and shapes of a node's outputs.
 * @throws TrainerError naming the operator and the inputs when they do not fit each other.
 */
export function infer<Op extends OpName>(op: Op, site: Site<Op>): readonly ValueType[] {
  try {
    checkArity(op, site.inputs, site.outputs)
    return (rules[op] as Rule<Op>)(site)
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error
    const given = site.inputs.map(input => (input === undefined ? '-' : `${input.name}: ${describe(input)}`)).join(', ')
    throw new TrainerError('graph', `${op}(${given}): ${error.message}`, { cause: error })
  }
}

/** @throws TrainerError when an operator does not have so many inputs or outputs, or a required one is missing. */
export function checkArity(op: OpName, inputs: readonly (Value | undefined)[], outputs: number): void {
  const {
    inputs: [fewest, most],
    outputs: [fewestOut, mostOut],
  } = operators[op]
  const range = (from: number, to: number, noun: string): string => {
    const numbers = to === from ? `${from}` : to === Infinity ? `${from} or more` : `${from} to ${to}`
    return `${numbers} ${noun}${to === 1 ? '' : 's'}`
  }
  if (inputs.length < fewest || inputs.length > most) {
    throw new TrainerError('graph', `${op} takes ${range(fewest, most, 'input')}, not ${inputs.length}.`)
  }
  const missing = inputs.slice(0, most === Infinity ? inputs.length : fewest).indexOf(undefined)
  if (missing >= 0) throw new TrainerError('graph', `${op} needs input ${missing}, which is missing.`)
  if (outputs < fewestOut || outputs > mostOut)
    throw new TrainerError('graph', `${op} has ${range(fewestOut, mostOut, 'output')}, not ${outputs}.`)
}

/** The axes that a reduction reduces, from the front: its constant second input, or all. */
export function reducedAxes(
  inputs: readonly (Value | undefined)[],
  constant: Site<OpName>['constant'],
  noop = false,
): readonly number[] {
  const rank = inputs[0]!.shape.length
  const listed = inputs[1] === undefined ? [] : distinct(integersOf(inputs[1], constant), rank)
  return listed.length > 0 || noop ? listed : inputs[0]!.shape.map((_, i) => i)
}

const floats: readonly DataType[] = ['float32', 'float16', 'bfloat16', 'float64']
const indices: readonly DataType[] = ['int32', 'int64']

/** Whether a type is floating-point, and so can carry a gradient. */
export function isFloat(dtype: DataType): boolean {
  return floats.includes(dtype)
}

const same: Rule<OpName> = ({ inputs: [x] }) => [x!]
const number: Rule<OpName> = ({ inputs: [x] }) => [{ dtype: numeric(x!), shape: x!.shape }]
const float: Rule<OpName> = ({ inputs: [x] }) => [{ dtype: among(x!, floats), shape: x!.shape }]
const arithmetic: Rule<OpName> = site => {
  const [a, b] = site.inputs
  return [{ dtype: numeric(a!) && sameType(a!, b!), shape: stretched(site, a!.shape, b!.shape) }]
}
const comparison: Rule<OpName> = site => {
  const [a, b] = site.inputs
  return [{ dtype: sameType(a!, b!) && 'bool', shape: stretched(site, a!.shape, b!.shape) }]
}
const logical: Rule<OpName> = site => {
  const [a, b] = site.inputs
  return [{ dtype: among(a!, ['bool']) && among(b!, ['bool']), shape: stretched(site, a!.shape, b!.shape) }]
}
const softmax: Rule<'Softmax'> = ({ inputs: [x], attributes }) => {
  positive(attributes.axis ?? -1, x!.shape.length)
  return [{ dtype: among(x!, floats), shape: x!.shape }]
}

const reduce: Rule<'ReduceSum'> = ({ inputs, attributes, constant }) => {
  const axes = reducedAxes(inputs, constant, attributes.noop_with_empty_axes === 1)
  const shape = inputs[0]!.shape
  const kept =
    attributes.keepdims === 0
      ? shape.filter((_, i) => !axes.includes(i))
      : shape.map((d, i) => (axes.includes(i) ? 1 : d))
  return [{ dtype: numeric(inputs[0]!), shape: kept }]
}

/** The result, and a mean and a reciprocal standard deviation for every row. */
const layerNormalization = (
  x: Value,
  parameters: readonly (Value | undefined)[],
  axis: number,
): readonly ValueType[] => {
  among(x, floats)
  for (const parameter of parameters) {
    if (parameter === undefined) continue
    sameType(x, parameter)
    stretches(parameter.shape, x.shape.slice(axis))
  }
  const statistics: ValueType = { dtype: 'float32', shape: x.shape.map((d, i) => (i < axis ? d : 1)) }
  return [x, statistics, statistics]
}

const where: Rule<'Where'> = site => {
  const [condition, a, b] = site.inputs
  const shape = stretched(site, condition!.shape, stretched(site, a!.shape, b!.shape))
  return [{ dtype: among(condition!, ['bool']) && sameType(a!, b!), shape }]
}

const matMul: Rule<'MatMul'> = site => {
  const [a, b] = site.inputs
  const x = a!.shape
  const y = b!.shape
  if (x.length < 2 || y.length < 2) throw new TrainerError('graph', 'both operands need at least two axes.')
  agree(x.at(-1)!, y.at(-2)!)
  const leading = stretched(site, x.slice(0, -2), y.slice(0, -2))
  return [{ dtype: numeric(a!) && sameType(a!, b!), shape: [...leading, x.at(-2)!, y.at(-1)!] }]
}

const gemm: Rule<'Gemm'> = ({ inputs: [a, b, c], attributes: { transA, transB } }) => {
  if (a!.shape.length !== 2 || b!.shape.length !== 2)
    throw new TrainerError('graph', 'both factors need exactly two axes.')
  const [m, k] = transA ? [a!.shape[1]!, a!.shape[0]!] : [a!.shape[0]!, a!.shape[1]!]
  const [l, n] = transB ? [b!.shape[1]!, b!.shape[0]!] : [b!.shape[0]!, b!.shape[1]!]
  agree(k, l)
  if (c !== undefined) sameType(a!, c)
  if (c !== undefined) stretches(c.shape, [m, n])
  return [{ dtype: numeric(a!) && sameType(a!, b!), shape: [m, n] }]
}

const argMax: Rule<'ArgMax'> = ({ inputs: [x], attributes: { axis = 0, keepdims = 1 } }) => {
  const at = positive(axis, x!.shape.length)
  const shape = keepdims === 0 ? x!.shape.filter((_, i) => i !== at) : x!.shape.with(at, 1)
  return [{ dtype: numeric(x!) && 'int64', shape }]
}

const topK: Rule<'TopK'> = ({ inputs: [x, k], attributes: { axis = -1 }, outputs, constant, unknown }) => {
  const at = positive(axis, x!.shape.length)
  const wanted = knownIntegersOf(k, constant)
  const shape = x!.shape.with(at, wanted?.[0] ?? unknown())
  const types: readonly ValueType[] = [
    { dtype: numeric(x!), shape },
    { dtype: 'int64', shape },
  ]
  return types.slice(0, outputs)
}

const gather: Rule<'Gather'> = ({ inputs: [x, index], attributes }) => {
  among(index!, indices)
  const axis = positive(attributes.axis ?? 0, x!.shape.length)
  return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, axis), ...index!.shape, ...x!.shape.slice(axis + 1)] }]
}

const gatherElements: Rule<'GatherElements'> = ({ inputs: [x, index], attributes }) => {
  among(index!, indices)
  positive(attributes.axis ?? 0, x!.shape.length)
  if (index!.shape.length !== x!.shape.length) agreeAll(index!.shape, x!.shape)
  return [{ dtype: x!.dtype, shape: index!.shape }]
}

const scatterND: Rule<'ScatterND'> = ({ inputs: [data, index, updates], attributes }) => {
  oneOf('reduction', attributes.reduction, ['none', 'add', 'mul', 'max', 'min'])
  among(index!, ['int64'])
  sameType(data!, updates!)
  const depth = index!.shape.at(-1)
  if (typeof depth !== 'number' || depth > data!.shape.length) {
    throw new TrainerError(
      'graph',
      `the index's last length is ${depth ?? 'missing'}; it must be known, and at most the rank of the data.`,
    )
  }
  agreeAll(updates!.shape, [...index!.shape.slice(0, -1), ...data!.shape.slice(depth)])
  return [data!]
}

const scatterElements: Rule<'ScatterElements'> = ({ inputs: [data, index, updates], attributes }) => {
  oneOf('reduction', attributes.reduction, ['none', 'add', 'mul', 'max', 'min'])
  among(index!, indices)
  sameType(data!, updates!)
  positive(attributes.axis ?? 0, data!.shape.length)
  agreeAll(updates!.shape, index!.shape)
  if (index!.shape.length !== data!.shape.length) agreeAll(index!.shape, data!.shape)
  return [data!]
}

const reshape: Rule<'Reshape'> = ({ inputs: [x, target], attributes, constant, unknown }) => {
  among(target!, ['int64'])
  const wanted = knownIntegersOf(target, constant)
  if (wanted === undefined) return [{ dtype: x!.dtype, shape: Array.from({ length: rankFrom(target!) }, unknown) }]
  return [{ dtype: x!.dtype, shape: reshaped(x!.shape, wanted, attributes.allowzero === 1, unknown) }]
}

const expand: Rule<'Expand'> = ({ inputs: [x, target], constant, unknown }) => {
  among(target!, ['int64'])
  const wanted = knownIntegersOf(target, constant)
  if (wanted !== undefined) return [{ dtype: x!.dtype, shape: broadcast(x!.shape, wanted) }]
  return [{ dtype: x!.dtype, shape: Array.from({ length: Math.max(rankFrom(target!), x!.shape.length) }, unknown) }]
}

const transpose: Rule<'Transpose'> = ({ inputs: [x], attributes: { perm } }) => {
  const { shape, dtype } = x!
  const order = perm ?? shape.map((_, i) => shape.length - 1 - i)
  if (order.length !== shape.length || new Set(order).size < order.length || order.some(i => shape[i] === undefined)) {
    throw new TrainerError('graph', `perm [${order.join(', ')}] is not a permutation of ${shape.length} axes.`)
  }
  return [{ dtype, shape: order.map(i => shape[i]!) }]
}

const concat: Rule<'Concat'> = ({ inputs, attributes, unknown }) => {
  const first = inputs[0]!
  const axis = positive(attributes.axis, first.shape.length)
  for (const input of inputs) {
    sameType(first, input)
    agreeAll(input.shape.toSpliced(axis, 1), first.shape.toSpliced(axis, 1))
  }
  const lengths = inputs.map(input => input.shape[axis]!)
  const numbers = lengths.filter((d): d is number => typeof d === 'number')
  const total =
    numbers.length === lengths.length ? numbers.reduce((a, b) => a + b) : lengths.length === 1 ? lengths[0]! : unknown()
  const known = (i: number): number | undefined => inputs.map(({ shape }) => shape[i]!).find(d => typeof d === 'number')
  return [{ dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? total : (known(i) ?? d))) }]
}

const split: Rule<'Split'> = ({ inputs: [x, sizes], attributes, outputs, constant, unknown }) => {
  const axis = positive(attributes.axis ?? 0, x!.shape.length)
  const whole = x!.shape[axis]!
  const given = knownIntegersOf(sizes, constant)
  const parts = sizes === undefined ? attributes.num_outputs : lengthFrom(sizes)
  if (parts !== outputs)
    throw new TrainerError(
      'graph',
      `it is split into ${parts ?? 'an unstated number of'} parts, but has ${outputs} outputs.`,
    )
  if (given !== undefined)
    agree(
      given.reduce((a, b) => a + b, 0),
      whole,
    )
  const part = (i: number): Dimension => {
    if (given !== undefined) return given[i]!
    if (typeof whole === 'string' || sizes !== undefined) return unknown()
    const chunk = Math.ceil(whole / outputs)
    return Math.max(0, Math.min(chunk, whole - i * chunk))
  }
  return Array.from({ length: outputs }, (_, i) => ({ dtype: x!.dtype, shape: x!.shape.with(axis, part(i)) }))
}

const slice: Rule<'Slice'> = ({ inputs: [x, starts, ends, axes, steps], constant, unknown }) => {
  const rank = x!.shape.length
  const at = distinct(
    axes === undefined ? Array.from({ length: rankFrom(starts!) }, (_, i) => i) : integersOf(axes, constant),
    rank,
  )
  const by = steps === undefined ? at.map(() => 1) : integersOf(steps, constant)
  const from = knownIntegersOf(starts, constant)
  const to = knownIntegersOf(ends, constant)
  if ([from ?? at, to ?? at, by].some(list => list.length !== at.length)) {
    throw new TrainerError('graph', 'starts, ends, axes and steps need the same number of entries.')
  }
  if (by.includes(0)) throw new TrainerError('graph', 'a step is 0.')
  const sliced = (d: Dimension, i: number): Dimension => {
    const k = at.indexOf(i)
    if (k < 0) return d
    if (from === undefined || to === undefined) return unknown()
    if (typeof d === 'number') return slicedLength(d, from[k]!, to[k]!, by[k]!)
    return from[k] === 0 && to[k]! >= toEnd && by[k] === 1 ? d : unknown()
  }
  return [{ dtype: x!.dtype, shape: x!.shape.map(sliced) }]
}

const squeeze: Rule<'Squeeze'> = ({ inputs: [x, axes], constant, openLengths }) => {
  const { shape, dtype } = x!
  const open = axes === undefined && openLengths ? shape.find(d => typeof d === 'string') : undefined
  if (open !== undefined)
    throw new TrainerError('graph', `it names no axes, and it is not known whether the length "${open}" is 1.`)
  const gone =
    axes === undefined
      ? shape.flatMap((d, i) => (d === 1 ? [i] : []))
      : distinct(integersOf(axes, constant), shape.length)
  for (const axis of gone)
    if (shape[axis] !== 1 && !(openLengths && typeof shape[axis] === 'string'))
      throw new TrainerError('graph', `axis ${axis} has length ${shape[axis]}, not 1.`)
  return [{ dtype, shape: shape.filter((_, i) => !gone.includes(i)) }]
}

const unsqueeze: Rule<'Unsqueeze'> = ({ inputs: [x, axes], constant }) => {
  const wanted = integersOf(axes!, constant)
  const rank = x!.shape.length + wanted.length
  const added = distinct(wanted, rank)
  let next = 0
  return [
    { dtype: x!.dtype, shape: Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : x!.shape[next++]!)) },
  ]
}

const range: Rule<'Range'> = ({ inputs: [start, limit, delta], constant, unknown }) => {
  const dtype = among(start!, ['float32', 'float64', ...indices])
  for (const other of [limit!, delta!]) sameType(start!, other)
  for (const bound of [start!, limit!, delta!]) agreeAll(bound.shape, [])
  const [from, to, by] = [start, limit, delta].map(bound => constant(bound)?.data[0])
  if (from === undefined || to === undefined || by === undefined) return [{ dtype, shape: [unknown()] }]
  if (Number(by) === 0) throw new TrainerError('graph', 'its step is 0.')
  return [{ dtype, shape: [Math.max(0, Math.ceil((Number(to) - Number(from)) / Number(by)))] }]
}

const pad: Rule<'Pad'> = ({ inputs: [x, pads, value, axes], attributes, constant, unknown }) => {
  oneOf('mode', attributes.mode, ['constant', 'reflect', 'edge'])
  if (value !== undefined) sameType(x!, value)
  const rank = x!.shape.length
  const at = axes === undefined ? x!.shape.map((_, i) => i) : distinct(integersOf(axes, constant), rank)
  const by = integersOf(pads!, constant)
  if (by.length !== 2 * at.length)
    throw new TrainerError('graph', `pads must have ${2 * at.length} entries, not ${by.length}.`)
  const padded = (d: Dimension, i: number): Dimension => {
    const k = at.indexOf(i)
    const [before, after] = k < 0 ? [0, 0] : [by[k]!, by[k + at.length]!]
    if (before === 0 && after === 0) return d
    return typeof d === 'number' ? d + before + after : unknown()
  }
  return [{ dtype: x!.dtype, shape: x!.shape.map(padded) }]
}

const conv: Rule<'Conv'> = ({ inputs: [x, w, b], attributes, unknown }) => {
  const { group = 1 } = attributes
  checkConvolution(x!, w!)
  const [[channels, ...lengths], [out, of, ...kernel]] = [x!.shape.slice(1), w!.shape] as [Dimension[], Dimension[]]
  if (typeof of === 'number') agree(channels!, of * group)
  if (typeof out === 'number' && out % group !== 0)
    throw new TrainerError('graph', `${out} channels cannot be divided among ${group} groups.`)
  checkBias(x!, b, out!)
  const made = windowCounts(lengths, windowsOf(kernel, attributes), unknown)
  return [{ dtype: x!.dtype, shape: [x!.shape[0]!, out!, ...made] }]
}

const convTranspose: Rule<'ConvTranspose'> = ({ inputs: [x, w, b], attributes, unknown }) => {
  const { group = 1, output_padding: extra } = attributes
  checkConvolution(x!, w!)
  const [[channels, ...lengths], [from, of, ...kernel]] = [x!.shape.slice(1), w!.shape] as [Dimension[], Dimension[]]
  agree(channels!, from!)
  const out = typeof of === 'number' ? of * group : group === 1 ? of! : unknown()
  checkBias(x!, b, out)
  const windows = windowsOf(kernel, attributes)
  if (extra !== undefined && (extra.length !== kernel.length || extra.some((n, i) => n < 0 || n >= windows[i]!.stride)))
    throw new TrainerError('graph', `output_padding [${extra.join(', ')}] must be smaller than the strides.`)
  const made = windows.map((window, i): Dimension => {
    const [count, { kernel: width }] = [lengths[i]!, window]
    return typeof count === 'number' && typeof width === 'number'
      ? coveredLength(count, { ...window, kernel: width }, extra?.[i] ?? 0)
      : unknown()
  })
  return [{ dtype: x!.dtype, shape: [x!.shape[0]!, out, ...made] }]
}

function checkConvolution(x: Value, w: Value): void {
  among(x, floats)
  sameType(x, w)
  if (x.shape.length < 3 || x.shape.length !== w.shape.length)
    throw new TrainerError('graph', `the ranks ${x.shape.length} and ${w.shape.length} should be the same, at least 3.`)
}

function checkBias(x: Value, bias: Value | undefined, channels: Dimension): void {
  if (bias === undefined) return
  sameType(x, bias)
  agreeAll(bias.shape, [channels])
}

const maxPool: Rule<'MaxPool'> = ({ inputs: [x], attributes, outputs, unknown }) => {
  const shape = pooled(x!, attributes.kernel_shape, attributes, unknown, attributes.ceil_mode === 1)
  return [{ dtype: x!.dtype, shape } as const, { dtype: 'int64', shape } as const].slice(0, outputs)
}

function pooled(
  x: Value,
  kernel: readonly number[],
  attributes: WindowAttributes,
  unknown: () => Dimension,
  ceil = false,
): readonly Dimension[] {
  among(x, floats)
  if (x.shape.length !== kernel.length + 2)
    throw new TrainerError('graph', `a window over ${kernel.length} axes does not fit the rank ${x.shape.length}.`)
  return [...x.shape.slice(0, 2), ...windowCounts(x.shape.slice(2), windowsOf(kernel, attributes), unknown, ceil)]
}

const rules: { readonly [Op in OpName]: Rule<Op> } = {
  Neg: number,
  Abs: number,
  Relu: number,
  Sign: number,
  Identity: same,
  Cast: ({ inputs: [x], attributes }) => [{ dtype: attributes.to, shape: x!.shape }],
  Sqrt: float,
  Exp: float,
  Log: float,
  Erf: float,
  Tanh: float,
  Sigmoid: float,
  Gelu: float,
  Reciprocal: float,
  Sin: float,
  Cos: float,
  Tan: float,
  Atan: float,
  Asin: float,
  Acos: float,
  Sinh: float,
  Cosh: float,
  Asinh: float,
  Acosh: float,
  Atanh: float,
  Floor: float,
  Round: float,
  Not: ({ inputs: [x] }) => [{ dtype: among(x!, ['bool']), shape: x!.shape }],
  Softmax: softmax,
  LogSoftmax: softmax,
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Pow: arithmetic,
  Mod: arithmetic,
  Min: arithmetic,
  Max: arithmetic,
  And: logical,
  Or: logical,
  Equal: comparison,
  Greater: comparison,
  Less: comparison,
  GreaterOrEqual: comparison,
  LessOrEqual: comparison,
  Where: where,
  MatMul: matMul,
  Gemm: gemm,
  LayerNormalization: ({ inputs: [x, ...parameters], attributes, outputs }) =>
    layerNormalization(x!, parameters, positive(attributes.axis ?? -1, x!.shape.length)).slice(0, outputs),
  SkipLayerNormalization: ({ inputs: [x, skip, ...parameters], outputs }) => {
    sameType(x!, skip!)
    stretches(skip!.shape, x!.shape)
    return [...layerNormalization(x!, parameters, x!.shape.length - 1), x!].slice(0, outputs)
  },
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ReduceSumSquare: reduce,
  CumSum: ({ inputs: [x, axis], constant }) => {
    positive(integersOf(axis!, constant)[0]!, x!.shape.length)
    return [{ dtype: numeric(x!), shape: x!.shape }]
  },
  ArgMax: argMax,
  TopK: topK,
  Gather: gather,
  GatherElements: gatherElements,
  ScatterND: scatterND,
  ScatterElements: scatterElements,
  Reshape: reshape,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Split: split,
  Slice: slice,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Pad: pad,
  Shape: ({ inputs: [x], attributes: { start, end } }) => [
    { dtype: 'int64', shape: [x!.shape.slice(start, end).length] },
  ],
  Range: range,
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: ({ inputs: [x], attributes, unknown }) => [
    { dtype: x!.dtype, shape: pooled(x!, attributes.kernel_shape, attributes, unknown) },
  ],
}

/** The shape that two shapes are broadcast to. */
function stretched(
  { openLengths, unknown }: Site<OpName>,
  a: readonly Dimension[],
  b: readonly Dimension[],
): readonly Dimension[] {
  return broadcast(a, b, openLengths ? unknown : undefined)
}

/** The numbers of a constant integer input. */
export function integersOf(value: Value, constant: Site<OpName>['constant']): readonly number[] {
  const tensor = constant(value)
  if (tensor === undefined) throw new TrainerError('graph', `${value.name} must be a constant.`)
  among(value, indices)
  return Array.from(tensor.data as BigInt64Array | Int32Array, Number)
}

/** The numbers of an integer input, if it is a constant. */
export function knownIntegersOf(
  value: Value | undefined,
  constant: Site<OpName>['constant'],
): readonly number[] | undefined {
  return value === undefined || constant(value) === undefined ? undefined : integersOf(value, constant)
}

/** The rank of what a vector is the shape of. @throws TrainerError for one that no tensor has. */
function rankFrom(vector: Value): number {
  const rank = lengthFrom(vector)
  if (rank <= mostAxes) return rank
  throw new TrainerError('graph', `the vector ${vector.name} would be a shape of ${rank} axes.`)
}

function lengthFrom(vector: Value): number {
  const [length] = vector.shape
  if (typeof length === 'number' && vector.shape.length === 1) return length
  throw new TrainerError('graph', `the length of the vector ${vector.name} must be known.`)
}

function sameType(a: Value, b: Value): DataType {
  if (a.dtype !== b.dtype) throw new TrainerError('graph', `the element types ${a.dtype} and ${b.dtype} differ.`)
  return a.dtype
}

function among(value: Value, allowed: readonly DataType[]): DataType {
  if (!allowed.includes(value.dtype)) {
    throw new TrainerError(
      'graph',
      `the element type ${value.dtype} of ${value.name} is not one of ${allowed.join(', ')}.`,
    )
  }
  return value.dtype
}

function numeric(value: Value): DataType {
  if (value.dtype === 'bool') throw new TrainerError('graph', `${value.name} is boolean, but numbers are needed.`)
  return value.dtype
}

function oneOf(attribute: string, given: string | undefined, allowed: readonly string[]): void {
  if (given !== undefined && !allowed.includes(given))
    throw new TrainerError('graph', `${attribute} "${given}" is not one of ${allowed.join(', ')}.`)
}
