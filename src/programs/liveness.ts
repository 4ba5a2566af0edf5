// what a graph's values take while ONNX Runtime's processor provider runs it
import { infer } from '../onnx/infer'
import type { OpName } from '../onnx/operators'
import type { Dimension, Graph, Node, Value } from '../onnx/types'
import { bytesPerElement, type Tensor } from '../tensor'
import { Arena, type Chunk } from './arena'

/** What a run takes at most at once of values that its nodes make. */
export interface LiveBytes {
  readonly peak: number
  /** What ONNX Runtime's arena takes for them, which gives a value more than its size where that is what is free. */
  readonly arena: number
  /** Values whose size nothing says before the run: they count for nothing. */
  readonly unknown: readonly string[]
}

/** Operators whose output is their first input under another shape. */
const aliasing = new Set<OpName>(['Reshape', 'Squeeze', 'Unsqueeze', 'Identity'])

/** Operators that write over an input of the output's size which nobody reads any more. */
const overwriting = new Set<OpName>([
  ...(['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Abs', 'Sqrt', 'Exp', 'Log', 'Reciprocal'] as const),
  ...(['Relu', 'Tanh', 'Sigmoid', 'Softmax', 'Erf'] as const),
])

/**
 * The most memory that values are in at once.
 * @param lengths what the names of lengths stand for.
 * @param elsewhere outputs that are written to memory of the caller's.
 * @param arena that of the runs before, which has the holes that they left.
 */
export function liveBytes(
  graph: Graph,
  lengths: Readonly<Record<string, number>>,
  elsewhere: ReadonlySet<string>,
  arena = new Arena(),
): LiveBytes {
  const { sizes, unknown } = sizesOf(graph, lengths)
  const nodes = runOrder(graph)
  const uses = new Map<string, number>()
  for (const { inputs } of nodes)
    for (const input of inputs) if (input !== undefined) uses.set(input.name, (uses.get(input.name) ?? 0) + 1)
  for (const { name } of graph.outputs) uses.set(name, (uses.get(name) ?? 0) + 1) // they stay
  const blocks = new Blocks(arena, new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]))
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === undefined) continue
      const given = outputs.has(output.name) ? undefined : reused(node, output, sizes, uses, blocks)
      if (given !== undefined) blocks.share(output.name, given)
      else if (elsewhere.has(output.name)) blocks.lend(output.name)
      else blocks.take(output.name, sizes.get(output.name) ?? 0)
    }
    for (const input of node.inputs) if (input !== undefined) release(input.name, uses, blocks)
    for (const output of node.outputs) if (output !== undefined && !uses.has(output.name)) blocks.drop(output.name)
  }
  for (const { name } of graph.outputs) if (uses.get(name) === 1) blocks.drop(name) // the caller reads and frees them
  return { peak: blocks.peak, arena: blocks.arena.touched, unknown }
}

function release(name: string, uses: Map<string, number>, blocks: Blocks): void {
  const left = uses.get(name)! - 1
  uses.set(name, left)
  if (left === 0) blocks.drop(name)
}

/** The input whose memory an output is in. */
function reused(
  { op, inputs }: Node,
  output: Value,
  sizes: ReadonlyMap<string, number>,
  uses: ReadonlyMap<string, number>,
  blocks: Blocks,
): string | undefined {
  if (aliasing.has(op)) return inputs[0]!.name
  if (!overwriting.has(op)) return undefined
  return inputs.find(
    input =>
      input !== undefined &&
      uses.get(input.name) === 1 &&
      blocks.isAlone(input.name) &&
      sizes.get(input.name) === sizes.get(output.name),
  )?.name
}

/** Stretches of memory, each with the values that are in it. */
class Blocks {
  peak = 0
  readonly arena: Arena
  #live = 0
  readonly #of = new Map<string, { readonly bytes: number; readers: number; readonly chunk: Chunk | undefined }>()

  /** @param given values that are the caller's. */
  constructor(arena: Arena, given: ReadonlySet<string>) {
    this.arena = arena
    for (const name of given) this.lend(name)
  }

  take(name: string, bytes: number): void {
    this.#of.set(name, { bytes, readers: 1, chunk: this.arena.take(bytes) })
    this.#live += bytes
    this.peak = Math.max(this.peak, this.#live)
  }

  lend(name: string): void {
    this.#of.set(name, { bytes: 0, readers: 1, chunk: undefined })
  }

  share(name: string, other: string): void {
    const block = this.#of.get(other)!
    block.readers++
    this.#of.set(name, block)
  }

  drop(name: string): void {
    const block = this.#of.get(name)
    if (block === undefined || --block.readers > 0) return
    this.#live -= block.bytes
    if (block.chunk !== undefined) this.arena.give(block.chunk)
  }

  isAlone(name: string): boolean {
    const block = this.#of.get(name)
    return block !== undefined && block.chunk !== undefined && block.readers === 1
  }
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

/** The bytes of a graph's values, where lengths are known; shapes are inferred once more from those that are. */
function sizesOf(
  graph: Graph,
  lengths: Readonly<Record<string, number>>,
): { sizes: ReadonlyMap<string, number>; unknown: readonly string[] } {
  const known: Record<string, number> = { ...lengths }
  const shapes = new Map<string, readonly Dimension[]>()
  const sizes = new Map<string, number>()
  const unknown: string[] = []
  const numbered = (value: Value): readonly Dimension[] =>
    (shapes.get(value.name) ?? value.shape).map((length, i) => known[length] ?? known[value.shape[i]!] ?? length)
  const constant = (value: Value | undefined): Tensor | undefined => graph.initializers.get(value?.name ?? '')?.tensor
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(input => input && { ...input, shape: numbered(input) })
    const inferred = inferredShapes(node, inputs, constant)
    node.outputs.forEach((output, i) => {
      if (output === undefined) return
      const shape = output.shape.map((length, axis) => {
        const found = known[length] ?? inferred?.[i]?.[axis] ?? length
        if (typeof length === 'string' && typeof found === 'number') known[length] = found
        return typeof length === 'number' ? length : found
      })
      shapes.set(output.name, shape)
      if (shape.every(length => typeof length === 'number'))
        sizes.set(
          output.name,
          shape.reduce((size, length) => size * length, bytesPerElement(output.dtype)),
        )
      else unknown.push(output.name)
    })
  }
  return { sizes, unknown }
}

function inferredShapes(
  node: Node,
  inputs: readonly (Value | undefined)[],
  constant: Parameters<typeof infer>[1]['constant'],
): readonly (readonly Dimension[])[] | undefined {
  try {
    const site = { attributes: node.attributes, outputs: node.outputs.length, constant, unknown: () => '?' }
    return infer(node.op, { inputs: inputs as readonly Value[], ...site }).map(({ shape }) => shape)
  } catch {
    return undefined // the shape that is written in the graph does
  }
}
