import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { covers, expand, lengths } from './shapes'

/**
 * Sums a gradient over the axes along which its value was stretched.
 *
 * Ranks are static, equal names are equal lengths, and in our own graphs no axis with a name is broadcast: so which axes these
 * are is known without running the graph. Where names promise nothing (`openLengths`), an axis of another name than the
 * result's is summed when the graph runs, if it is 1 then.
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
  const own = (i: number): Dimension => to.shape[i - across.length + to.shape.length] ?? 1
  const stretched = across.flatMap((d, i) => (d !== 1 && own(i) === 1 ? [i - across.length] : []))
  const open = across.flatMap((d, i) =>
    graph.openLengths && typeof own(i) === 'string' && d !== 1 && own(i) !== d ? [i - across.length] : [],
  )
  // a sum over copies that were never made: make them
  const isMissing = (axis: number): boolean => !covers(graph, [gradient.shape.at(axis) ?? 1], [across.at(axis)!])
  const stretchedWhole = [...stretched, ...open].some(isMissing) ? expand(graph, gradient, across, sources) : gradient
  const whole = open.reduce((x, axis) => summedWhereOne(graph, x, to, axis), stretchedWhole)
  const rank = whole.shape.length
  const extra = Math.max(0, rank - to.shape.length)
  const axes = stretched.map(axis => axis + rank)
  const leading = whole.shape.slice(0, extra).map((_, i) => i)
  const summed = axes.length === 0 ? whole : graph.reduceSum(whole, axes, !axes.every(axis => axis < extra))
  // what is left of the extra axes has length 1
  const left = summed.shape.length === rank ? leading : leading.slice(axes.length)
  const result =
    left.length === 0 ? summed : graph.squeeze(summed, summed.shape.length === rank ? left : left.map((_, i) => i))
  return result.shape.length === to.shape.length && covers(graph, result.shape, to.shape)
    ? { ...result, shape: to.shape }
    : result
}

function summedWhereOne(graph: GraphBuilder, x: Value, to: Value, axis: number): Value {
  const own = to.shape.length + axis
  const length = graph.node('Shape', [to], { start: own, end: own + 1 })[0]!
  return summedTo(graph, x, x.shape.length + axis, to.shape[own]!, length)
}

/**
 * Σ over an axis of x if `length` turns out to be 1, else x. An axis of n is parted into two, m and n / m, and the
 * second is summed: m, the length, is either n or 1.
 * @param name what the axis of the result is called, if it has a name
 * @param length int64 [1]
 */
export function summedTo(
  graph: GraphBuilder,
  x: Value,
  axis: number,
  name: Dimension | undefined,
  length: Value,
): Value {
  const part = (shape: readonly Dimension[]): readonly Value[] =>
    shape.length === 0 ? [] : [lengths(graph, shape, [x])]
  const before = x.shape.slice(0, axis)
  const after = x.shape.slice(axis + 1)
  const parted = graph.reshape(x, graph.concat([...part(before), length, graph.integers([-1]), ...part(after)], 0))
  const summed = graph.reduceSum(parted, [axis + 1])
  return { ...summed, shape: [...before, name ?? summed.shape[axis]!, ...after] }
}
