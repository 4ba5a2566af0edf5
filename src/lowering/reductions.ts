import { logSoftmax } from '../losses/logSoftmax'
import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import { distinct, positive } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { readingOpenAxes } from './broadcastGradient'
import type { Lowering, LoweringTable, Site } from './Lowering'
import { axesOf } from './writing'

/** A reduction over the axes, which stay as 1 if they are kept. */
type Reduce = (g: GraphBuilder, x: Value, axes: readonly number[], kept: boolean) => Value

/** Sums, means and their kin along axes. */
export const reductions: LoweringTable = {
  ReduceSum: readingOpenAxes(reduction('as it is', (g, x, axes, kept) => g.reduceSum(x, axes, kept))),
  ReduceMean: reduction('as it is', (g, x, axes, kept) => g.reduceMean(x, axes, kept)),
  ReduceMax: reduction('as it is', largest),
  ReduceSumSquare: reduction('as it is', (g, x, axes, kept) => g.reduceSumSquare(x, axes, kept)),
  ReduceMin: reduction('-ReduceMax(-x)', smallest),
  ReduceL1: reduction('Σ |x|', (g, x, axes, kept) => g.reduceSum(g.abs(x), axes, kept)),
  ReduceL2: reduction('√Σ x²', norm),
  ReduceLogSum: reduction('log Σ x', (g, x, axes, kept) => g.log(g.reduceSum(x, axes, kept))),
  ReduceLogSumExp: reduction('log Σ exp(x - m) + m with m = ⌊max x⌋', logSumExp),
  ReduceProd: reduction('Mul of halves, log₂ n times', products),

  ArgMax: { how: 'as it is', carries: [], lower: site => extreme(site, site.input(0)) },
  ArgMin: { how: 'ArgMax(-x)', carries: [], lower: site => extreme(site, site.graph.neg(site.input(0))) },
  CumSum: { how: 'as it is', carries: [0], lower: cumSum },

  Softmax: { how: 'as it is; before opset 13 over all axes from one on', lower: site => flattened(site, 'Softmax') },
  LogSoftmax: {
    how: 'x - m - log Σ exp(x - m) with m = ⌊max x⌋; before opset 13 over all axes from one on',
    lower: site => flattened(site, 'LogSoftmax'),
  },
  Hardmax: {
    how: 'ArgMax, and a 1 put there by ScatterElements',
    carries: [],
    lower: site => flattened(site, 'Hardmax'),
  },
}

/** A row for a reduction, with its axes as an attribute (until opset 13 or 18) or an input. */
function reduction(how: string, reduce: Reduce): Lowering {
  return {
    how,
    carries: [0],
    lower(site) {
      const { graph: g, input, attributes } = site
      const x = input(0)
      const keepdims = attributes.int('keepdims', 1) === 1
      return reduce(g, x, reducedAxes(site), keepdims)
    },
  }
}

/** The axes counted from the front: all, unless some are listed or none are meant. */
function reducedAxes(site: Site): readonly number[] {
  const { input, attributes } = site
  const noop = attributes.int('noop_with_empty_axes', 0) === 1
  const listed = axesOf(site) ?? []
  const rank = input(0).shape.length
  return listed.length > 0 || noop ? distinct(listed, rank) : input(0).shape.map((_, i) => i)
}

/** Of truths too: whether any is. */
function largest(g: GraphBuilder, x: Value, axes: readonly number[], kept: boolean): Value {
  return x.dtype === 'bool' ? g.cast(largest(g, g.cast(x, 'int32'), axes, kept), 'bool') : g.reduceMax(x, axes, kept)
}

function smallest(g: GraphBuilder, x: Value, axes: readonly number[], kept: boolean): Value {
  return x.dtype === 'bool' ? g.not(largest(g, g.not(x), axes, kept)) : g.neg(g.reduceMax(g.neg(x), axes, kept))
}

/** Where all elements are 0 the gradient is 0, as in PyTorch: the root's own would be infinite. */
function norm(g: GraphBuilder, x: Value, axes: readonly number[], kept: boolean): Value {
  const squares = g.reduceSumSquare(x, axes, kept)
  const isZero = g.equal(squares, 0)
  return g.where(isZero, 0, g.sqrt(g.where(isZero, 1, squares)))
}

