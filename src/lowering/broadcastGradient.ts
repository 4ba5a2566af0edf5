// which axes a gradient is summed over, where lengths are known only when the graph runs: one operator says it,
// another sums
import { TrainerError } from '../errors'
import { summedTo } from '../autodiff/unbroadcast'
import type { GraphBuilder } from '../onnx/builder'
import { mostAxes } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import type { Lowering, Site } from './Lowering'
import { affordable } from './writing'

type Item = Dimension | undefined

/** What is known of an axis: whether it was stretched, or that it was if it turns out to be 1. */
type Stretched = boolean | 'perhaps'

/** Axes that are known only when the graph runs. */
interface OpenAxes {
  /** From the front of the result of broadcasting. */
  readonly stretched: readonly Stretched[]
  /** The shape of the operand: an int64 vector. */
  readonly shape: Value
  /** What is known of it. */
  readonly lengths: readonly Item[]
}

/** Per graph, what stands for axes that are not known, by name. */
const opened = new WeakMap<GraphBuilder, Map<string, OpenAxes>>()

/**
 * Along which axes two shapes were stretched when they were broadcast, last one first. Where that is not known before
 * the graph runs, what comes back stands for it, and {@link readingOpenAxes} reads it.
 */
export function broadcastGradientArgs(site: Site): readonly Value[] {
  const { graph: g, input, lengths } = site
  const shapes = [input(0), input(1)]
  const known = shapes.map(
    shape =>
      lengths(shape) ??
      Array.from({ length: affordable(rankOf(shape), 'the axes of a shape', mostAxes) }, (): Item => undefined),
  )
  const rank = Math.max(...known.map(items => items.length))
  const padded = known.map(items => [...Array.from({ length: rank - items.length }, (): Item => 1), ...items])
  return shapes.map((shape, i) => {
    const missing = rank - known[i]!.length
    const stretched = padded[i]!.map(
      (own, axis): Stretched => axis < missing || stretchedAlong(own, padded[1 - i]![axis]),
    )
    if (!stretched.includes('perhaps'))
      return g.integers(stretched.flatMap((is, axis) => (is === true ? [axis] : [])).reverse())
    // of a type that no other operator takes for axes
    const [marker] = g.node('Greater', [g.cast(shape, 'float32'), g.constant(i)], {})
    const memory = opened.get(g) ?? new Map<string, OpenAxes>()
    opened.set(g, memory.set(marker!.name, { stretched, shape, lengths: padded[i]! }))
    return marker!
  })
}

function stretchedAlong(own: Item, other: Item): Stretched {
  if (own === 1) return other !== 1
  if (typeof own === 'number' || (own !== undefined && own === other) || other === 1) return false
  return 'perhaps'
}

function rankOf(shape: Value): number {
  const [rank] = shape.shape
  if (typeof rank === 'number') return rank
  throw new TrainerError('graph', 'of a shape that it reads not even the number of axes is known.')
}

/** The row of a sum that also reads what stands for axes that are known only when the graph runs. */
export function readingOpenAxes(row: Lowering): Lowering {
  return {
    ...row,
    lower(site) {
      const axes = site.inputs[1]
      const open = axes && opened.get(site.graph)?.get(axes.name)
      return open === undefined ? row.lower(site) : summedOverOpen(site, open)
    },
  }
}

function summedOverOpen({ graph: g, input, attributes }: Site, { stretched, shape, lengths }: OpenAxes): Value {
  attributes.ignore('noop_with_empty_axes', 'fast_reduction')
  if (attributes.int('keepdims', 1) !== 1)
    throw new TrainerError('graph', 'the axes that it takes away are known only when the graph runs.', {
      fix: 'Export the model with fixed shapes.',
    })
  const x = input(0)
  const missing = stretched.length - rankOf(shape)
  const sure = stretched.flatMap((is, axis) => (is === true ? [axis] : []))
  const summed = sure.length === 0 ? x : g.reduceSum(x, sure, true)
  return stretched.reduce<Value>((value, is, axis) => {
    if (is !== 'perhaps') return value
    const length = g.slice(shape, [axis - missing], [axis - missing + 1], [0])
    return summedTo(g, value, axis, lengths[axis], length)
  }, summed)
}
