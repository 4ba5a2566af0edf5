import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import { knownIntegersOf } from '../onnx/infer'
import { clampedPlace, positive, toEnd } from '../onnx/shapes'
import type { GatherHint, Dimension, Inverse, Value } from '../onnx/types'
import { spatialAxes } from '../onnx/windows'
import { Tensor } from '../tensor'
import { asRows, expand, lengths, zeros } from './shapes'

type Shape = readonly Dimension[]

/**
 * Zeros of the given shape, with the slices of `d` added at the places along `axis` that `index` says: what undoes a
 * Gather.
 *
 * Not by ScatterND: on the CPU its threads add to the same row at the same time, and some of what they add is lost.
 */
export function scatterRows(
  g: GraphBuilder,
  shape: Shape,
  axis: number,
  index: Value,
  d: Value,
  sources: readonly Value[],
): Value {
  return addRows(g, zeros(g, d.dtype, shape, sources), axis, index, d)
}

/** `base` with the slices of `d` added at the places along `axis` that `index` says. */
export function addRows(g: GraphBuilder, base: Value, axis: number, index: Value, d: Value): Value {
  // the axes before and after the one that was indexed
  const before = base.shape.slice(0, axis)
  const after = base.shape.slice(axis + 1)
  const rank = index.shape.length
  const flat = rank === 1 ? index : g.reshape(index, [-1])
  const parts = rank === 1 ? d : rank === 0 ? g.unsqueeze(d, [axis]) : merged(g, d, before, after)
  const places =
    after.length === 0
      ? flat
      : g.unsqueeze(
          flat,
          after.map((_, i) => i + 1),
        )
  return g.node('ScatterElements', [base, expand(g, places, parts.shape, [parts]), parts], {
    axis,
    reduction: 'add',
  })[0]!
}

/** The gradient `d` of a Gather along an axis, by an index of that rank, of a value of that shape: gathered back. */
export function gatherBack(
  g: GraphBuilder,
  d: Value,
  shape: Shape,
  axis: number,
  rank: number,
  { index, mask }: Inverse,
): Value {
  const before = shape.slice(0, axis)
  const rows = rank === 0 ? g.unsqueeze(d, [axis]) : rank === 1 ? d : merged(g, d, before, shape.slice(axis + 1))
  const back = g.gather(rows, index, axis)
  if (mask === undefined) return back
  const missing = back.shape.slice(axis + mask.shape.length).map((_, i) => i + mask.shape.length)
  return g.mul(back, missing.length === 0 ? mask : g.unsqueeze(mask, missing))
}

/** The gradient `d` of what a Gather along axis 0 read at `index`, with zeros where it read its frozen row. */
export function withoutFrozenRow(g: GraphBuilder, d: Value, index: Value, hint: GatherHint | undefined): Value {
  if (hint?.frozenRow === undefined) return d
  const kept = g.cast(g.not(g.equal(index, hint.frozenRow)), d.dtype)
  const missing = d.shape.slice(index.shape.length).map((_, i) => i + index.shape.length)
  return g.mul(d, missing.length === 0 ? kept : g.unsqueeze(kept, missing))
}

/** All axes between `before` and `after` merged into one. */
export function merged(g: GraphBuilder, d: Value, before: Shape, after: Shape): Value {
  if (before.length === 0) return asRows(g, d, after)
  const part = (axes: Shape): readonly Value[] => (axes.length === 0 ? [] : [lengths(g, axes, [d])])
  const flat = g.reshape(d, g.concat([...part(before), g.integers([-1]), ...part(after)], 0))
  return { ...flat, shape: [...before, flat.shape[before.length]!, ...after] }
}

