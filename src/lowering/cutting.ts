import { TrainerError } from '../errors'
import { positive, toEnd } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { lengthOf, merged, placesAlong } from './axes'
import { typedLike } from './backThrough'
import type { LoweringTable, Site } from './Lowering'
import { native, trimmed } from './native'
import { axesOf, bounded, known } from './writing'

/** What takes parts of a tensor, or puts parts together. */
export const cutting: LoweringTable = {
  Slice: { how: 'as it is', carries: [0], lower: slice },
  Split: { how: 'as it is', carries: [0], lower: split },
  Pad: { how: 'as it is; Gather of what is repeated, reflected or wrapped around', carries: [0], lower: pad },
  Gather: { how: 'as it is', carries: [0], lower: native },
  GatherND: { how: 'Gather of rows that are numbered through', carries: [0], lower: gatherND },
  Tile: { how: 'Expand, with an axis before each that is repeated', carries: [0], lower: tile },
}

function slice(site: Site): Value {
  const { graph, input, inputs, attributes, lengths } = site
  const x = input(0)
  const asAttributes = attributes.has('starts')
  const listed = (name: string, at: number): Value | undefined => {
    const numbers = attributes.numbers(name)
    return asAttributes ? numbers && graph.integers(numbers.map(bounded)) : inputs[at]
  }
  const [starts, ends, axes, steps] = [listed('starts', 1), listed('ends', 2), listed('axes', 3), inputs[4]]
  if (starts === undefined || ends === undefined) throw new TrainerError('file', 'it has no starts or no ends.')
  const bounds = [starts, ends].map(bound => wholeNumbers(site, bound))
  const at = [axes, steps].map(value => value && wholeNumbers(site, value))
  const [value] = graph.node('Slice', trimmed([x, ...bounds, ...at]), {})
  if (known(value!.shape)) return value!
  const [from, to, by] = [lengths(starts), lengths(ends), steps === undefined ? undefined : lengths(steps)]
  const along = (axes === undefined ? undefined : lengths(axes)) ?? from?.map((_, k) => k) ?? []
  const shape = value!.shape.map((length, axis) => {
    const k = along.findIndex(one => typeof one === 'number' && positive(one, x.shape.length) === axis)
    if (k < 0 || typeof length === 'number') return length
    return slicedName(x.shape[axis]!, from?.[k], to?.[k], by === undefined ? 1 : by[k]) ?? length
  })
  return graph.assume(value!, shape)
}

/** Starts, ends, axes and steps that are known as a constant, which is what inference reads. */
function wholeNumbers({ graph, constant }: Site, value: Value): Value {
  const tensor = constant(value)
  return tensor === undefined ? value : graph.constant(tensor)
}

/** The name that a slice's length has: it takes all, or as many from the front as the name says. */
function slicedName(
  whole: Dimension,
  from: Dimension | undefined,
  to: Dimension | undefined,
  step: Dimension | undefined,
): Dimension | undefined {
  if (from !== 0 || step !== 1) return undefined
  if (typeof to === 'string') return to
  return typeof to === 'number' && to >= toEnd ? whole : undefined
}

function split(site: Site): readonly Value[] {
  const { graph, input, inputs, attributes, outputs } = site
  const x = input(0)
  const axis = attributes.int('axis', 0)
  const asAttribute = attributes.numbers('split')
  const lengths = asAttribute === undefined ? inputs[1] : graph.integers(asAttribute)
  const parts = attributes.int('num_outputs', outputs)
  if (lengths !== undefined) return graph.node('Split', [x, wholeNumbers(site, lengths)], { axis }, outputs)
  return graph.node('Split', [x], { axis, num_outputs: parts }, outputs)
}

function pad(site: Site): Value {
  const { graph, input, inputs, attributes } = site
  const x = input(0)
  const mode = attributes.text('mode', 'constant')
  if (mode !== 'constant' && !Object.hasOwn(beyond, mode))
    throw new TrainerError('graph', `its mode "${mode}" is not one of constant, reflect, edge, wrap.`)
  const pads = attributes.numbers('pads') ?? site.numbers(1, 'pads')
  const fill = attributes.float('value')
  const value = fill === undefined || fill === 0 ? inputs[2] : graph.constant(fill, x.dtype)
  const axes = axesOf(site, 3)
  if (pads.every(amount => amount === 0)) return x
  if (mode !== 'constant') return repeatedBeyond(site, x, beyond[mode]!, pads, axes ?? x.shape.map((_, i) => i))
  const given = [x, graph.integers(pads), value && graph.reshape(value, []), axes && graph.integers(axes)]
  return graph.node('Pad', trimmed(given), { mode })[0]!
}

/** Which element a place beyond the ends of an axis stands for; `last` is the place of its last element. */
type Beyond = (g: Site['graph'], place: Value, last: Value) => Value

