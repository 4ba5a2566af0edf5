import { TrainerError } from '../../src/errors'
import type { OpName } from '../../src/onnx/operators'
import type { Graph, Node, Value } from '../../src/onnx/types'
import { createData, type DataType, Tensor } from '../../src/tensor'
import { kernels } from './referenceKernels'
import { type Dense, dense } from './referenceKernels/dense'
import type { Kernel } from './referenceKernels/Kernel'

/**
 * Runs a graph slowly and exactly, for tests: every operator of the table, all floating-point arithmetic in float64
 * whatever type is declared.
 *
 * Every value is held against its declared type: the length must be that of the shape, and a named length must be the
 * same wherever it stands.
 *
 * @param feeds one tensor per input of the graph; float64 is taken where any floating-point type is declared, and keeps
 * its precision
 * @returns the outputs by name: float64 for floating-point types, else the declared type
 */
export function evaluate(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const values = new Map<string, Dense>()
  const lengths = new Map<string, number>()
  const keep = (value: Value, made: Dense, where: string): void => {
    hold(value, made, lengths, where)
    values.set(value.name, made)
  }
  for (const [name, { value, tensor }] of graph.initializers) keep(value, fromTensor(tensor), `initializer ${name}`)
  for (const input of graph.inputs) {
    const tensor = feeds[input.name]
    if (tensor === undefined) throw new TrainerError('graph', `No tensor was fed for the input "${input.name}".`)
    keep(input, fromTensor(tensor, input.dtype), `input ${input.name}`)
  }
  for (const node of graph.nodes) {
    const made = apply(node, values)
    node.outputs.forEach((output, i) => output !== undefined && keep(output, made[i]!, `${node.op} ${node.name}`))
  }
  return Object.fromEntries(graph.outputs.map(output => [output.name, toTensor(values.get(output.name)!)]))
}

function apply(node: Node, values: ReadonlyMap<string, Dense>): readonly Dense[] {
  const inputs = node.inputs.map(input => {
    const value = input === undefined ? undefined : values.get(input.name)
    if (input !== undefined && value === undefined) {
      throw new TrainerError('graph', `${node.op} ${node.name}: its input ${input.name} was not made before.`)
    }
    return value
  })
  try {
    return (kernels[node.op] as Kernel<OpName>)({
      inputs: inputs as readonly Dense[],
      attributes: node.attributes,
      outputs: node.outputs.length,
    })
  } catch (error) {
    const given = inputs
      .map(input => (input === undefined ? '-' : `${input.dtype}[${input.dims.join(', ')}]`))
      .join(', ')
    throw new TrainerError('graph', `${node.op} ${node.name}(${given}) failed: ${String(error)}`, { cause: error })
  }
}

/** @throws TrainerError when what was made is not what the graph declares. */
function hold(value: Value, made: Dense, lengths: Map<string, number>, where: string): void {
  const fits =
    value.dtype === made.dtype &&
    value.shape.length === made.dims.length &&
    value.shape.every((declared, i) => {
      if (typeof declared === 'number') return declared === made.dims[i]
      const known = lengths.get(declared) ?? made.dims[i]!
      lengths.set(declared, known)
      return known === made.dims[i]
    })
  if (fits) return
  const names = value.shape.filter(d => typeof d === 'string').map(d => `${d} = ${lengths.get(d) ?? '?'}`)
  const declared = `${value.dtype}[${value.shape.join(', ')}]${names.length > 0 ? ` (${names.join(', ')})` : ''}`
  throw new TrainerError(
    'graph',
    `${where}: ${value.name} is declared ${declared}, but is ${made.dtype}[${made.dims.join(', ')}].`,
  )
}

const floats: ReadonlySet<DataType> = new Set<DataType>(['float64', 'float32', 'float16', 'bfloat16'])

/**
 * @param declared the type that the value has in the graph; only floating-point types may differ from the tensor's own
 */
function fromTensor(tensor: Tensor, declared: DataType = tensor.dtype): Dense {
  const dtype = floats.has(declared) && floats.has(tensor.dtype) ? declared : tensor.dtype
  const decode = tensor.dtype === 'float16' ? fromFloat16 : tensor.dtype === 'bfloat16' ? fromBfloat16 : Number
  return dense(dtype, tensor.dims, i => decode(Number(tensor.data[i])))
}

function toTensor(value: Dense): Tensor {
  if (floats.has(value.dtype)) return new Tensor('float64', Float64Array.from(value.data), value.dims)
  const data = createData(value.dtype, value.data.length)
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array
  value.data.forEach((v, i) => {
    data[i] = (big ? BigInt(v) : v) as never
  })
  return new Tensor(value.dtype, data as never, value.dims)
}

function fromFloat16(bits: number): number {
  const sign = bits >> 15 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

function fromBfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!
}
