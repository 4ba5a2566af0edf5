import type { OpName } from '../onnx/operators'
import type { Graph, Node, Value } from '../onnx/types'
import { bytesPerElement } from '../tensor'

/** In which buffer each value of a graph is, and how long. */
export interface BufferPlan {
  /** In the order in which they run. */
  readonly nodes: readonly Node[]
  /** By the names of values, the name of the value that its buffer was made for; what a caller gives is its own. */
  readonly bufferOf: ReadonlyMap<string, string>
  /** By nodes, the buffers that are freed after it has run. */
  readonly freed: ReadonlyMap<Node, readonly string[]>
}

/** Operators whose output is their first input under another shape (`Alias` of the kernel). */
const aliasing = new Set<OpName>(['Reshape', 'Squeeze', 'Unsqueeze', 'Identity'])

/** Operators that may write over their first input, where nothing else reads it (`MayInplace` of the kernel). */
const overwriting = new Set<OpName>(['Relu', 'Tanh', 'Sigmoid', 'Softmax', 'Cast', 'ScatterElements'])

/**
 * The buffers that ONNX Runtime's planner decides on when it loads a graph (`ComputeSingleStreamReusePlan` and
 * `GenerateDeallocationPlan` in core/framework/allocation_planner.cc, without memory patterns). A value whose shape is that
 * of a dead one takes its buffer, the one that died last, and a buffer is freed after the last node that reads any of its
 * values: it stays taken in between, so that buffers hold more than the values that live.
 */
export function planBuffers(graph: Graph): BufferPlan {
  const nodes = runOrder(graph)
  const planner = new Planner(graph, nodes)
  for (const node of nodes) planner.place(node)
  const readers = new Map<string, Node>()
  for (const node of nodes)
    for (const input of node.inputs) if (input !== undefined) readers.set(planner.bufferOf.get(input.name)!, node)
  const freed = new Map<Node, string[]>()
  for (const [buffer, node] of readers) freed.set(node, [...(freed.get(node) ?? []), buffer])
  return { nodes, bufferOf: planner.bufferOf, freed }
}

class Planner {
  readonly bufferOf = new Map<string, string>()
  readonly #uses = new Map<string, number>()
  readonly #constants: ReadonlySet<string>
  readonly #outputs: ReadonlySet<string>
  /** The operators that read a value. */
  readonly #readers = new Map<string, OpName[]>()
  /** Dead buffers, the last one first, with the values that they were made for. */
  readonly #free: Value[] = []
  readonly #madeFor = new Map<string, Value>()

  constructor({ inputs, outputs, initializers }: Graph, nodes: readonly Node[]) {
    const given = [...inputs.map(({ name }) => name), ...initializers.keys()]
    for (const name of given) this.bufferOf.set(name, name)
    for (const name of [...given, ...outputs.map(output => output.name)]) this.#count(name, 1) // read by the caller
    this.#outputs = new Set(outputs.map(({ name }) => name))
    const scalars = [...initializers].filter(([, { tensor }]) => tensor.size === 1)
    this.#constants = new Set(scalars.map(([name]) => name))
    for (const node of nodes) {
      for (const output of node.outputs) if (output !== undefined) this.#count(output.name, 1)
      for (const input of node.inputs) {
        if (input === undefined) continue
        this.#count(input.name, 1)
        this.#readers.set(input.name, [...(this.#readers.get(input.name) ?? []), node.op])
      }
    }
  }

  /** Decides where the outputs of the next node are. */
  place(node: Node): void {
    const outputs = node.outputs.filter(output => output !== undefined)
    for (const output of outputs) {
      const buffer = this.#outputs.has(output.name) ? undefined : (this.#overInput(node, output) ?? this.#dead(output))
      this.bufferOf.set(output.name, buffer ?? output.name)
      if (buffer === undefined) this.#madeFor.set(output.name, output)
      else this.#count(buffer, this.#uses.get(output.name)!)
    }
    for (const value of [...node.inputs, ...outputs]) if (value !== undefined) this.#use(value.name)
  }

  #count(name: string, uses: number): void {
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + uses)
  }

  #use(name: string): void {
    const buffer = this.bufferOf.get(name)!
    this.#count(buffer, -1)
    if (this.#uses.get(buffer) === 0) this.#free.unshift(this.#madeFor.get(buffer)!)
  }

  #overInput(node: Node, output: Value): string | undefined {
    const first = node.inputs[0]
    if (first === undefined) return undefined
    const buffer = this.bufferOf.get(first.name)!
    if (aliasing.has(node.op)) return buffer
    const fused = this.#fused(node, output)
    if (fused !== undefined) return this.bufferOf.get(fused.name)
    return overwriting.has(node.op) && this.#uses.get(buffer) === 1 && isSameSize(first, output) ? buffer : undefined
  }

  /**
   * What the products that alone read a value read in its place: ONNX Runtime's optimizer (MatmulTransposeFusion,
   * MatMulScaleFusion) has them transpose the last two axes, and multiply by a number, themselves.
   */
  #fused({ op, inputs, attributes }: Node, output: Value): Value | undefined {
    if (!this.#readers.get(output.name)?.every(reader => reader === 'MatMul')) return undefined
    if (op === 'Transpose') {
      const { perm } = attributes as { readonly perm?: readonly number[] }
      const last = output.shape.length - 1
      const swaps = perm?.every((axis, i) => axis === (i === last ? i - 1 : i === last - 1 ? i + 1 : i)) ?? last === 1
      return swaps ? inputs[0] : undefined
    }
    if (op !== 'Mul') return undefined
    const scale = inputs.findIndex(input => this.#constants.has(input!.name))
    return scale < 0 ? undefined : inputs[1 - scale]
  }

  #dead(output: Value): string | undefined {
    if (output.shape.length === 0) return undefined
    const at = this.#free.findIndex(value => isSameSize(value, output))
    return at < 0 ? undefined : this.#free.splice(at, 1)[0]!.name
  }
}

/** Whether two values are known to take the same bytes, before lengths are known. */
function isSameSize(one: Value, other: Value): boolean {
  return bytesPerElement(one.dtype) === bytesPerElement(other.dtype) && one.shape.join() === other.shape.join()
}

/**
 * The nodes in the order in which ONNX Runtime runs them: back from those that no other reads, the last one first, to
 * what each reads, the one of the highest number first.
 */
export function runOrder({ nodes }: Graph): readonly Node[] {
  const makers = new Map<string, number>()
  nodes.forEach(({ outputs }, i) => outputs.forEach(output => output !== undefined && makers.set(output.name, i)))
  const before = nodes.map(({ inputs }) => {
    const found = inputs.flatMap(input => (input === undefined ? [] : (makers.get(input.name) ?? [])))
    return [...new Set(found)].sort((a, b) => a - b)
  })
  const read = new Set(before.flat())
  const stack: { readonly at: number; readonly leaving: boolean }[] = []
  nodes.forEach((_, at) => read.has(at) || stack.push({ at, leaving: false }))
  const seen = new Set<number>()
  const order: Node[] = []
  while (stack.length > 0) {
    const { at, leaving } = stack.pop()!
    if (leaving) order.push(nodes[at]!)
    else if (!seen.has(at)) {
      seen.add(at)
      stack.push({ at, leaving: true })
      for (const earlier of before[at]!) if (!seen.has(earlier)) stack.push({ at: earlier, leaving: false })
    }
  }
  return order
}