const beyond: Readonly<Record<string, Beyond>> = {
  edge: (g, place, last) => g.node('Max', [g.node('Min', [place, last], {})[0]!, g.constant(0, 'int64')], {})[0]!,
  reflect(g, place, last) {
    const absolute = (x: Value): Value => g.node('Abs', [x], {})[0]!
    return g.sub(last, absolute(g.sub(last, absolute(place))))
  },
  wrap: (g, place, last) => g.node('Mod', [place, g.add(last, 1)], {})[0]!,
}

/** What is cut off is cut first; then axis by axis a Gather, which has a gradient where a Pad of the same mode has none. */
function repeatedBeyond(
  { graph: g }: Site,
  x: Value,
  elementAt: Beyond,
  pads: readonly number[],
  axes: readonly number[],
): Value {
  const cuts = pads.map(amount => Math.min(0, amount))
  const left = cuts.some(amount => amount < 0)
    ? g.node('Pad', [x, g.integers(cuts), undefined, g.integers(axes)], { mode: 'constant' })[0]!
    : x
  return axes.reduce((made, stated, k) => {
    const [before, after] = [Math.max(0, pads[k]!), Math.max(0, pads[k + axes.length]!)]
    if (before === 0 && after === 0) return made
    const axis = positive(stated, x.shape.length)
    const length = lengthOf(g, left, axis)
    const bounds = [g.constant(-before, 'int64'), g.add(length, after), g.constant(1, 'int64')]
    const value = g.gather(made, elementAt(g, g.node('Range', bounds, {})[0]!, g.sub(length, 1)), axis)
    const whole = left.shape[axis]!
    return typeof whole === 'string' ? value : g.assume(value, value.shape.with(axis, whole + before + after))
  }, left)
}

function gatherND({ graph: g, input, attributes }: Site): Value {
  const [rows, place] = numberedRows(g, input(0), input(1), attributes.int('batch_dims', 0))
  return g.gather(rows, place)
}

/**
 * The rows of x that tuples name, and which of them each tuple is: the axes that a tuple names are numbered through, and
 * with those before them that both have in common (`batch_dims`).
 */
export function numberedRows(g: Site['graph'], x: Value, index: Value, shared: number): readonly [Value, Value] {
  const depth = index.shape.at(-1)
  if (typeof depth !== 'number' || shared + depth > x.shape.length)
    throw new TrainerError(
      'graph',
      `the last length of its indices is ${depth}; it must be known, and no more than axes.`,
    )
  const places = g.cast(index, 'int64')
  const named = Array.from({ length: depth }, (_, k) => {
    const own = g.gather(places, g.constant(k, 'int64'), index.shape.length - 1)
    return g.where(g.less(own, 0), g.add(own, lengthOf(g, x, shared + k)), own)
  })
  const common = Array.from({ length: shared }, (_, axis) => placesAlong(g, x, axis, index.shape.length - axis - 2))
  const numbered = [...common, ...named].reduce((at, own, k) => g.add(g.mul(at, lengthOf(g, x, k)), own))
  const place = shared + depth === 1 ? numbered : g.assume(numbered, typedLike(numbered, index).shape)
  return [merged(g, x, 0, shared + depth), place]
}

function tile(site: Site): Value {
  const { graph: g, input, lengths } = site
  const [x, repeats] = [input(0), input(1)]
  const times = lengths(repeats)
  if (times?.every(n => n === 1) === true || x.shape.length === 0) return x
  const rank = x.shape.length
  // an axis that has one element is stretched as it is
  if (times !== undefined && x.shape.every((length, i) => length === 1 || times[i] === 1)) {
    const [value] = g.node('Expand', [x, repeats], {})
    return g.assume(
      value!,
      x.shape.map((length, i) => (times[i] === 1 ? length : (times[i] ?? value!.shape[i]!))),
    )
  }
  const between =
    times?.every(n => typeof n === 'number') === true
      ? g.integers(times.flatMap(n => [n, 1]))
      : alternated(g, repeats, g.integers(Array.from({ length: rank }, () => 1)))
  const apart = g.unsqueeze(
    x,
    x.shape.map((_, i) => 2 * i),
  )
  const copies = g.node('Expand', [apart, between], {})[0]!
  const whole = x.shape.map((length, i): Dimension | undefined => {
    const n = times?.[i]
    return n === 1 ? length : typeof n === 'number' && typeof length === 'number' ? n * length : undefined
  })
  const stretched = g.assume(
    copies,
    copies.shape.map((length, i) => (i % 2 === 1 ? x.shape[(i - 1) / 2]! : (times?.[i / 2] ?? length))),
  )
  if (known(whole as readonly Dimension[])) return g.reshape(stretched, whole as readonly number[])
  const target = g.mul(g.shape(x), repeats)
  const value = g.reshape(stretched, target)
  return g.assume(
    value,
    whole.map((length, i) => length ?? value.shape[i]!),
  )
}

/** One of a, one of b, and so on. */
function alternated(g: Site['graph'], a: Value, b: Value): Value {
  const columns = [a, b].map(vector => g.unsqueeze(vector, [1]))
  return g.reshape(g.concat(columns, 1), [-1])
}
