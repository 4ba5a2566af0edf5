// arithmetic on shapes: what small vectors of numbers hold is worked out while a graph is written, names of lengths
// included, so that the shapes of what is reshaped by them are known
import type { OpName } from '../onnx/operators'
import { clampedPlace } from '../onnx/shapes'
import type { Dimension, Node, Value } from '../onnx/types'
import { type DataType, sizeOf, Tensor } from '../tensor'

/** An item that is known: a number, or the name of a length. */
export type Item = Dimension | undefined

/** What a value holds, row by row. */
export interface Contents {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly items: readonly Item[]
}

/** Values of more elements are not followed: masks and positions are data. */
const most = 1024

/** What values of a graph hold. */
export class KnownContents {
  readonly #known = new Map<string, Contents>()
  readonly #constant: (value: Value) => Tensor | undefined

  constructor(constant: (value: Value) => Tensor | undefined) {
    this.#constant = constant
  }

  of(value: Value | undefined): Contents | undefined {
    if (value === undefined) return undefined
    const known = this.#known.get(value.name)
    if (known !== undefined) return known
    const tensor = this.#constant(value)
    if (tensor === undefined || tensor.size > most || !followed.has(tensor.dtype)) return undefined
    const contents = {
      dtype: tensor.dtype,
      dims: tensor.dims,
      items: Array.from(tensor.data as ArrayLike<number>, Number),
    }
    this.#known.set(value.name, contents)
    return contents
  }

  /** Takes note of what a new node's output holds. */
  follow(node: Node): void {
    const [output] = node.outputs
    if (output === undefined || !followed.has(output.dtype)) return
    const found = rules[node.op]?.(
      node as never,
      node.inputs.map(input => this.of(input)),
    )
    if (found === undefined || found.items.length > most || found.items.length !== sizeOf(found.dims)) return
    this.#known.set(output.name, { ...found, dtype: output.dtype })
  }

  /** A value's contents as a tensor, if all of them are numbers. */
  tensor(value: Value): Tensor | undefined {
    const contents = this.of(value)
    if (contents === undefined || !contents.items.every((item): item is number => typeof item === 'number'))
      return undefined
    const { dtype, dims, items } = contents
    return Tensor.from(dtype, items).reshape(dims)
  }
}

const followed: ReadonlySet<DataType> = new Set<DataType>(['int64', 'int32', 'bool', 'float32'])

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
    const items = Array.from({ length: sizeOf(dims) }, (_, i) => {
      const taken = operands.map(operand => operand.items[placeIn(operand.dims, dims, i)])
      if (!taken.every((item): item is number => typeof item === 'number')) return names?.(taken[0], taken[1])
      const value = compute(...taken)
      return integer ? Math.trunc(value) : Math.fround(value)
    })
    return { dims, items }
  }

function broadcastDims(all: readonly (readonly number[])[]): readonly number[] {
  const rank = Math.max(0, ...all.map(dims => dims.length))
  return Array.from({ length: rank }, (_, i) => {
    const lengths = all.map(dims => dims[i - rank + dims.length] ?? 1)
    return lengths.find(length => length !== 1) ?? 1
  })
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

const vector = (items: readonly Item[]): Found => ({ dims: [items.length], items })

const sameItems: Rule<OpName> = (_, [x]) => x

const rules: { readonly [Op in OpName]?: Rule<Op> } = {
  Shape: ({ inputs: [x], attributes: { start, end } }) => vector(x!.shape.slice(start, end)),
  Identity: sameItems,
  Cast: ({ outputs }, [x]) => {
    if (x === undefined || outputs[0]!.dtype === 'bool') return x && { ...x, items: x.items.map(truth) }
    return outputs[0]!.dtype === 'float32'
      ? x
      : { ...x, items: x.items.map(item => (typeof item === 'number' ? Math.trunc(item) : item)) }
  },
  Gather: ({ attributes }, [x, index]) => {
    if (x === undefined || index === undefined || x.dims.length !== 1 || (attributes.axis ?? 0) !== 0) return undefined
    return { dims: index.dims, items: index.items.map(at => (typeof at === 'number' ? x.items.at(at) : undefined)) }
  },
  Concat: (_, inputs) =>
    inputs.every(input => input?.dims.length === 1) ? vector(inputs.flatMap(input => input!.items)) : undefined,
  Unsqueeze: ({ outputs }, [x]) => x && reshapedTo(outputs[0]!, x.items),
  Squeeze: ({ outputs }, [x]) => x && reshapedTo(outputs[0]!, x.items),
  Reshape: (_, [x, target]) => {
    if (x === undefined || target === undefined || target.items.length > 1) return undefined
    return target.items.length === 0 ? { dims: [], items: x.items } : vector(x.items)
  },
  Slice: ({ inputs }, [x, starts, ends, axes, steps]) => {
    if (x === undefined || x.dims.length !== 1 || (inputs[3] !== undefined && axes === undefined)) return undefined
    const [start, end, step = 1] = [starts?.items[0], ends?.items[0], steps?.items[0]]
    if (typeof start !== 'number' || typeof end !== 'number' || typeof step !== 'number' || step === 0) return undefined
    const items: Item[] = []
    const last = clampedPlace(end, x.items.length, step)
    for (let at = clampedPlace(start, x.items.length, step); step > 0 ? at < last : at > last; at += step)
      items.push(x.items[at])
    return vector(items)
  },
  Add: elementwise(
    (a, b) => a + b,
    (a, b) => (a === 0 ? b : b === 0 ? a : undefined),
  ),
  Sub: elementwise(
    (a, b) => a - b,
    (a, b) => (b === 0 ? a : undefined),
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
  Min: elementwise(Math.min),
  Max: elementwise(Math.max),
  Neg: elementwise(a => -a),
  Sqrt: elementwise(Math.sqrt),
  Pow: elementwise((a, b) => a ** b),
  Reciprocal: elementwise(a => 1 / a),
  Floor: elementwise(Math.floor),
  Round: elementwise(a => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a))),
  Equal: elementwise(
    (a, b) => Number(a === b),
    (a, b) => (differs(a, b) ? 0 : undefined),
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
    const pick = (_item: unknown, i: number): Item => {
      const truthOf = condition.items[placeIn(condition.dims, dims, i)]
      const of = truthOf === 1 ? a : truthOf === 0 ? b : undefined
      return of?.items[placeIn(of.dims, dims, i)]
    }
    return { dims, items: Array.from({ length: sizeOf(dims) }, pick) }
  },
}

/** -1, which is what graphs compare shapes with, is no length. */
function differs(a: Item, b: Item): boolean {
  return (a === -1 && typeof b === 'string') || (b === -1 && typeof a === 'string')
}

function truth(item: Item): Item {
  return typeof item === 'number' ? Number(item !== 0) : item
}

function reshapedTo({ shape }: Value, items: readonly Item[]): Found {
  return shape.every((length): length is number => typeof length === 'number') ? { dims: shape, items } : undefined
}
