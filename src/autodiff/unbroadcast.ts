import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { covers, expand } from './shapes'

/**
 * Sums a gradient over the axes along which its value was stretched.
 *
 * Ranks are static, equal names are equal lengths and a name never stands for 1, so which axes these are is known
 * without running the graph.
 *
 * @param to the value that the gradient is of
 * @param across the shape that the value was stretched to. The gradient may be smaller than that: it then stands for
 * its own stretched form
 * @returns a gradient of the shape of `to`, or a smaller one that stretches to it
 */
export function unbroadcast(
  graph: GraphBuilder,
  gradient: Value,
  to: Value,
  across: readonly Dimension[],
  sources: readonly Value[],
): Value {
  const stretched = across.flatMap((d, i) =>
    d !== 1 && (to.shape[i - across.length + to.shape.length] ?? 1) === 1 ? [i - across.length] : [],
  )
  // a sum over copies that were never made: make them
  const missing = stretched.some(axis => (gradient.shape.at(axis) ?? 1) === 1)
  const whole = missing ? expand(graph, gradient, across, sources) : gradient
  const rank = whole.shape.length
  const extra = Math.max(0, rank - to.shape.length)
  const axes = stretched.map(axis => axis + rank)
  const leading = whole.shape.slice(0, extra).map((_, i) => i)
  const summed = axes.length === 0 ? whole : sumOver(graph, whole, axes, !axes.every(axis => axis < extra), sources)
  // what is left of the extra axes has the length 1
  const left = summed.shape.length === rank ? leading : leading.slice(axes.length)
  const result =
    left.length === 0 ? summed : graph.squeeze(summed, summed.shape.length === rank ? left : left.map((_, i) => i))
  return result.shape.length === to.shape.length && covers(result.shape, to.shape)
    ? { ...result, shape: to.shape }
    : result
}

/**
 * Σ over axes; over the many rows of a matrix as a product with ones, which takes half of the time of a ReduceSum on
 * the CPU.
 */
function sumOver(
  graph: GraphBuilder,
  x: Value,
  axes: readonly number[],
  keepdims: boolean,
  sources: readonly Value[],
): Value {
  const [rows, width] = x.shape
  if (
    x.shape.length !== 2 ||
    axes.length !== 1 ||
    axes[0] !== 0 ||
    typeof rows !== 'string' ||
    typeof width !== 'number'
  )
    return graph.reduceSum(x, axes, keepdims)
  const sum = graph.matMul(expand(graph, graph.constant(1, x.dtype), [1, rows], [x, ...sources]), x)
  return keepdims ? sum : graph.squeeze(sum, [0])
}
