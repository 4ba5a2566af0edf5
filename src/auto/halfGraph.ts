// a float32 graph → the same with its weights in float16, and products computed in it
import { TrainerError } from '../errors'
import { float32ToFloat16 } from '../files/halfFloats'
import type { Graph, Initializer, Node, Value } from '../onnx/types'
import { mixedPrecision } from '../programs/mixedPrecision'
import { Tensor } from '../tensor'

/** Smaller constants than this stay as they are: lengths, factors, biases of masks. */
const smallestWeight = 64

/**
 * A graph for inference in mixed precision, whose weights are stored in float16: half the file. Inputs and outputs stay
 * as they are, and so do softmax and normalizations.
 * @throws TrainerError ('model') for a weight that float16 does not reach.
 */
export function halfGraph(graph: Graph): Graph {
  const mixed = mixedPrecision(graph, 'float16')
  const halves = new Map<string, Initializer>()
  for (const [name, { value, tensor }] of mixed.initializers)
    if (tensor.dtype === 'float32' && tensor.size >= smallestWeight)
      halves.set(name, { value: { ...value, dtype: 'float16' }, tensor: halved(name, tensor as Tensor<'float32'>) })
  const writer = new Writer(halves)
  const nodes = mixed.nodes.flatMap(node => writer.written(node))
  return { ...mixed, nodes, initializers: new Map([...mixed.initializers, ...halves]) }
}

/** Nodes that read float16 weights in place of float32 ones. */
class Writer {
  readonly #halves: ReadonlyMap<string, Initializer>
  /** Weights under the names of what was cast from them. */
  readonly #read = new Map<string, Value>()
  /** Weights that something reads in float32. */
  readonly #wide = new Map<string, Value>()

  constructor(halves: ReadonlyMap<string, Initializer>) {
    this.#halves = halves
  }

  written(node: Node): Node[] {
    const [input] = node.inputs
    const half = input && this.#halves.get(input.name)?.value
    if (half !== undefined && node.op === 'Cast' && node.outputs[0]!.dtype === 'float16') {
      this.#read.set(node.outputs[0]!.name, half)
      return []
    }
    if (half !== undefined && node.op === 'Gather') return this.#rows(node, half)
    const casts: Node[] = []
    const inputs = node.inputs.map(value => value && (this.#read.get(value.name) ?? this.#widened(value, casts)))
    return [...casts, { ...node, inputs }]
  }

  /** Rows of a table are cast, not the table. */
  #rows(node: Node, table: Value): Node[] {
    const output = node.outputs[0]!
    const rows: Value = { ...output, name: `${output.name}/float16`, dtype: 'float16' }
    return [{ ...node, inputs: [table, ...node.inputs.slice(1)], outputs: [rows] }, castNode(rows, output)]
  }

  #widened(value: Value, casts: Node[]): Value {
    const half = this.#halves.get(value.name)?.value
    if (half === undefined) return value
    const known = this.#wide.get(value.name)
    if (known !== undefined) return known
    const wide: Value = { ...value, name: `${value.name}/float32`, dtype: 'float32' }
    this.#wide.set(value.name, wide)
    casts.push(castNode(half, wide))
    return wide
  }
}

function castNode(from: Value, to: Value): Node<'Cast'> {
  return { op: 'Cast', name: `${to.name}/cast`, inputs: [from], outputs: [to], attributes: { to: to.dtype } }
}

function halved(name: string, { data, dims }: Tensor<'float32'>): Tensor<'float16'> {
  const far = data.findIndex(value => !(Math.abs(value) < 65_520))
  if (far >= 0)
    throw new TrainerError('model', `The weight ${name} has ${data[far]}, which float16 does not reach (65504).`, {
      fix: 'Export it as float32.',
    })
  const bits = new Uint16Array(data.length)
  float32ToFloat16(data, bits)
  return new Tensor('float16', bits, dims)
}
