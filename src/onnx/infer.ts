import { TrainerError } from '../errors'
import type { Tensor } from '../tensor'
import type { Attributes, OpName } from './operators'
import type { Dimension, Value, ValueType } from './types'

/** What a shape rule is told of its node. */
interface Site<Op extends OpName> {
  readonly inputs: readonly Value[]
  readonly attributes: Readonly<Attributes[Op]>
  /** How many outputs were asked for. */
  readonly outputs: number
  /** The constant that an input is, if it is one. */
  readonly constant: (value: Value | undefined) => Tensor | undefined
  /** A name for a length that cannot be known. */
  readonly unknown: () => Dimension
}

type Rule<Op extends OpName> = (site: Site<Op>) => readonly ValueType[]

/**
 * The element types and shapes of a node's outputs.
 * @throws TrainerError naming the operator and the inputs when they do not fit each other.
 */
export function infer<Op extends OpName>(op: Op, site: Site<Op>): readonly ValueType[] {
  try {
    return (rules[op] as Rule<Op>)(site)
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error
    const given = site.inputs.map((input) => (input === undefined ? '-' : `${input.name}: ${describe(input)}`)).join(', ')
    throw new TrainerError('graph', `${op}(${given}): ${error.message}`, { cause: error })
  }
}

/** A type as people read it: float32[tokens, 384]. */
export function describe(type: ValueType): string {
  return `${type.dtype}[${type.shape.join(', ')}]`
}

/** The axis counted from the front. */
export function positive(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis
  if (at < 0 || at >= rank) throw new TrainerError('graph', `axis ${axis} is outside a rank of ${rank}.`)
  return at
}

/** The shape that both shapes are stretched to (NumPy's rule). */
export function broadcast(a: readonly Dimension[], b: readonly Dimension[]): readonly Dimension[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1]
    if (x === y || y === 1) return x
    if (x === 1 || typeof x === 'string') return y
    if (typeof y === 'string') return x
    throw new TrainerError('graph', `shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast.`)
  })
}

/** The axes that a reduction reduces, from the front: its constant second input, or all. */
export function reducedAxes(inputs: readonly (Value | undefined)[], constant: Site<OpName>['constant']): readonly number[] {
  const rank = inputs[0]!.shape.length
  if (inputs[1] === undefined) return inputs[0]!.shape.map((_, i) => i)
  return integers(inputs[1], constant).map((axis) => positive(axis, rank))
}

const same: Rule<OpName> = ({ inputs: [x] }) => [x!]
const elementwise: Rule<OpName> = ({ inputs: [a, b] }) => [{ dtype: sameType(a!, b!), shape: broadcast(a!.shape, b!.shape) }]
const comparison: Rule<OpName> = ({ inputs: [a, b] }) => [{ dtype: sameType(a!, b!) && 'bool', shape: broadcast(a!.shape, b!.shape) }]

const reduce: Rule<'ReduceSum'> = ({ inputs, attributes, constant }) => {
  const axes = reducedAxes(inputs, constant)
  const shape = inputs[0]!.shape
  return [{ dtype: inputs[0]!.dtype, shape: attributes.keepdims === 0 ? shape.filter((_, i) => !axes.includes(i)) : shape.map((d, i) => (axes.includes(i) ? 1 : d)) }]
}

const layerNormalization = (x: Value, axis: number, outputs: number): readonly ValueType[] => {
  const statistics: ValueType = { dtype: 'float32', shape: x.shape.map((d, i) => (i < axis ? d : 1)) }
  return [x, statistics, statistics].slice(0, outputs)
}

