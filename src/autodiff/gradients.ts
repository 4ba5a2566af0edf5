import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import { integersOf, isFloat, reducedAxes } from '../onnx/infer'
import type { Attributes, OpName } from '../onnx/operators'
import { positive } from '../onnx/shapes'
import type { GatherHint, Value } from '../onnx/types'
import { maxPoolGradient } from './maxPool'
import { gatherBack, insideOut, padGradient, scatterRows, sliceGradient, withoutFrozenRow } from './movement'
import { type NormalizationSite, normalizationGradient } from './normalization'
import { extremeGradients, productGradients } from './scatter'
import { type Gradient, scalarOf, scaled, times } from './scaled'
import { count, lengths, reshaped, zeros } from './shapes'
import { averagePoolGradient, convGradient, convTransposeGradient } from './windows'

/**
 * The inputs or outputs of a node. Three are typed as present; a rule knows how many its operator has, and which of
 * them are optional.
 */
export type Values = readonly [Value, Value, Value, ...(Value | undefined)[]]

/** What a rule is given. */
export interface Site<Op extends OpName> {
  readonly x: Values
  /** An output that nothing reads may be undefined. */
  readonly y: Values
  /**
   * The gradients of the outputs, undefined where none flows; at least one does. Of an output's shape; for the
   * operators in {@link elementwise} it may be smaller, if it stretches to that shape.
   */
  readonly dy: Values
  /** A number that every returned gradient must be multiplied by: 1 except for the operators in {@link absorbing}. */
  readonly by: number
  /** Per input, whether a gradient is asked for; any other that is returned is dropped. */
  readonly asked: readonly boolean[]
  readonly attributes: Readonly<Attributes[Op]>
  readonly hint: GatherHint | undefined
  readonly graph: GraphBuilder
}

/**
 * One gradient per input, undefined where none flows. It may have the shape of the output where the operator stretched
 * that input: the walk sums it. Only operators that every provider has may be written.
 */
export type Rule<Op extends OpName> = (site: Site<Op>) => readonly (Gradient | undefined)[]

/** Operators that are computed element by element, and whose rules are too. */
export const elementwise: ReadonlySet<OpName> = new Set<OpName>([
  'Identity',
  'Neg',
  'Abs',
  'Sqrt',
  'Exp',
  'Log',
  'Erf',
  'Tanh',
  'Sigmoid',
  'Relu',
  'Reciprocal',
  'Sin',
  'Cos',
  'Tan',
  'Atan',
  'Asin',
  'Acos',
  'Sinh',
  'Cosh',
  'Asinh',
  'Acosh',
  'Atanh',
  'Gelu',
  'Cast',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'Mod',
  'Min',
  'Max',
  'Where',
  'Expand',
])

/** Operators whose rules multiply by a number at no cost: as alpha. */
export const absorbing: ReadonlySet<OpName> = new Set<OpName>(['Gemm', 'MatMul'])

/**
 * THE table: how a gradient goes back through each operator. 'flat': the derivative is zero wherever there is one, so
 * nothing goes back. 'opaque': there is no rule, and asking is an error. An operator that has no row here does not
 * compile. See docs/gradients.md for how to add one.
 */
