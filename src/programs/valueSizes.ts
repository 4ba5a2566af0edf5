import { infer } from '../onnx/infer'
import type { OpName } from '../onnx/operators'
import type { Dimension, Graph, Node, Value } from '../onnx/types'
import { bytesPerElement, Tensor } from '../tensor'

/** What is known of a run before it: of the names of lengths, and the inputs that a caller gives. */
export interface GivenInputs {
  readonly lengths: Readonly<Record<string, number>>
  readonly inputs: Readonly<Record<string, Tensor>>
}

/** Of a graph's values in a run. */
export interface ValueSizes {
  /** Bytes, by the names of values. */
  readonly sizes: ReadonlyMap<string, number>
  /** Values whose size nothing says before the run. */
  readonly unknown: readonly string[]
}

const mostNumbers = 64 // of a tensor that may be a shape

/**
 * The bytes of a graph's values: shapes are inferred once more, from the lengths of one run. Shapes that the graph itself
 * computes, or reads from an input, are followed too.
 */
export function valueSizes(graph: Graph, given: GivenInputs): ValueSizes {
  const shapes = new Shapes(graph, given)
  for (const node of graph.nodes) shapes.add(node)
  return shapes
}

class Shapes implements ValueSizes {
  readonly sizes = new Map<string, number>()
  readonly unknown: string[] = []
  readonly #known: Map<string, number>
  readonly #shapes = new Map<string, readonly Dimension[]>()
  /** Small tensors of integers, and constants. */
  readonly #tensors = new Map<string, Tensor>()

  constructor({ inputs, initializers }: Graph, { lengths, inputs: given }: GivenInputs) {
    this.#known = new Map(Object.entries(lengths))
    for (const [name, { tensor }] of initializers) this.#tensors.set(name, tensor)
    for (const { name, shape } of inputs) {
      const tensor = given[name]
      if (tensor === undefined) continue
      shape.forEach((length, axis) => this.#learn(length, tensor.dims[axis]))
      if (isShapeLike(tensor)) this.#tensors.set(name, tensor)
    }
  }

  add(node: Node): void {
    const inputs = node.inputs.map(input => input && { ...input, shape: this.#shapeOf(input) })
    const inferred = this.#inferred(node, inputs)
    for (const [i, output] of node.outputs.entries()) {
      if (output === undefined) continue
      output.shape.forEach((length, axis) => this.#learn(length, inferred?.[i]?.[axis]))
      const shape = this.#shapeOf(output)
      this.#shapes.set(output.name, shape)
      if (isKnown(shape))
        this.sizes.set(
          output.name,
          shape.reduce((size, n) => size * n, bytesPerElement(output.dtype)),
        )
      else this.unknown.push(output.name)
    }
    const computed = integers[node.op]?.(node, inputs, value => this.#tensors.get(value?.name ?? ''))
    if (computed !== undefined) this.#tensors.set(node.outputs[0]!.name, computed)
  }

  #learn(length: Dimension, found: Dimension | undefined): void {
    if (typeof length !== 'string' || typeof found !== 'number' || this.#known.has(length)) return
    this.#known.set(length, found)
  }

  #shapeOf({ name, shape }: Value): readonly Dimension[] {
    return this.#shapes.get(name) ?? shape.map(length => this.#known.get(length as string) ?? length)
  }

  #inferred({ op, attributes, outputs }: Node, inputs: readonly (Value | undefined)[]): Dimension[][] | undefined {
    try {
      const constant = (value: Value | undefined): Tensor | undefined => this.#tensors.get(value?.name ?? '')
      const site = { attributes, outputs: outputs.length, constant, unknown: () => '?' }
      return infer(op, { inputs: inputs as readonly Value[], ...site }).map(({ shape }) => [...shape])
    } catch {
      return undefined // the shape that is written in the graph does
    }
  }
}

type Computed = (
  node: Node,
  inputs: readonly (Value | undefined)[],
  tensorOf: (value: Value | undefined) => Tensor | undefined,
) => Tensor | undefined

const same: Computed = (_node, [x], tensorOf) => {
  const tensor = tensorOf(x)
  return tensor !== undefined && isShapeLike(tensor) ? tensor : undefined
}

/** What the operators compute that graphs make shapes with. */
const integers: Partial<Record<OpName, Computed>> = {
  Shape: ({ attributes }, [x]) => {
    const { start, end } = attributes as { readonly start?: number; readonly end?: number }
    const shape = x!.shape.slice(start, end)
    return isKnown(shape) ? vector(shape) : undefined
  },
  Concat: (_node, inputs, tensorOf) => {
    const parts = inputs.map(tensorOf)
    if (!parts.every(part => part !== undefined && isShapeLike(part))) return undefined
    return vector(parts.flatMap(part => Array.from(part!.data as BigInt64Array, Number)))
  },
  Unsqueeze: same,
  Squeeze: same,
  Reshape: same,
  Identity: same,
}

function isShapeLike({ dtype, size }: Tensor): boolean {
  return (dtype === 'int64' || dtype === 'int32') && size <= mostNumbers
}

function isKnown(shape: readonly Dimension[]): shape is readonly number[] {
  return shape.every(length => typeof length === 'number')
}

function vector(numbers: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(numbers, BigInt), [numbers.length])
}