const rules: { readonly [Op in OpName]: Rule<Op> } = {
  Neg: same, Abs: same, Sqrt: same, Exp: same, Log: same, Erf: same, Tanh: same, Sigmoid: same, Relu: same, Gelu: same,
  Reciprocal: same, Sin: same, Cos: same, Floor: same, Sign: same, Not: same, Identity: same, Softmax: same, LogSoftmax: same,
  Cast: ({ inputs: [x], attributes }) => [{ dtype: attributes.to, shape: x!.shape }],
  Add: elementwise, Sub: elementwise, Mul: elementwise, Div: elementwise, Pow: elementwise, Min: elementwise, Max: elementwise,
  And: elementwise, Or: elementwise,
  Equal: comparison, Greater: comparison, Less: comparison, GreaterOrEqual: comparison, LessOrEqual: comparison,
  Where: ({ inputs: [c, a, b] }) => [{ dtype: sameType(a!, b!), shape: broadcast(c!.shape, broadcast(a!.shape, b!.shape)) }],
  MatMul: ({ inputs: [a, b] }) => {
    const [x, y] = [a!.shape, b!.shape]
    if (x.length < 2 || y.length < 2) throw new TrainerError('graph', 'both operands need at least two axes.')
    agree(x.at(-1)!, y.at(-2)!)
    return [{ dtype: sameType(a!, b!), shape: [...broadcast(x.slice(0, -2), y.slice(0, -2)), x.at(-2)!, y.at(-1)!] }]
  },
  Gemm: ({ inputs: [a, b, c], attributes: { transA, transB } }) => {
    if (a!.shape.length !== 2 || b!.shape.length !== 2) throw new TrainerError('graph', 'both factors need exactly two axes.')
    const [m, k] = transA ? [a!.shape[1]!, a!.shape[0]!] : [a!.shape[0]!, a!.shape[1]!]
    const [l, n] = transB ? [b!.shape[1]!, b!.shape[0]!] : [b!.shape[0]!, b!.shape[1]!]
    agree(k, l)
    if (c !== undefined) broadcast([m, n], c.shape)
    return [{ dtype: sameType(a!, b!), shape: [m, n] }]
  },
  LayerNormalization: ({ inputs: [x], attributes, outputs }) => layerNormalization(x!, positive(attributes.axis ?? -1, x!.shape.length), outputs),
  SkipLayerNormalization: ({ inputs: [x], outputs }) => [...layerNormalization(x!, x!.shape.length - 1, 3), x!].slice(0, outputs),
  ReduceSum: reduce, ReduceMean: reduce, ReduceMax: reduce, ReduceSumSquare: reduce,
  Gather: ({ inputs: [x, index], attributes }) => {
    const axis = positive(attributes.axis ?? 0, x!.shape.length)
    return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, axis), ...index!.shape, ...x!.shape.slice(axis + 1)] }]
  },
  GatherElements: ({ inputs: [x, index] }) => [{ dtype: x!.dtype, shape: index!.shape }],
  ScatterND: same,
  ScatterElements: same,
  Reshape: ({ inputs: [x, target], constant, unknown }) => {
    const wanted = constant(target)
    if (wanted !== undefined) return [{ dtype: x!.dtype, shape: reshaped(x!.shape, [...(wanted.data as BigInt64Array)].map(Number), unknown) }]
    const rank = target!.shape[0]
    if (typeof rank !== 'number') throw new TrainerError('graph', 'the rank of the new shape has to be known.')
    return [{ dtype: x!.dtype, shape: Array.from({ length: rank }, unknown) }]
  },
  Transpose: ({ inputs: [x], attributes }) => [{ dtype: x!.dtype, shape: (attributes.perm ?? x!.shape.map((_, i) => x!.shape.length - 1 - i)).map((i) => x!.shape[i]!) }],
  Expand: ({ inputs: [x, target], constant, unknown }) => {
    const wanted = constant(target)
    const rank = target!.shape[0]
    if (typeof rank !== 'number') throw new TrainerError('graph', 'the rank of the new shape has to be known.')
    const shape = wanted === undefined ? Array.from({ length: rank }, unknown) : [...(wanted.data as BigInt64Array)].map(Number)
    return [{ dtype: x!.dtype, shape: wanted === undefined ? shape : broadcast(x!.shape, shape) }]
  },
  Concat: ({ inputs, attributes, unknown }) => {
    const axis = positive(attributes.axis, inputs[0]!.shape.length)
    const lengths = inputs.map((input) => input.shape[axis]!)
    const total = lengths.every((d) => typeof d === 'number') ? lengths.reduce((a, b) => a + (b as number), 0) : unknown()
    for (const input of inputs) input.shape.forEach((d, i) => i !== axis && agree(d, inputs[0]!.shape[i]!))
    return [{ dtype: inputs[0]!.dtype, shape: inputs[0]!.shape.map((d, i) => (i === axis ? (total as Dimension) : d)) }]
  },
  Split: ({ inputs: [x, sizes], attributes, outputs, constant, unknown }) => {
    const axis = positive(attributes.axis ?? 0, x!.shape.length)
    const given = constant(sizes)
    const whole = x!.shape[axis]!
    const part = (i: number): Dimension => (given !== undefined ? Number(given.data[i]) : typeof whole === 'number' ? Math.min(Math.ceil(whole / outputs), whole - i * Math.ceil(whole / outputs)) : unknown())
    return Array.from({ length: outputs }, (_, i) => ({ dtype: x!.dtype, shape: x!.shape.map((d, at) => (at === axis ? part(i) : d)) }))
  },
  Slice: ({ inputs: [x, starts, ends, axes, steps], constant, unknown }) => {
    const at = axes === undefined ? integers(starts!, constant).map((_, i) => i) : integers(axes, constant).map((a) => positive(a, x!.shape.length))
    const [from, to] = [constant(starts), constant(ends)]
    const by = steps === undefined ? at.map(() => 1) : integers(steps, constant)
    const sliced = (d: Dimension, i: number): Dimension => {
      const k = at.indexOf(i)
      if (k < 0) return d
      if (typeof d === 'string' || from === undefined || to === undefined || by[k] !== 1) return unknown()
      const clamp = (v: number): number => Math.max(0, Math.min(d, v < 0 ? v + d : v))
      return Math.max(0, clamp(Number(to.data[k])) - clamp(Number(from.data[k])))
    }
    return [{ dtype: x!.dtype, shape: x!.shape.map(sliced) }]
  },
  Squeeze: ({ inputs: [x, axes], constant }) => {
    const gone = axes === undefined ? x!.shape.flatMap((d, i) => (d === 1 ? [i] : [])) : integers(axes, constant).map((a) => positive(a, x!.shape.length))
    return [{ dtype: x!.dtype, shape: x!.shape.filter((_, i) => !gone.includes(i)) }]
  },
  Unsqueeze: ({ inputs: [x, axes], constant }) => {
    const wanted = integers(axes!, constant)
    const rank = x!.shape.length + wanted.length
    const added = wanted.map((a) => positive(a, rank))
    let next = 0
    return [{ dtype: x!.dtype, shape: Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : x!.shape[next++]!)) }]
  },
  Pad: ({ inputs: [x, pads], constant, unknown }) => {
    const by = integers(pads!, constant)
    return [{ dtype: x!.dtype, shape: x!.shape.map((d, i) => (by[i] === 0 && by[i + x!.shape.length] === 0 ? d : typeof d === 'number' ? d + by[i]! + by[i + x!.shape.length]! : unknown())) }]
  },
  Shape: ({ inputs: [x], attributes: { start, end } }) => [{ dtype: 'int64', shape: [x!.shape.slice(start, end).length] }],
}