/** The slices of `d` that a ScatterND of this index put into `data`. */
export function insideOut(g: GraphBuilder, d: Value, index: Value, data: Value): Value {
  const depth = index.shape.at(-1)
  if (depth === 1) return g.gather(d, g.squeeze(index, [index.shape.length - 1]))
  const places = g.constantOf(index)
  const along = data.shape.slice(0, Number(depth))
  if (typeof depth !== 'number' || places === undefined || along.some(length => typeof length !== 'number')) {
    throw new TrainerError(
      'graph',
      `the updates of a ScatterND have a gradient only if the index is a constant or its last axis has length 1.`,
    )
  }
  const numbers = Array.from(places.data as BigInt64Array, Number)
  const flat = Array.from({ length: numbers.length / depth }, (_, i) =>
    (along as readonly number[]).reduce(
      (at, length, k) => at * length + ((numbers[i * depth + k]! + length) % length),
      0,
    ),
  )
  const rows = asRows(g, d, d.shape.slice(depth))
  return g.gather(rows, g.constant(new Tensor('int64', BigInt64Array.from(flat, BigInt), places.dims.slice(0, -1))))
}

/** What a Pad by `amounts` (before each of the axes, then after each) did not add. */
export function padGradient(g: GraphBuilder, d: Value, axes: readonly number[], amounts: readonly number[]): Value {
  const amount = (i: number, end: 0 | 1): number => amounts[i + end * axes.length]!
  // what was cut off comes back as zeros
  const lost = ([0, 1] as const).flatMap(end =>
    d.shape.map((_, axis) => (axes.includes(axis) ? Math.max(0, -amount(axes.indexOf(axis), end)) : 0)),
  )
  const grown = lost.some(n => n > 0) ? g.node('Pad', [d, g.integers(lost)], { mode: 'constant' })[0]! : d
  const cut = axes.flatMap((axis, i) => {
    const start = Math.max(0, amount(i, 0))
    const end = Math.max(0, amount(i, 1))
    return start === 0 && end === 0 ? [] : [{ axis, start, end: end === 0 ? toEnd : -end }]
  })
  return cut.length === 0
    ? grown
    : g.slice(
        grown,
        cut.map(c => c.start),
        cut.map(c => c.end),
        cut.map(c => c.axis),
      )
}

/** One axis of a Slice. */
interface Cut {
  readonly axis: number
  /** How many come before and after: numbers, or int64 [1] values that are known when the graph runs. */
  readonly before: number | Value
  readonly after: number | Value
}

interface KnownCut extends Cut {
  readonly before: number
  readonly after: number
}

/**
 * A Slice's gradient put back between zeros: Pad where the lengths are known, Concat where they are not, a scatter
 * where steps leave gaps.
 */
export function sliceGradient(g: GraphBuilder, inputs: readonly (Value | undefined)[], d: Value): Value {
  const [x, starts, ends, axesInput, steps] = inputs as readonly [Value, Value, Value, Value?, Value?]
  const numbers = (value: Value | undefined): readonly number[] | undefined => knownIntegersOf(value, g.constantOf)
  const listed = numbers(axesInput) ?? Array.from({ length: Number(starts.shape[0]) }, (_, i) => i)
  const axes = listed.map(axis => positive(axis, x.shape.length))
  const from = numbers(starts)
  const to = numbers(ends)
  const by = steps === undefined ? axes.map(() => 1) : numbers(steps)
  if (by === undefined) throw new TrainerError('graph', 'the steps of a Slice must be constant.')
  const cuts = axes.flatMap((axis, k) =>
    by[k] === 1 ? [cutOf(g, x, axis, from?.[k] ?? part(g, starts, k), to?.[k] ?? part(g, ends, k))] : [],
  )
  const whole = cuts
    .filter(cut => !isKnown(cut))
    .reduce((value, cut) => between(g, value, x, cut), padded(g, d, cuts.filter(isKnown)))
  return axes.reduce(
    (value, axis, k) => (by[k] === 1 ? value : spread(g, value, x, axis, from?.[k], to?.[k], by[k]!)),
    whole,
  )
}

function part(g: GraphBuilder, vector: Value, k: number): Value {
  return g.slice(vector, [k], [k + 1], [0])
}