export const gradients: { readonly [Op in OpName]: Rule<Op> | 'flat' | 'opaque' } = {
  // ── steps, truths and shapes ──

  Floor: 'flat',
  Sign: 'flat',
  Round: 'flat',
  ArgMax: 'flat',
  Shape: 'flat',
  Range: 'flat',
  Equal: 'flat',
  Greater: 'flat',
  Less: 'flat',
  GreaterOrEqual: 'flat',
  LessOrEqual: 'flat',
  And: 'flat',
  Or: 'flat',
  Not: 'flat',

  // ── one operand ──

  // y = x
  Identity: ({ dy: [d] }) => [d],
  // y = -x
  Neg: ({ dy: [d] }) => [scaled(d, -1)],
  // y = |x|, dx = dy sign x, which is 0 at 0
  Abs: ({ x: [x], dy: [d], graph: g }) => [g.where(g.greater(x, 0), d, g.where(g.less(x, 0), times(g, d, -1), 0))],
  // y = √x, dx = ½ dy / y
  Sqrt: ({ y: [y], dy: [d], graph: g }) => [scaled(g.div(d, y), 0.5)],
  // y = eˣ, dx = dy y
  Exp: ({ y: [y], dy: [d], graph: g }) => [times(g, d, y)],
  // y = ln x, dx = dy / x
  Log: ({ x: [x], dy: [d], graph: g }) => [g.div(d, x)],
  // y = erf x = 2/√π ∫ exp(-t²) dt, dx = 2/√π dy / exp(x²); where that overflows, the quotient is the right 0
  Erf: ({ x: [x], dy: [d], graph: g }) => [scaled(g.div(d, g.exp(g.mul(x, x))), 2 / Math.sqrt(Math.PI))],
  // y = tanh x, dx = dy (1 - y²)
  Tanh: ({ y: [y], dy: [d], graph: g }) => [times(g, d, g.sub(1, g.mul(y, y)))],
  // y = 1 / (1 + e⁻ˣ), dx = dy (y - y²)
  Sigmoid: ({ y: [y], dy: [d], graph: g }) => [times(g, d, g.sub(y, g.mul(y, y)))],
  // y = max(x, 0), dx = dy where y > 0
  Relu: ({ y: [y], dy: [d], graph: g }) => [g.where(g.greater(y, 0), d, 0)],
  // y = 1 / x, dx = -dy y²
  Reciprocal: ({ y: [y], dy: [d], graph: g }) => [scaled(times(g, d, g.mul(y, y)), -1)],
  Sin: ({ x: [x], dy: [d], graph: g }) => [times(g, d, g.cos(x))],
  Cos: ({ x: [x], dy: [d], graph: g }) => [scaled(times(g, d, g.sin(x)), -1)],
  // y = tan x, dx = dy (1 + y²)
  Tan: ({ y: [y], dy: [d], graph: g }) => [times(g, d, g.add(g.mul(y, y), 1))],
  // y = arctan x, dx = dy / (1 + x²)
  Atan: ({ x: [x], dy: [d], graph: g }) => [g.div(d, g.add(g.mul(x, x), 1))],
  // y = arcsin x, dx = dy / √(1 - x²)
  Asin: ({ x: [x], dy: [d], graph: g }) => [g.div(d, g.sqrt(g.sub(1, g.mul(x, x))))],
  // y = arccos x, dx = -dy / √(1 - x²)
  Acos: ({ x: [x], dy: [d], graph: g }) => [scaled(g.div(d, g.sqrt(g.sub(1, g.mul(x, x)))), -1)],
  // y = sinh x, dx = dy cosh x = ½ dy (eˣ + e⁻ˣ)
  Sinh: ({ x: [x], dy: [d], graph: g }) => [scaled(times(g, d, g.add(g.exp(x), g.exp(g.neg(x)))), 0.5)],
  // y = cosh x, dx = dy sinh x = ½ dy (eˣ - e⁻ˣ)
  Cosh: ({ x: [x], dy: [d], graph: g }) => [scaled(times(g, d, g.sub(g.exp(x), g.exp(g.neg(x)))), 0.5)],
  // y = arsinh x, dx = dy / √(x² + 1)
  Asinh: ({ x: [x], dy: [d], graph: g }) => [g.div(d, g.sqrt(g.add(g.mul(x, x), 1)))],
  // y = arcosh x, dx = dy / √(x² - 1)
  Acosh: ({ x: [x], dy: [d], graph: g }) => [g.div(d, g.sqrt(g.sub(g.mul(x, x), 1)))],
  // y = artanh x, dx = dy / (1 - x²)
  Atanh: ({ x: [x], dy: [d], graph: g }) => [g.div(d, g.sub(1, g.mul(x, x)))],
  // y = x Φ(x), dx = dy (Φ + x φ) = ½ dy (1 + erf u + 2/√π u / exp(u²)) with u = x/√2. The largest tensor of a training
  // step: no pass too many
  Gelu: ({ x: [x], dy: [d], graph: g }) => {
    const u = g.mul(x, Math.SQRT1_2)
    const density = g.mul(g.div(u, g.exp(g.mul(u, u))), 2 / Math.sqrt(Math.PI))
    return [scaled(times(g, d, g.add(g.add(g.erf(u), density), 1)), 0.5)]
  },
  // y = x in another type; integers and truths carry no gradient
  Cast: ({ x: [x], dy: [d], graph: g }) => [isFloat(x.dtype) ? g.cast(d, x.dtype) : undefined],

  // ── two operands and three ──

  // y = a + b
  Add: ({ dy: [d] }) => [d, d],
  // y = a - b
  Sub: ({ dy: [d] }) => [d, scaled(d, -1)],
  // y = a b, da = dy b, db = dy a
  Mul: ({ x: [a, b], dy: [d], graph: g }) => {
    const da = product(g, d, b)
    return [da, a.name === b.name ? da : product(g, d, a)]
  },
  // y = a / b, da = dy / b, db = -da y
  Div: ({ x: [, b], y: [y], dy: [d], graph: g, asked }) => {
    const divisor = scalarOf(g, b)
    const da = divisor !== undefined ? scaled(d, 1 / divisor) : g.div(d, b)
    return [da, asked[1] && !('of' in da) ? scaled(g.mul(da, y), -1) : undefined]
  },
  // y = aᵇ, da = dy b aᵇ⁻¹ (0 where b = 0), db = dy y ln a (0 where a = 0, as PyTorch has it)
  Pow: ({ x: [a, b], y: [y], dy: [d], graph: g, asked }) => {
    const exponent = scalarOf(g, b)
    if (exponent !== undefined) return [powerGradient(g, a, exponent, y, d)]
    const da = g.where(g.equal(b, 0), 0, times(g, d, g.mul(b, g.pow(a, g.sub(b, 1)))))
    return [da, asked[1] ? g.where(g.equal(a, 0), 0, times(g, d, g.mul(y, g.log(a)))) : undefined]
  },
  // y = a - n b with a whole number n, which has no gradient: da = dy, db = -dy n
  Mod: ({ x: [a, b], y: [y], dy: [d], graph: g, asked }) => [
    d,
    asked[1] ? scaled(times(g, d, g.div(g.sub(a, y), b)), -1) : undefined,
  ],
  // the smaller one takes dy; equal ones share it, as in ONNX Runtime's training and in PyTorch
  Min: ({ x: [a, b], dy: [d], graph: g }) => shared(g, d, g.less(a, b), g.less(b, a)),
  // the larger one takes dy; equal ones share it
  Max: ({ x: [a, b], dy: [d], graph: g }) => shared(g, d, g.greater(a, b), g.greater(b, a)),
  // y = a where c, else b
  Where: ({ x: [c], dy: [d], graph: g }) => [undefined, g.where(c, d, 0), g.where(c, 0, d)],

  // ── products of matrices ──

  // Y = A B, dA = dY Bᵀ, dB = Aᵀ dY
  MatMul: ({ x: [a, b], dy: [d], by, graph: g, asked }) => {
    const width = [a, b, d].map(v => v.shape.at(-1))
    if (b.shape.length === 2 && (a.shape.length === 2 || width.every(n => typeof n === 'number'))) {
      // weights: leading axes become rows, and their sum is part of the product
      const rows = (v: Value): Value => (v.shape.length === 2 ? v : g.reshape(v, [-1, v.shape.at(-1) as number]))
      return [
        asked[0] ? reshaped(g, gemm(g, rows(d), b, 0, 1, by), a) : undefined,
        asked[1] ? gemm(g, rows(a), rows(d), 1, 0, by) : undefined,
      ]
    }
    return [
      asked[0] ? scaled(g.matMul(d, g.transposeLast(b)), by) : undefined,
      asked[1] ? scaled(g.matMul(g.transposeLast(a), d), by) : undefined,
    ]
  },
  // Y = α A′ B′ + β C with A′ = A or Aᵀ: dA′ = α dY B′ᵀ, dB′ = α A′ᵀ dY, each transposed back; dC = β dY
  Gemm: ({ x: [a, b], dy: [d], by, attributes: { alpha = 1, beta = 1, transA = 0, transB = 0 }, graph: g, asked }) => [
    asked[0] ? (transA ? gemm(g, b, d, transB, 1, alpha * by) : gemm(g, d, b, 0, 1 - transB, alpha * by)) : undefined,
    asked[1] ? (transB ? gemm(g, d, a, 1, transA, alpha * by) : gemm(g, a, d, 1 - transA, 0, alpha * by)) : undefined,
    scaled(d, beta * by),
  ],

  // ── along an axis ──

  // dx = y (dy - Σ y dy)
  Softmax: ({ y: [y], dy: [d], attributes: { axis = -1 }, graph: g }) => [
    g.mul(y, g.sub(d, g.reduceSum(g.mul(y, d), [positive(axis, y.shape.length)], true))),
  ],
  // dx = dy - eʸ Σ dy
  LogSoftmax: ({ y: [y], dy: [d], attributes: { axis = -1 }, graph: g }) => [
    g.sub(d, g.mul(g.exp(y), g.reduceSum(d, [positive(axis, y.shape.length)], true))),
  ],
  // y, mean and 1/deviation: see normalizationGradient
  LayerNormalization: ({ x: [x, scale], y, dy, attributes: { axis = -1, epsilon = 1e-5 }, graph, asked }) => {
    const site: NormalizationSite = {
      graph,
      x,
      scale,
      axis: positive(axis, x.shape.length),
      epsilon,
      y,
      dy,
      asked: asked[0] === true,
    }
    const { dx, dScale } = normalizationGradient(site)
    return [dx, dScale, dy[0]]
  },
  // y = normalized (a + b + bias), mean, 1/deviation, and a + b + bias itself
  SkipLayerNormalization: ({ x: [a, b, scale, , bias], y, dy, attributes: { epsilon = 1e-12 }, graph: g, asked }) => {
    const sum = y[3] ?? (bias === undefined ? g.add(a, b) : g.add(g.add(a, b), bias))
    const through = (asked[0] || asked[1] || asked[4]) === true
    const site: NormalizationSite = {
      graph: g,
      x: sum,
      scale,
      axis: sum.shape.length - 1,
      epsilon,
      y,
      dy,
      asked: through,
    }
    const { dx, dScale } = dy.slice(0, 3).some(d => d !== undefined) ? normalizationGradient(site) : {}
    const total = dx === undefined ? dy[3] : dy[3] === undefined ? dx : g.add(dx, dy[3])
    return [total, total, dScale, dy[0], total]
  },
  // yᵢ = Σ xⱼ over j ≤ i, dxⱼ = Σ dyᵢ over i ≥ j: the same from the other end
  CumSum: ({ x: [, axis], dy: [d], attributes: { reverse = 0, ...others }, graph: g }) =>
    g.node('CumSum', [d, axis], { ...others, reverse: 1 - reverse }),
  // y = Σ x
  ReduceSum: ({ x, dy: [d], attributes, graph: g }) => [kept(g, x, attributes, d)],
  // y = Σ x / n
  ReduceMean: ({ x, dy: [d], attributes, graph: g }) => {
    const n = count(g, x[0], axesOf(g, x, attributes))
    return [typeof n === 'number' ? scaled(kept(g, x, attributes, d), 1 / n) : g.div(kept(g, x, attributes, d), n)]
  },
  // the largest takes dy; equal ones share it, as in PyTorch
  ReduceMax: ({ x, y: [y], dy: [d], attributes, graph: g }) => {
    const largest = g.cast(g.equal(x[0], kept(g, x, attributes, y)), d.dtype)
    return [g.mul(largest, g.div(kept(g, x, attributes, d), g.reduceSum(largest, axesOf(g, x, attributes), true)))]
  },
  // y = Σ x², dx = 2 x dy
  ReduceSumSquare: ({ x, dy: [d], attributes, graph: g }) => [scaled(times(g, kept(g, x, attributes, d), x[0]), 2)],

  // ── picking and putting ──

  // the largest (or smallest) elements take dy, where they stood; indices carry no gradient
  TopK: ({ x: [x, k], y, dy: [d], attributes, graph: g }) => {
    if (d === undefined) return []
    const { axis = -1 } = attributes
    const index = y[1] ?? g.node('TopK', [x, k], attributes, 2)[1]!
    return g.node('ScatterElements', [zeros(g, d.dtype, x.shape, [x]), index, d], { axis, reduction: 'add' })
  },
  // y = rows of x: each row of dy is added where it came from. Where the way back is known, it is a Gather too
  Gather: ({ x: [x, index], dy: [d], attributes: { axis = 0 }, hint, graph: g }) => {
    const at = positive(axis, x.shape.length)
    const inverse = hint?.inverse
    return inverse === undefined
      ? [scatterRows(g, x.shape, at, index, withoutFrozenRow(g, d, index, hint), [x])]
      : [gatherBack(g, d, x.shape, at, index.shape.length, inverse)]
  },
  // y[i, j] = x[index[i, j], j]
  GatherElements: ({ x: [x, index], dy: [d], attributes: { axis = 0 }, graph: g }) => [
    g.node('ScatterElements', [zeros(g, d.dtype, x.shape, [x]), index, d], { axis, reduction: 'add' })[0],
  ],
  // y = x with updates put (or added) at rows: what was overwritten has no gradient
  ScatterND: ({ x: [x, index, updates], dy: [d], attributes: { reduction = 'none' }, graph: g, asked }) => {
    known('ScatterND', 'reduction', reduction, ['none', 'add'])
    const dx =
      reduction === 'add' ? d : g.node('ScatterND', [d, index, zeros(g, d.dtype, updates.shape, [updates])], {})[0]
    return [dx, undefined, asked[2] ? insideOut(g, d, index, x) : undefined]
  },
  // the same, element by element along an axis; products and extremes: see scatter.ts
  ScatterElements: ({
    x: [x, index, updates],
    y: [y],
    dy: [d],
    attributes: { axis = 0, reduction = 'none' },
    graph: g,
    asked,
  }) => {
    if (reduction === 'mul') return productGradients({ graph: g, x, index, updates, d, axis })
    if (reduction === 'max' || reduction === 'min') return extremeGradients({ graph: g, x, index, updates, d, axis }, y)
    const dx =
      reduction === 'add'
        ? d
        : g.node('ScatterElements', [d, index, zeros(g, d.dtype, updates.shape, [updates])], { axis })[0]
    return [dx, undefined, asked[2] ? g.gatherElements(d, index, axis) : undefined]
  },

  // ── other shapes of the same ──

  Reshape: ({ x: [x], dy: [d], graph: g }) => [reshaped(g, d, x)],
  Transpose: ({ x: [x], dy: [d], attributes: { perm }, graph: g }) => [
    g.transpose(
      d,
      x.shape.map((_, i) => (perm === undefined ? x.shape.length - 1 - i : perm.indexOf(i))),
    ),
  ],
  // y = x stretched: the walk sums dy over the copies
  Expand: ({ dy: [d] }) => [d],
  Squeeze: ({ x: [x, axes], dy: [d], graph: g }) => {
    const ones = x.shape.flatMap((length, i) => (length === 1 ? [i] : []))
    const gone = axes === undefined ? ones : integersOf(axes, g.constantOf).map(axis => positive(axis, x.shape.length))
    return [gone.length === 0 ? d : g.unsqueeze(d, gone)]
  },
  Unsqueeze: ({ x: [, axes], dy: [d], graph: g }) => [
    g.squeeze(
      d,
      integersOf(axes, g.constantOf).map(axis => positive(axis, d.shape.length)),
    ),
  ],
  Concat: ({ x, dy: [d], attributes, graph: g }) => {
    const parts = x as readonly Value[]
    if (parts.length === 1) return [d]
    const axis = positive(attributes.axis, d.shape.length)
    const sizes = lengths(
      g,
      parts.map(part => part.shape[axis]!),
      parts,
    )
    return g.node('Split', [d, sizes], { axis }, parts.length)
  },
  // parts without a gradient are zeros
  Split: ({ x: [x, sizes], y, dy, attributes, graph: g }) => {
    const axis = positive(attributes.axis ?? 0, x.shape.length)
    const part = (i: number): Value => {
      const length = y[i]?.shape[axis] ?? partLength(g, x, sizes, axis, i, y.length)
      return zeros(
        g,
        x.dtype,
        x.shape.map((d, at) => (at === axis ? length : d)),
        [x, ...y.filter(value => value !== undefined)],
      )
    }
    return [
      g.concat(
        Array.from(y, (_, i) => dy[i] ?? part(i)),
        axis,
      ),
    ]
  },
  Slice: ({ x, dy: [d], graph }) => [sliceGradient(graph, x, d)],
  // dx = the middle of dy; the value that was padded with gets the sum of the rest
  Pad: ({ x: [x, pads, value, axes], dy: [d], attributes: { mode = 'constant' }, graph: g, asked }) => {
    known('Pad', 'mode', mode, ['constant'])
    const amounts = integersOf(pads, g.constantOf)
    const listed =
      axes === undefined
        ? x.shape.map((_, i) => i)
        : integersOf(axes, g.constantOf).map(axis => positive(axis, x.shape.length))
    const dx = padGradient(g, d, listed, amounts)
    return [dx, undefined, asked[2] ? reshaped(g, g.sub(g.sum(d), g.sum(dx)), value) : undefined]
  },

  // ── windows ──

  Conv: convGradient,
  ConvTranspose: convTransposeGradient,
  MaxPool: ({ x: [x], y: [y], dy: [d], attributes, graph: g }) => [maxPoolGradient(g, x, y, d, attributes)],
  AveragePool: ({ x: [x], dy: [d], attributes, graph: g }) => [averagePoolGradient(g, x, d, attributes)],
}

