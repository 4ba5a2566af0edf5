import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import type { DataType } from '../tensor'

type Shape = readonly Dimension[]

/** Per graph, the shapes that have been written already. */
const written = new WeakMap<GraphBuilder, Map<string, Value>>()

/**
 * A shape as an int64 vector. Named lengths are read when the graph runs, off an input of the graph that has the name,
 * or else off one of `sources`: so no activation is kept alive for its shape alone.
 */
export function lengths(graph: GraphBuilder, shape: Shape, sources: readonly Value[]): Value {
  if (shape.every(d => typeof d === 'number')) return graph.integers(shape)
  const memory = written.get(graph) ?? new Map<string, Value>()
  written.set(graph, memory)
  const key = shape.join()
  const known = memory.get(key)
  if (known !== undefined) return known
  const parts: Value[] = []
  for (let i = 0; i < shape.length;) {
    let end = i + 1
    if (typeof shape[i] === 'number') {
      while (typeof shape[end] === 'number') end++
      parts.push(graph.integers(shape.slice(i, end) as readonly number[]))
    } else {
      const [source, axis] = holder(graph, shape[i]!, sources)
      while (end < shape.length && shape[end] === source.shape[axis + end - i]) end++
      parts.push(
        graph.node(
          'Shape',
          [source],
          axis === 0 && end - i === source.shape.length ? {} : { start: axis, end: axis + end - i },
        )[0]!,
      )
    }
    i = end
  }
  const vector = graph.concat(parts, 0)
  memory.set(key, vector)
  return vector
}

/** `x` stretched to a shape; as it is, if it covers the shape already. */
export function expand(graph: GraphBuilder, x: Value, shape: Shape, sources: readonly Value[]): Value {
  if (covers(graph, x.shape, shape)) return x
  return { ...graph.node('Expand', [x, lengths(graph, shape, sources)], {})[0]!, shape }
}

export function zeros(graph: GraphBuilder, dtype: DataType, shape: Shape, sources: readonly Value[]): Value {
  return expand(graph, graph.constant(0, dtype), shape, sources)
}

/** How many elements the axes hold: a number where they are known, else a scalar of the type of `x`. */
export function count(graph: GraphBuilder, x: Value, axes: readonly number[]): number | Value {
  const dimensions = axes.map(axis => x.shape[axis]!)
  const known = dimensions.reduce<number>((product, d) => (typeof d === 'number' ? product * d : product), 1)
  const names = dimensions.filter(d => typeof d === 'string')
  if (names.length === 0) return known
  // the one way from lengths to floating-point numbers that every provider has: ones, summed
  const counted = graph.sum(expand(graph, graph.constant(1, x.dtype), names, [x]))
  return known === 1 ? counted : graph.mul(counted, known)
}

/** A reshape to the shape of another value. */
export function reshaped(graph: GraphBuilder, x: Value, like: Value): Value {
  return reshapedTo(graph, x, like.shape, [like])
}

/** A reshape; as it is, if it has the shape already. */
export function reshapedTo(graph: GraphBuilder, x: Value, shape: Shape, sources: readonly Value[]): Value {
  if (shape.length === x.shape.length && shape.every((d, i) => d === x.shape[i])) return x
  if (shape.filter(d => typeof d === 'string').length <= 1) return graph.reshapeLike(x, { ...x, shape })
  const target = shape.map((d, i) => (typeof d === 'number' ? d : d === x.shape[i] ? 0 : -1)) // 0 copies
  const vector = target.filter(d => d === -1).length <= 1 ? graph.integers(target) : lengths(graph, shape, sources)
  return { ...graph.reshape(x, vector), shape }
}

/** [..., rest] → [n, rest]: all leading axes merged into one. */
export function asRows(graph: GraphBuilder, x: Value, rest: Shape): Value {
  if (x.shape.length === rest.length + 1) return x
  const known = rest.every(d => typeof d === 'number')
  const flat = graph.reshape(
    x,
    known ? [-1, ...rest] : graph.concat([graph.integers([-1]), lengths(graph, rest, [x])], 0),
  )
  return { ...flat, shape: [flat.shape[0]!, ...rest] }
}

/**
 * Whether nothing of `shape` is missing in `own`, both counted from the back: no axis would have to be stretched. Where
 * names promise nothing, an axis of another name may have to be.
 */
export function covers(graph: GraphBuilder, own: Shape, shape: Shape): boolean {
  if (own.length < shape.length) return false
  return own.every((d, i) => {
    const wanted = shape[i - own.length + shape.length] ?? 1
    if (wanted === 1 || d === wanted) return true
    return graph.openLengths ? typeof d === 'number' && d !== 1 : d !== 1
  })
}

/** A value with an axis of that name, inputs of the graph first. */
function holder(graph: GraphBuilder, name: Dimension, sources: readonly Value[]): readonly [Value, number] {
  for (const value of [...graph.inputs, ...sources]) {
    const axis = value.shape.indexOf(name)
    if (axis >= 0) return [value, axis]
  }
  throw new TrainerError('internal', `internal: no value has an axis of length "${name}".`)
}
