// what nodes make of small vectors whose contents are known, operator by operator
import type { OpName } from '../onnx/operators'
import { broadcast, clampedPlace, positive, slicedLength } from '../onnx/shapes'
import type { Dimension, Node, Value } from '../onnx/types'
import { type DataType, sizeOf } from '../tensor'
import { known } from './writing'

/** Values of more elements are not followed: masks and positions are data. */
export const most = 1024

/** An item that is known: a number, or the name of a length. */
export type Item = Dimension | undefined

/** What a value holds, row by row. */
export interface Contents {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly items: readonly Item[]
}

type Found = Omit<Contents, 'dtype'> | undefined
type Rule<Op extends OpName> = (node: Node<Op>, inputs: readonly (Contents | undefined)[]) => Found

/** An operator of numbers on items: names take part only where the number leaves them as they are. */
const elementwise =
  (compute: (...numbers: number[]) => number, names?: (a: Item, b: Item) => Item): Rule<OpName> =>
  ({ outputs }, inputs) => {
    if (inputs.some(input => input === undefined)) return undefined
    const operands = inputs as readonly Contents[]
    const dims = broadcastDims(operands.map(operand => operand.dims))
    const integer = outputs[0]!.dtype !== 'float32'
    return filled(dims, i => {
      const taken = operands.map(operand => operand.items[placeIn(operand.dims, dims, i)])
      if (!taken.every((item): item is number => typeof item === 'number')) return names?.(taken[0], taken[1])
      const value = compute(...taken)
      if (integer && !Number.isFinite(value)) return undefined
      return integer ? Math.trunc(value) : Math.fround(value)
    })
  }

/** The items of a shape, each by its place; nothing is made of a shape that is not followed. */
function filled(dims: readonly number[], itemAt: (place: number) => Item): Found {
  const length = sizeOf(dims)
  return length > most ? undefined : { dims, items: Array.from({ length }, (_, place) => itemAt(place)) }
}

function broadcastDims(all: readonly (readonly number[])[]): readonly number[] {
  return all.reduce<readonly number[]>((whole, dims) => broadcast(whole, dims) as readonly number[], [])
}

/** Where the item of a broadcast result comes from in an operand. */
function placeIn(dims: readonly number[], whole: readonly number[], at: number): number {
  let rest = at
  let place = 0
  let stride = 1
  for (let axis = whole.length - 1; axis >= 0; axis--) {
    const index = rest % whole[axis]!
    rest = Math.floor(rest / whole[axis]!)
    const own = dims[axis - whole.length + dims.length]
    if (own === undefined) continue
    if (own !== 1) place += index * stride
    stride *= own
  }
  return place
}

/** Items of another shape: each is taken from the place in x that `from` says for its own. */
function picked(x: Contents, dims: readonly number[], from: (index: readonly number[]) => readonly number[]): Found {
  return filled(dims, place => {
    const index: number[] = []
    let rest = place
    for (const length of dims.toReversed()) {
      index.unshift(rest % length)
      rest = Math.floor(rest / length)
    }
    return x.items[from(index).reduce((sum, at, axis) => sum * x.dims[axis]! + at, 0)]
  })
}

const vector = (items: readonly Item[]): Found => ({ dims: [items.length], items })

const sameItems: Rule<OpName> = (_, [x]) => x

/** The items in the shape that the output was found to have. */
const inShape: Rule<OpName> = ({ outputs }, [x]) => {
  const { shape } = outputs[0] as Value
  if (x === undefined || !known(shape)) return undefined
  return { dims: shape, items: x.items }
}

const slice: Rule<'Slice'> = ({ inputs }, [x, starts, ends, axes, steps]) => {
  if (x === undefined || starts === undefined || ends === undefined) return undefined
  if ((inputs[3] !== undefined && axes === undefined) || (inputs[4] !== undefined && steps === undefined))
    return undefined
  const bounds = [starts, ends, axes, steps].map(list => list?.items)
  if (!bounds.every(list => list?.every(item => typeof item === 'number') !== false)) return undefined
  const [from, to, at, by] = bounds as readonly (readonly number[])[]
  const first = x.dims.map(() => 0)
  const step = x.dims.map(() => 1)
  const dims = [...x.dims]
  from!.forEach((start, k) => {
    const axis = positive(at?.[k] ?? k, dims.length)
    const length = x.dims[axis]!
    step[axis] = by?.[k] ?? 1
    first[axis] = clampedPlace(start, length, step[axis])
    dims[axis] = slicedLength(length, start, to![k]!, step[axis])
  })
  return picked(x, dims, index => index.map((place, axis) => first[axis]! + place * step[axis]!))
}

const gather: Rule<'Gather'> = ({ attributes }, [x, index]) => {
  if (x === undefined || index === undefined || x.dims.length === 0) return undefined
  const axis = positive(attributes.axis ?? 0, x.dims.length)
  const places = index.items.map(item => (typeof item === 'number' && item < 0 ? item + x.dims[axis]! : item))
  if (!places.every((item): item is number => typeof item === 'number')) return undefined
  const dims = [...x.dims.slice(0, axis), ...index.dims, ...x.dims.slice(axis + 1)]
  return picked(x, dims, at => {
    const inner = at.slice(axis, axis + index.dims.length)
    const place = places[inner.reduce((sum, own, i) => sum * index.dims[i]! + own, 0)]!
    return [...at.slice(0, axis), place, ...at.slice(axis + index.dims.length)]
  })
}