// ── what rules share ──

/** a · b; a constant scalar b waits. */
function product(g: GraphBuilder, a: Value, b: Value): Gradient {
  const number = scalarOf(g, b)
  return number === undefined ? times(g, a, b) : scaled(a, number)
}

/** d(aᵖ) for a known p, with the cheap powers written out. */
function powerGradient(g: GraphBuilder, a: Value, p: number, y: Value, d: Value): Gradient | undefined {
  if (p === 0) return undefined
  if (p === 1) return d
  if (p === 2) return scaled(times(g, d, a), 2)
  if (p === 0.5) return scaled(g.div(d, y), 0.5)
  if (p === -1) return scaled(times(g, d, g.mul(y, y)), -1)
  return scaled(times(g, d, p === 3 ? g.mul(a, a) : g.pow(a, p - 1)), p)
}

/** The whole of d to the winner, half of it to each where neither wins. */
function shared(g: GraphBuilder, d: Value, first: Value, second: Value): readonly Value[] {
  const da = g.where(first, d, g.where(second, 0, times(g, d, 0.5)))
  return [da, g.sub(d, da)]
}

/** α A′ B′, where ′ transposes if asked to. */
function gemm(g: GraphBuilder, a: Value, b: Value, transA: number, transB: number, alpha: number): Value {
  return g.gemm(a, b, undefined, {
    ...(transA ? { transA: 1 } : {}),
    ...(transB ? { transB: 1 } : {}),
    ...(alpha === 1 ? {} : { alpha }),
  })
}