/** No gradient goes through a floor, and none has to: the sum does not depend on what is taken out of it. */
function logSumExp(g: GraphBuilder, x: Value, axes: readonly number[], kept: boolean): Value {
  const top = g.floor(g.reduceMax(x, axes, true))
  const shift = g.where(g.equal(g.abs(top), Infinity), 0, top)
  const whole = g.add(g.log(g.reduceSum(g.exp(g.sub(x, shift)), axes, true)), shift)
  return kept || axes.length === 0 ? whole : g.squeeze(whole, axes)
}

function products(g: GraphBuilder, x: Value, axes: readonly number[], kept: boolean): Value {
  const whole = axes.reduce((y, axis) => product(g, y, axis), x)
  return kept || axes.length === 0 ? whole : g.squeeze(whole, axes)
}

/** A tree of products: the gradient of each factor is made of the others, so a 0 among them does no harm. */
function product(g: GraphBuilder, x: Value, axis: number): Value {
  const length = x.shape[axis]!
  if (typeof length !== 'number')
    throw new TrainerError(
      'graph',
      `the length "${length}" of axis ${axis}, along which it multiplies, is not known.`,
      {
        fix: 'Export the model with that length fixed.',
      },
    )
  if (length === 0) throw new TrainerError('graph', `axis ${axis}, along which it multiplies, has no elements.`)
  if (length === 1) return x
  const half = length >> 1
  const part = (from: number, to: number): Value => g.slice(x, [from], [to], [axis])
  const pairs = g.mul(part(0, half), part(half, 2 * half))
  return product(g, length === 2 * half ? pairs : g.concat([pairs, part(2 * half, length)], axis), axis)
}

function extreme({ graph: g, attributes }: Site, x: Value): Value {
  const select_last_index = attributes.int('select_last_index', 0)
  const axis = positive(attributes.int('axis', 0), x.shape.length)
  return g.node('ArgMax', [x], { axis, keepdims: attributes.int('keepdims', 1), select_last_index })[0]!
}

function cumSum({ graph: g, input, numbers, attributes }: Site): Value {
  const axis = g.constant(Tensor.from('int64', positive(numbers(1, 'axis')[0] ?? 0, input(0).shape.length)))
  const given = { exclusive: attributes.int('exclusive', 0), reverse: attributes.int('reverse', 0) }
  return g.node('CumSum', [input(0), axis], given)[0]!
}

type Softmax = 'Softmax' | 'LogSoftmax' | 'Hardmax'

/** From opset 13 on along one axis; before, along all axes from one on, taken as a single one. */
function flattened({ graph: g, opset, input, attributes }: Site, op: Softmax): Value {
  const x = input(0)
  const rank = x.shape.length
  const along = (value: Value, axis: number): Value => {
    if (op === 'Softmax') return g.softmax(value, axis)
    return op === 'Hardmax' ? hardmax(g, value, axis) : logSoftmax(g, value, axis)
  }
  if (opset >= 13) return along(x, positive(attributes.int('axis', -1), rank))
  const axis = attributes.int('axis', 1)
  return asOneAxis(g, x, axis === rank ? rank : positive(axis, rank), along)
}

/** What is made along all axes of x from one on, taken as a single one. */
export function asOneAxis(
  g: GraphBuilder,
  x: Value,
  from: number,
  along: (value: Value, axis: number) => Value,
): Value {
  const rank = x.shape.length
  if (from === rank - 1) return along(x, from)
  const rows = from === rank ? g.unsqueeze(x, [rank]) : g.reshape(x, [...x.shape.slice(0, from).map(() => 0), -1])
  return g.reshapeLike(along(rows, from), x)
}

function hardmax(g: GraphBuilder, x: Value, axis: number): Value {
  const at = g.node('ArgMax', [x], { axis, keepdims: 1 })[0]!
  const one = g.expand(g.constant(1, x.dtype), at)
  return g.node('ScatterElements', [g.expand(g.constant(0, x.dtype), x), at, one], { axis })[0]!
}
