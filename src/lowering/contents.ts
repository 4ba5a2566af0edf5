// arithmetic on shapes: what small vectors of numbers hold is worked out while a graph is written, names of lengths
// included, so that the shapes of what is reshaped by them are known
import type { Node, Value } from '../onnx/types'
import { createData, type DataType, sizeOf, Tensor } from '../tensor'
import { type Contents, contentRules, most } from './contentRules'

const followed: ReadonlySet<DataType> = new Set<DataType>(['int64', 'int32', 'bool', 'float32'])

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
    const found = contentRules[node.op]?.(
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
    const data = createData(dtype, items.length)
    items.forEach((item, i) => {
      data[i] = (data instanceof BigInt64Array ? largeInteger(item) : item) as never
    })
    return new Tensor(dtype, data as never, dims)
  }
}

/** A number that stands for "to the end" is the largest int64, which no number of JavaScript is. */
function largeInteger(item: number): bigint {
  return item >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(item)
}