const concat: Rule<'Concat'> = ({ attributes }, inputs) => {
  if (inputs.some(input => input === undefined)) return undefined
  const parts = inputs as readonly Contents[]
  const axis = positive(attributes.axis, parts[0]!.dims.length)
  const inner = (dims: readonly number[]): number => sizeOf(dims.slice(axis))
  const outer = sizeOf(parts[0]!.dims.slice(0, axis))
  const total = parts.reduce((sum, { dims }) => sum + dims[axis]!, 0)
  if (outer * inner(parts[0]!.dims.with(axis, total)) > most) return undefined
  const items = Array.from({ length: outer }, (_, row) =>
    parts.flatMap(part => part.items.slice(row * inner(part.dims), (row + 1) * inner(part.dims))),
  )
  return { dims: parts[0]!.dims.with(axis, total), items: items.flat() }
}

export const contentRules: { readonly [Op in OpName]?: Rule<Op> } = {
  Shape: ({ inputs: [x], attributes: { start, end } }) => vector(x!.shape.slice(start, end)),
  Identity: sameItems,
  Cast: ({ outputs }, [x]) => {
    if (x === undefined || outputs[0]!.dtype === 'bool') return x && { ...x, items: x.items.map(truth) }
    return outputs[0]!.dtype === 'float32'
      ? x
      : { ...x, items: x.items.map(item => (typeof item === 'number' ? Math.trunc(item) : item)) }
  },
  Gather: gather,
  Concat: concat,
  Unsqueeze: inShape,
  Squeeze: inShape,
  Reshape: inShape,
  Expand: ({ outputs }, [x]) => {
    const { shape } = outputs[0] as Value
    if (x === undefined || !known(shape)) return undefined
    return filled(shape, place => x.items[placeIn(x.dims, shape, place)])
  },
  Transpose: ({ attributes: { perm } }, [x]) => {
    if (x === undefined) return undefined
    const order = perm ?? x.dims.map((_, i) => x.dims.length - 1 - i)
    return picked(
      x,
      order.map(axis => x.dims[axis]!),
      index => x.dims.map((_, axis) => index[order.indexOf(axis)]!),
    )
  },
  Slice: slice,
  Range: (_, [start, limit, delta]) => {
    const [from, to, by] = [start?.items[0], limit?.items[0], delta?.items[0]]
    if (typeof from !== 'number' || typeof to !== 'number' || typeof by !== 'number' || by === 0) return undefined
    const length = Math.max(0, Math.ceil((to - from) / by))
    return length > most ? undefined : vector(Array.from({ length }, (__, i) => from + i * by))
  },
  Add: elementwise(
    (a, b) => a + b,
    (a, b) => (a === 0 ? b : b === 0 ? a : undefined),
  ),
  Sub: elementwise(
    (a, b) => a - b,
    (a, b) => (b === 0 ? a : typeof a === 'string' && a === b ? 0 : undefined),
  ),
  Mul: elementwise(
    (a, b) => a * b,
    (a, b) => (a === 1 ? b : b === 1 ? a : undefined),
  ),
  Div: elementwise(
    (a, b) => a / b,
    (a, b) => (b === 1 ? a : undefined),
  ),
  Mod: (node, inputs) =>
    elementwise((a, b) => (node.attributes.fmod === 1 ? a % b : a - b * Math.floor(a / b)))(node, inputs),
  Min: elementwise(Math.min, sameName),
  Max: elementwise(Math.max, sameName),
  Neg: elementwise(a => -a),
  Abs: elementwise(Math.abs, a => a),
  Sqrt: elementwise(Math.sqrt),
  Pow: elementwise((a, b) => a ** b),
  Reciprocal: elementwise(a => 1 / a),
  Floor: elementwise(Math.floor, a => a),
  Round: elementwise(a => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a))),
  Equal: elementwise(
    (a, b) => Number(a === b),
    (a, b) => (differs(a, b) ? 0 : typeof a === 'string' && a === b ? 1 : undefined),
  ),
  Greater: elementwise((a, b) => Number(a > b)),
  Less: elementwise((a, b) => Number(a < b)),
  GreaterOrEqual: elementwise((a, b) => Number(a >= b)),
  LessOrEqual: elementwise((a, b) => Number(a <= b)),
  Not: elementwise(a => 1 - a),
  And: elementwise((a, b) => Number(a !== 0 && b !== 0)),
  Or: elementwise((a, b) => Number(a !== 0 || b !== 0)),
  Where: (_, [condition, a, b]) => {
    if (condition === undefined || a === undefined || b === undefined) return undefined
    const dims = broadcastDims([condition.dims, a.dims, b.dims])
    return filled(dims, place => {
      const truthOf = condition.items[placeIn(condition.dims, dims, place)]
      const of = truthOf === 1 ? a : truthOf === 0 ? b : undefined
      return of?.items[placeIn(of.dims, dims, place)]
    })
  },
}

/** -1, which is what graphs compare shapes with, is no length. */
function differs(a: Item, b: Item): boolean {
  return (a === -1 && typeof b === 'string') || (b === -1 && typeof a === 'string')
}

function sameName(a: Item, b: Item): Item {
  return a === b ? a : undefined
}

/** Of a name nothing is known: a length may be 0. */
function truth(item: Item): Item {
  return typeof item === 'number' ? Number(item !== 0) : undefined
}
