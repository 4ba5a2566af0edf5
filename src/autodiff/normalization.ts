import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import type { DataType } from '../tensor'
import { settled, times } from './scaled'
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

/**
 * Layer normalization, y = x̂ s + b with x̂ = (x - mean) r, r = 1/√(variance + ε), over rows of n (Ba, Kiros & Hinton
 * 2016):
 *
 *     ds = Σ_rows dy x̂ = rᵀ (dy (x - mean))                     a product with a vector, as is Σ over a row of dy (x - mean) s
 *     dx = r (g - mean g - (x - mean) r mean(g x̂)),  g = dy s
 *     through the mean: dx += dmean / n,  through r: dx -= dr r² x̂ / n
 *
 * Every elementwise pass is over a tensor that does not fit the cache, so neither x̂ nor g x̂ is ever made.
 */
export function normalizationGradient(site: NormalizationSite): { readonly dx?: Value; readonly dScale?: Value } {
  const { graph, x, scale, asked } = site
  const rows = normalizedRows(site)
  const dy = site.dy[0]
  const through = dy === undefined ? undefined : throughResult(graph, rows, rows.of(dy), scale)
  const dx = asked ? inputGradient(site, rows, through) : undefined
  return {
    ...(dx !== undefined && { dx: reshaped(graph, dx, x) }),
    ...(through !== undefined && { dScale: through.dScale }),
  }
}

/** Rows of n numbers, and what is known of them. */
interface Rows {
  /** Something of x's shape as [rows, n]. */
  of(value: Value): Value
  /** A value over n. */
  share(value: Value): Value
  /** x - mean */
  readonly centred: Value
  /** r, as a column. */
  readonly inverse: Value
}

function normalizedRows({ graph: g, x, axis, epsilon, y }: NormalizationSite): Rows {
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
  return { of: rows, share, centred, inverse }
}

/** What comes through the result: ds, g - mean g, and the factor of x - mean in dx / r. */
interface Through {
  readonly dScale: Value
  readonly inner: Value
  readonly slope: Value
}

function throughResult(g: GraphBuilder, { share, centred, inverse }: Rows, dy: Value, scale: Value): Through {
  const weights = scale.shape.length === 1 ? scale : g.reshape(scale, [-1])
  const moved = g.mul(dy, centred)
  const dScale = reshaped(g, g.matMul(g.reshape(inverse, [1, -1]), moved), scale)
  const weighted = g.mul(dy, weights)
  const slope = g.mul(g.matMul(moved, share(g.unsqueeze(weights, [1]))), g.mul(inverse, inverse))
  return { dScale, inner: g.sub(weighted, g.reduceMean(weighted, [1], true)), slope }
}

/** dx as rows, of what comes through the result, the mean and 1/deviation; undefined where nothing comes. */
function inputGradient({ graph: g, x, dy }: NormalizationSite, rows: Rows, through?: Through): Value | undefined {
  const [, dMean, dInverse] = dy
  const { centred, inverse, share } = rows
  let slope = through?.slope
  if (dInverse !== undefined) {
    const extra = share(g.mul(column(g, dInverse, x.dtype), g.mul(inverse, inverse)))
    slope = slope === undefined ? extra : g.add(slope, extra)
  }
  let inner = through?.inner
  if (slope !== undefined) {
    const along = g.mul(centred, slope)
    inner = inner === undefined ? settled(g, { of: along, by: -1 }) : g.sub(inner, along)
  }
  const dx = inner === undefined ? undefined : times(g, inner, inverse)
  if (dMean === undefined) return dx
  const even = share(column(g, dMean, x.dtype))
  return dx === undefined ? expand(g, even, rows.of(x).shape, [x]) : g.add(dx, even)
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
      `a normalization over several axes has a gradient only where they are known, not over [${rest.join(', ')}].`,
    )
  }
  return g.reshape(x, [-1, width])
}
