// int64 → int32: devices move int64, but WebGPU has no kernels that compute with it
import { GraphBuilder } from '../onnx/builder'
import type { OpName } from '../onnx/operators'
import type { Dimension, Graph, Node, Value } from '../onnx/types'
import { Tensor } from '../tensor'

/** The largest number that an input which became int32 may have: a table of words or of classes is never so long. */
export const largestGiven = 2 ** 24

const largestOfInt32 = 2 ** 31 - 1
const largestOfFloat32 = 2 ** 24
/** More than any length that has a name. */
const longest = 2 ** 24

/** The largest magnitude of a result, by those of the operands. */
type Bound = (operands: readonly number[], node: Node) => number

/** How an operator computes with whole numbers. */
interface Row {
  /** The inputs that are of one type with the result; all unless given. */
  readonly operands?: readonly number[]
  /** Inputs that are places, of either type. */
  readonly places?: number
  readonly bound: Bound
  /** Whether WebGPU has a kernel of it for float32 alone, which holds whole numbers up to 2²⁴. */
  readonly asFloats?: true
}

const largest: Bound = operands => Math.max(...operands)
const sum: Bound = operands => operands.reduce((a, b) => a + b)
const product: Bound = operands => operands.reduce((a, b) => a * b)
const sumOver: Bound = ([x = Infinity], { inputs: [summed] }) => x * elements(summed!.shape)
/** Along the longest of the axes. */
const sumAlong: Bound = ([x = Infinity], { inputs: [summed] }) =>
  x * Math.max(...summed!.shape.map(length => elements([length])))
const moved: Row = { operands: [0], bound: largest }
const compared: Row = { bound: () => 1 }

/** THE table. What has no row here computes with int64 as before. */
const rows: { readonly [Op in OpName]?: Row } = {
  Add: { bound: sum },
  Sub: { bound: sum },
  Mul: { bound: product },
  Div: { bound: ([a = Infinity]) => a },
  Mod: { bound: ([, b = Infinity]) => b },
  Min: { bound: largest },
  Max: { bound: largest },
  Equal: compared,
  Greater: compared,
  Less: compared,
  GreaterOrEqual: compared,
  LessOrEqual: compared,
  Where: { operands: [1, 2], bound: largest },
  Neg: { ...moved, asFloats: true },
  Abs: { ...moved, asFloats: true },
  Relu: { ...moved, asFloats: true },
  Identity: moved,
  Reshape: moved,
  Transpose: moved,
  Expand: moved,
  Squeeze: moved,
  Unsqueeze: moved,
  Slice: { ...moved, asFloats: true },
  Split: moved,
  Concat: { bound: largest },
  Pad: { operands: [0, 2], bound: largest },
  ReduceMax: moved,
  ReduceSum: { operands: [0], bound: sumOver },
  CumSum: { operands: [0], bound: sumAlong },
  Gather: { operands: [0], places: 1, bound: largest },
  GatherElements: { operands: [0], places: 1, bound: largest, asFloats: true },
  ScatterElements: {
    operands: [0, 2],
    places: 1,
    bound: (operands, node) => (addsUp(node as Node<'ScatterElements'>) ? Infinity : largest(operands, node)),
  },
  Shape: { operands: [], places: 0, bound: () => longest },
}

function addsUp({ attributes: { reduction = 'none' } }: Node<'ScatterElements'>): boolean {
  return reduction !== 'none'
}

function elements(shape: readonly Dimension[]): number {
  return shape.reduce<number>((count, length) => count * (typeof length === 'number' ? length : longest), 1)
}

/**
 * The graph with int32 in place of int64: its inputs, and what is computed from them for as long as that cannot go beyond
 * int32, if no number that is given goes beyond {@link largestGiven}. Lengths of tensors, constants as axes and shapes, and
 * outputs stay int64, and so do inputs that something reads as int64: as lengths, where they are on the processor.
 */
export function narrowed(graph: Graph, wide: ReadonlySet<string> = new Set()): Graph {
  if (!graph.inputs.some(({ name, dtype }) => dtype === 'int64' && !wide.has(name))) return graph
  const writer = new Narrowing(graph, wide)
  for (const node of graph.nodes) writer.write(node)
  const built = writer.build()
  return writer.widened.size === 0 ? built : narrowed(graph, new Set([...wide, ...writer.widened]))
}

class Narrowing {
  readonly #graph: Graph
  readonly #builder: GraphBuilder
  /** What values have become, by their names: int32 for int64, or another value of the same type. */
  readonly #twins = new Map<string, Value>()
  /** The magnitudes of whole numbers that are known, by the names of the values in the graph that is given. */
  readonly #bounds = new Map<string, number>()
  readonly #casts = new Map<string, Value>()
  /** Inputs that became int32, but are read as int64 too. */
  readonly widened = new Set<string>()