function cutOf(g: GraphBuilder, x: Value, axis: number, from: number | Value, to: number | Value): Cut {
  const length = x.shape[axis]!
  if (typeof length === 'number' && typeof from === 'number' && typeof to === 'number') {
    const start = clampedPlace(from, length, 1)
    const end = clampedPlace(to, length, 1)
    return { axis, before: start, after: length - Math.max(start, end) }
  }
  // what the slice left out of x is measured when the graph runs
  const rest = (start: Value, end: Value): Value =>
    g.node('Shape', [g.node('Slice', [x, start, end, g.integers([axis])], {})[0]!], { start: axis, end: axis + 1 })[0]!
  const vector = (at: number | Value): Value => (typeof at === 'number' ? g.integers([at]) : at)
  return {
    axis,
    before: from === 0 ? 0 : rest(g.integers([0]), vector(from)),
    after: typeof to === 'number' && to >= toEnd ? 0 : rest(vector(to), g.integers([toEnd])),
  }
}

function isKnown(cut: Cut): cut is KnownCut {
  return typeof cut.before === 'number' && typeof cut.after === 'number'
}

/** Zeros before and after. */
function padded(g: GraphBuilder, d: Value, cuts: readonly KnownCut[]): Value {
  const amounts = (['before', 'after'] as const).flatMap(side =>
    d.shape.map((_, axis) => cuts.find(cut => cut.axis === axis)?.[side] ?? 0),
  )
  return amounts.every(n => n === 0) ? d : g.node('Pad', [d, g.integers(amounts)], { mode: 'constant' })[0]!
}

function between(g: GraphBuilder, d: Value, x: Value, { axis, before, after }: Cut): Value {
  const block = (length: number | Value): readonly Value[] => {
    if (length === 0) return []
    const ahead = d.shape.slice(0, axis)
    const behind = d.shape.slice(axis + 1)
    const own = typeof length === 'number' ? g.integers([length]) : length
    const vector = g.concat(
      [
        ...(ahead.length > 0 ? [lengths(g, ahead, [d])] : []),
        own,
        ...(behind.length > 0 ? [lengths(g, behind, [d])] : []),
      ],
      0,
    )
    const made = g.node('Expand', [g.constant(0, d.dtype), vector], {})[0]!
    return [{ ...made, shape: [...ahead, made.shape[axis]!, ...behind] }]
  }
  const joined = g.concat([...block(before), d, ...block(after)], axis)
  return { ...joined, shape: joined.shape.map((length, i) => (i === axis ? x.shape[axis]! : length)) }
}

/** The same for a step that is not 1: each slice is put back where it was. */
function spread(
  g: GraphBuilder,
  d: Value,
  x: Value,
  axis: number,
  from: number | undefined,
  to: number | undefined,
  step: number,
): Value {
  const length = x.shape[axis]!
  if (from === -1 && to !== undefined && to <= -toEnd && step === -1) {
    return g.node('Slice', [d, g.integers([-1]), g.integers([to]), g.integers([axis]), g.integers([-1])], {})[0]!
  }
  if (typeof length !== 'number' || from === undefined || to === undefined) {
    throw new TrainerError(
      'graph',
      `a Slice with steps of ${step} has a gradient only if the length of axis ${axis} is known.`,
    )
  }
  const end = clampedPlace(to, length, step)
  const positions: number[] = []
  for (let at = clampedPlace(from, length, step); step > 0 ? at < end : at > end; at += step) positions.push(at)
  const shape = d.shape.map((own, i) => (i === axis ? length : own))
  return scatterRows(g, shape, axis, g.constant(Tensor.from('int64', positions)), d, [x])
}

/** The beginning of `x` along the axes behind the first two, where it is longer than `like`, or may be. */
export function cutTo(g: GraphBuilder, x: Value, like: Value): Value {
  const axes = spatialAxes(x.shape.length).filter(axis => x.shape[axis] !== like.shape[axis])
  if (axes.length === 0) return x
  const ends = lengths(
    g,
    axes.map(axis => like.shape[axis]!),
    [like],
  )
  const made = g.node('Slice', [x, g.integers(axes.map(() => 0)), ends, g.integers(axes)], {})[0]!
  return { ...made, shape: made.shape.map((length, axis) => (axes.includes(axis) ? like.shape[axis]! : length)) }
}