/** The axes that a reduction reduced. */
function axesOf(g: GraphBuilder, x: Values, attributes: Attributes['ReduceSum']): readonly number[] {
  return reducedAxes(x, g.constantOf, attributes.noop_with_empty_axes === 1)
}

/** A reduction's result with the reduced axes as 1 again. */
function kept(g: GraphBuilder, x: Values, attributes: Attributes['ReduceSum'], y: Value): Value {
  const axes = axesOf(g, x, attributes)
  return attributes.keepdims !== 0 || axes.length === 0 || axes.length === x[0].shape.length ? y : g.unsqueeze(y, axes)
}

/** The length of a part of a Split that nothing reads. */
function partLength(
  g: GraphBuilder,
  x: Value,
  sizes: Value | undefined,
  axis: number,
  i: number,
  parts: number,
): number {
  const given = g.constantOf(sizes)
  if (given !== undefined) return Number(given.data[i])
  const whole = x.shape[axis]!
  if (typeof whole !== 'number') {
    throw new TrainerError('graph', `the length of part ${i} is not known, because nothing reads it.`, {
      fix: 'Give Split its sizes as a constant.',
    })
  }
  const chunk = Math.ceil(whole / parts)
  return Math.min(chunk, whole - i * chunk)
}

function known(op: OpName, attribute: string, given: string, rules: readonly string[]): void {
  if (!rules.includes(given))
    throw new TrainerError(
      'graph',
      `${op} has a gradient only for ${attribute} ${rules.join(' and ')}, not for ${given}.`,
    )
}