  constructor(graph: Graph, wide: ReadonlySet<string>) {
    this.#graph = graph
    const isNarrowed = ({ name, dtype }: Value): boolean => dtype === 'int64' && !wide.has(name)
    const inputs = graph.inputs.map(input => (isNarrowed(input) ? { ...input, dtype: 'int32' as const } : input))
    this.#builder = GraphBuilder.over({ ...graph, inputs })
    for (const [i, input] of graph.inputs.entries()) {
      if (!isNarrowed(input)) continue
      this.#twins.set(input.name, inputs[i]!)
      this.#bounds.set(input.name, largestGiven)
    }
  }

  write(node: Node): void {
    if (node.op === 'Cast') return this.#cast(node as Node<'Cast'>)
    const row = rows[node.op]
    const operands = node.inputs.filter((input, i) => input !== undefined && isOperand(row, i)) as readonly Value[]
    const bounds = operands.map(value => this.#boundOf(value))
    const bound = row?.bound(bounds, node) ?? Infinity
    this.#takeNote(node, bound)
    const isTouched = [...operands, node.inputs[row?.places ?? -1]].some(input => this.#isNarrow(input))
    const limit = row?.asFloats ? largestOfFloat32 : largestOfInt32
    const narrows = isTouched && bound <= limit && operands.some(({ dtype }) => dtype === 'int64')
    const narrow = row?.asFloats ? 'float32' : 'int32'
    const inputs = node.inputs.map((input, i) => {
      if (input === undefined) return undefined
      if (row?.places === i) return this.#twins.get(input.name) ?? input
      return this.#as(input, narrows && isOperand(row, i) ? narrow : input.dtype)
    })
    if (narrows) this.#repeat({ ...node, inputs })
    else this.#builder.append({ ...node, inputs })
  }

  build(): Graph {
    return this.#builder.build(
      Object.fromEntries(this.#graph.outputs.map(output => [output.name, this.#as(output, output.dtype)])),
    )
  }

  /** A cast; from or to int64 it may be another one, or none. */
  #cast(node: Node<'Cast'>): void {
    const [x, y] = [node.inputs[0]!, node.outputs[0]!]
    const { to } = node.attributes
    const bound = this.#boundOf(x)
    this.#takeNote(node, bound)
    const twin = this.#twins.get(x.name) ?? x
    const isToNarrow = to === 'int64' && bound <= largestOfInt32 && twin.dtype !== 'int64'
    const wanted = isToNarrow ? 'int32' : to
    if (!isToNarrow && twin === x) return this.#builder.append(node)
    const value = twin.dtype === wanted ? twin : this.#builder.scope(node.name, () => this.#builder.cast(twin, wanted))
    this.#twins.set(y.name, { ...value, shape: y.shape })
  }

  /** Writes a node with other types than it had. */
  #repeat(node: Node): void {
    const { op, name, inputs, attributes, outputs } = node
    const made = this.#builder.scope(name, () => this.#builder.node(op, inputs, attributes, outputs.length))
    outputs.forEach((output, i) => {
      if (output === undefined) return
      const value = made[i]!.dtype === 'float32' ? this.#builder.cast(made[i]!, 'int32') : made[i]!
      this.#twins.set(output.name, { ...value, shape: output.shape })
    })
  }

  #takeNote({ outputs }: Node, bound: number): void {
    for (const output of outputs)
      if (output !== undefined && isWhole(output)) this.#bounds.set(output.name, Math.min(bound, most[output.dtype]))
  }

  /** A value in another of its types; a constant as a constant. */
  #as(value: Value, dtype: Value['dtype']): Value {
    const twin = this.#twins.get(value.name) ?? value
    if (twin.dtype === dtype) return twin
    const tensor = this.#builder.constantOf(twin)
    if (tensor !== undefined && dtype === 'int32')
      return this.#builder.constant(
        new Tensor('int32', Int32Array.from(tensor.data as BigInt64Array, Number), tensor.dims),
      )
    if (dtype === 'int64' && this.#graph.inputs.some(({ name }) => name === value.name)) this.widened.add(value.name)
    const key = `${dtype} ${twin.name}`
    const known = this.#casts.get(key) ?? this.#builder.cast(twin, dtype)
    this.#casts.set(key, known)
    return known
  }

  #isNarrow(value: Value | undefined): boolean {
    return value !== undefined && this.#twins.get(value.name)?.dtype === 'int32'
  }

  #boundOf(value: Value): number {
    if (!isWhole(value)) return Infinity
    const tensor = this.#graph.initializers.get(value.name)?.tensor
    if (tensor !== undefined) return largestIn(tensor)
    return this.#bounds.get(value.name) ?? most[value.dtype]
  }
}

function largestIn({ data }: Tensor): number {
  let largest = 0
  for (const number of data) largest = Math.max(largest, Math.abs(Number(number)))
  return largest
}

function isOperand(row: Row | undefined, at: number): boolean {
  return row !== undefined && at !== row.places && (row.operands?.includes(at) ?? true)
}

/** What the types of whole numbers hold. */
const most = { int64: Infinity, int32: largestOfInt32, bool: 1 } as const

function isWhole(value: Value): value is Value & { readonly dtype: keyof typeof most } {
  return Object.hasOwn(most, value.dtype)
}