/** The numbers of a constant int64 input. */
function integers(value: Value, constant: Site<OpName>['constant']): readonly number[] {
  const tensor = constant(value)
  if (tensor === undefined) throw new TrainerError('graph', `${value.name} has to be a constant.`)
  return Array.from(tensor.data as BigInt64Array, Number)
}

function reshaped(from: readonly Dimension[], wanted: readonly number[], unknown: () => Dimension): readonly Dimension[] {
  const copied = wanted.map((d, i) => (d === 0 ? from[i]! : d))
  if (!copied.includes(-1)) return copied
  // what is left for the -1: the lengths that stand on one side only
  const rest = copied.filter((d) => d !== -1)
  const left = [...from]
  for (const d of rest) {
    const at = left.indexOf(d)
    if (at >= 0) left.splice(at, 1, 1)
    else left.push(typeof d === 'number' ? 1 / d : NaN)
  }
  const names = left.filter((d): d is string => typeof d === 'string')
  const factor = left.reduce<number>((product, d) => (typeof d === 'number' ? product * d : product), 1)
  const rounded = Math.round(factor * 1e6) / 1e6
  const inferred: Dimension = names.length === 0 && Number.isFinite(rounded) ? rounded : names.length === 1 && rounded === 1 ? names[0]! : unknown()
  return copied.map((d) => (d === -1 ? inferred : d))
}

function sameType(a: Value, b: Value): Value['dtype'] {
  if (a.dtype !== b.dtype) throw new TrainerError('graph', `the element types ${a.dtype} and ${b.dtype} differ.`)
  return a.dtype
}

function agree(a: Dimension, b: Dimension): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) throw new TrainerError('graph', `the lengths ${a} and ${b} differ.`)
}
