import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import type { DataType } from '../tensor'
import { times } from './scaled'
import { asRows, count, expand, reshaped } from './shapes'

export interface NormalizationSite {
  readonly graph: GraphBuilder
  /** What is normalized, over the axes from `axis` on. */
  readonly x: Value
  readonly scale: Value
  readonly axis: number
  readonly epsilon: number
  /** The result, and each row's mean and 1/deviation if they were saved. */
  readonly y: readonly (Value | undefined)[]
  /** Their gradients. */
  readonly dy: readonly (Value | undefined)[]
  /** Whether dx is asked for. */
  readonly asked: boolean
}

/** The gradients of what is normalized and of its scale; that of the bias is dy itself. */
export interface NormalizationGradient {
  readonly dx?: Value | undefined
  readonly dScale?: Value | undefined
}

/**
 * Layer normalization, y = x̂ s + b with x̂ = (x - mean) r, r = 1/√(variance + ε), over rows of n (Ba, Kiros & Hinton
 * 2016):
 *
 *     ds = Σ_rows dy x̂ = rᵀ (dy (x - mean))
 *     dx = r (g - mean g - (x - mean) r mean(g x̂)),  g = dy s
 *     through the mean: dx += dmean / n,  through r: dx -= dr r² x̂ / n
 *
 * The sums over rows, and that over one row of dy (x - mean) s, are products with a vector. Every elementwise pass is
 * over a tensor that does not fit the cache, so neither x̂ nor g x̂ is ever made.
 */
export function normalizationGradient(site: NormalizationSite): NormalizationGradient {
  const {
    graph,
    x,
    dy: [dy, , dInverse],
  } = site
  const terms = termsOf(site)
  const { dScale, inner, slope }: Partial<ThroughResult> = dy === undefined ? {} : throughResult(site, terms, dy)
  if (!site.asked) return { dScale }
  const wholeSlope = dInverse === undefined ? slope : withInverse(site, terms, slope, dInverse)
  const dx = inputGradient(site, terms, inner, wholeSlope)
  return { dx: dx && reshaped(graph, dx, x), dScale }
}

/** What all of the formulas are written with; values are [rows, n] or [rows, 1]. */
interface Terms {
  /** A value of the shape of x, as rows. */
  readonly rows: (value: Value) => Value
  /** A value divided by n. */
  readonly share: (value: Value) => Value
  /** x - mean */
  readonly centred: Value
  /** r */
  readonly inverse: Value
}

function termsOf({ graph: g, x, axis, epsilon, y }: NormalizationSite): Terms {
  const rest = x.shape.slice(axis)
  const rows = (value: Value): Value => rowsOf(g, value, rest)
  const n = count(
    g,
    x,
    rest.map((_, i) => axis + i),
  )
  const share = (value: Value): Value => (typeof n === 'number' ? g.mul(value, 1 / n) : g.div(value, n))
  const [mean, saved] = y.slice(1).map(value => value && column(g, value, x.dtype))
  const centred = g.sub(rows(x), mean ?? g.reduceMean(rows(x), [1], true))
  const inverse = saved ?? g.reciprocal(g.sqrt(g.add(share(g.reduceSumSquare(centred, [1], true)), epsilon)))
  return { rows, share, centred, inverse }
}

/** What comes back through y: ds, and dx = r (inner - (x - mean) slope) in parts. */
interface ThroughResult {
  readonly dScale: Value
  readonly inner: Value
  readonly slope: Value
}

function throughResult({ graph: g, x, scale, axis }: NormalizationSite, terms: Terms, dy: Value): ThroughResult {
  const { rows, share, centred, inverse } = terms
  const d = rows(dy)
  const s = x.shape.length - axis === 1 ? scale : g.reshape(scale, [-1])
  const moved = g.mul(d, centred)
  const dScale = reshaped(g, g.matMul(g.reshape(inverse, [1, -1]), moved), scale)
  const weighted = g.mul(d, s)
  const slope = g.mul(g.matMul(moved, share(g.unsqueeze(s, [1]))), g.mul(inverse, inverse))
  const inner = g.sub(weighted, g.reduceMean(weighted, [1], true))
  return { dScale, inner, slope }
}

/** The slope with what comes back through r: dr r² / n more. */
function withInverse(
  { graph: g, x }: NormalizationSite,
  { share, inverse }: Terms,
  slope: Value | undefined,
  dInverse: Value,
): Value {
  const extra = share(g.mul(column(g, dInverse, x.dtype), g.mul(inverse, inverse)))
  return slope === undefined ? extra : g.add(slope, extra)
}

/** dx = r (inner - (x - mean) slope) + dmean / n, each part as far as it is there. */
function inputGradient(
  { graph: g, x, dy: [, dMean] }: NormalizationSite,
  { rows, share, centred, inverse }: Terms,
  inner: Value | undefined,
  slope: Value | undefined,
): Value | undefined {
  const along = slope && g.mul(centred, slope)
  const difference = inner && along ? g.sub(inner, along) : (inner ?? (along && times(g, along, -1)))
  const dx = difference && times(g, difference, inverse)
  if (dMean === undefined) return dx
  const even = share(column(g, dMean, x.dtype))
  return dx === undefined ? expand(g, even, rows(x).shape, [x]) : g.add(dx, even)
}

/** One number a row, as a column. */
function column(g: GraphBuilder, x: Value, dtype: DataType): Value {
  return g.cast(x.shape.length === 2 ? x : g.reshape(x, [-1, 1]), dtype)
}

/** The normalized axes made one, and those before them. */
function rowsOf(g: GraphBuilder, x: Value, rest: readonly Dimension[]): Value {
  if (rest.length === 1) return asRows(g, x, rest)
  const width = rest.reduce<number>((product, d) => (typeof d === 'number' ? product * d : NaN), 1)
  if (Number.isNaN(width)) {
    throw new TrainerError(
      'graph',
      `a normalization over several axes has a gradient only if all are known, not over [${rest.join(', ')}].`,
    )
  }
  return g.reshape(x, [-1, width])
}
