import { TrainerError } from '../errors'
import type { DataType, Tensor } from '../tensor'
import { decodeAttributes, decodeNode, exportAgain, knownOperator, type RawNode, where } from './decodeNode'
import { decodeTensor, type ExternalReader } from './decodeTensor'
import { checkArity, infer } from './infer'
import { opsets } from './operators'
import type { Dimension, Graph, Initializer, Node, Value, ValueType } from './types'
import { asBytes, asNumber, asText, fields } from '../protobuf'
import { dataTypeOf, protoFields } from './wire'

export type { ExternalReader } from './decodeTensor'

/**
 * The graph of an ONNX model of opset 13 to 21, if its operators are in our table and mean the same there. Tensors are
 * views of `bytes` where they are aligned. Types that the file does not declare are inferred. Any length that the file
 * names may be 1 when the graph runs: see `Graph.openLengths`.
 *
 * @param readExternal returns the bytes of a file beside the model's; needed if weights are stored in one
 * @throws TrainerError ('file') for bytes that are not a model, are cut off or contradict themselves; ('graph') for
 * operators that are not in our table
 */
export function decode(bytes: Uint8Array, readExternal?: ExternalReader): Graph {
  const number = protoFields.model
  const versions = new Map<string, number>()
  let graph: Uint8Array | undefined
  let irVersion: number | undefined
  for (const field of fields(bytes)) {
    if (field.number === number.irVersion) irVersion = asNumber(field)
    else if (field.number === number.graph) graph = asBytes(field)
    else if (field.number === number.opsetImport) versions.set(...decodeOpset(asBytes(field)))
  }
  if (irVersion === undefined || graph === undefined) {
    const lack = graph === undefined ? 'graph' : 'IR version'
    throw new TrainerError('file', `These ${bytes.length} bytes are not an ONNX model: they have no ${lack}.`)
  }
  return assemble(collect(graph), checkOpset(versions), readExternal)
}

function decodeOpset(bytes: Uint8Array): [string, number] {
  let domain = ''
  let version = 0
  for (const field of fields(bytes)) {
    if (field.number === protoFields.opset.domain) domain = asText(field)
    else if (field.number === protoFields.opset.version) version = asNumber(field)
  }
  return [domain === 'ai.onnx' ? '' : domain, version]
}

const oldest = 13
const newest = 21

/** The version of ONNX's own operators. @throws TrainerError when it is not one that we know. */
function checkOpset(versions: ReadonlyMap<string, number>): number {
  const version = versions.get('') ?? opsets['']
  if (version < oldest || version > newest) {
    throw new TrainerError(
      'graph',
      `The model uses ONNX opset ${version}; opsets ${oldest} to ${newest} can be read.`,
      { fix: exportAgain },
    )
  }
  const contributed = versions.get('com.microsoft') ?? 1
  if (contributed !== 1)
    throw new TrainerError('graph', `The model uses com.microsoft opset ${contributed}; only version 1 can be read.`)
  return version
}

/** A graph's parts, not yet bound to each other. */
interface Parts {
  name: string
  readonly nodes: Uint8Array[]
  readonly initializers: Uint8Array[]
  readonly inputs: Uint8Array[]
  readonly outputs: Uint8Array[]
  readonly stated: Uint8Array[]
}

function collect(bytes: Uint8Array): Parts {
  const number = protoFields.graph
  const parts: Parts = { name: '', nodes: [], initializers: [], inputs: [], outputs: [], stated: [] }
  for (const field of fields(bytes)) {
    switch (field.number) {
      case number.name:
        parts.name = asText(field)
        break
      case number.node:
        parts.nodes.push(asBytes(field))
        break
      case number.initializer:
        parts.initializers.push(asBytes(field))
        break
      case number.input:
        parts.inputs.push(asBytes(field))
        break
      case number.output:
        parts.outputs.push(asBytes(field))
        break
      case number.valueInfo:
        parts.stated.push(asBytes(field))
        break
      case number.sparseInitializer:
        throw new TrainerError('graph', 'The model has sparse initializers, which cannot be read.', {
          fix: 'Store them as dense tensors.',
        })
    }
  }
  return parts
}

function assemble(parts: Parts, opset: number, readExternal: ExternalReader | undefined): Graph {
  const names = unknownLengths()
  const initializers = new Map<string, Initializer>()
  const values = new Map<string, Value>()
  const add = (value: Value): void => {
    if (value.name === '')
      throw new TrainerError('file', 'The ONNX data is malformed: an input or an initializer has no name.')
    if (values.has(value.name))
      throw new TrainerError('file', `The ONNX data is malformed: two values are named "${value.name}".`)
    values.set(value.name, value)
  }
  for (const bytes of parts.initializers) {
    const { name, tensor } = decodeTensor(bytes, readExternal)
    const value: Value = { name, dtype: tensor.dtype, shape: tensor.dims }
    add(value)
    initializers.set(name, { value, tensor })
  }
  const declare = (bytes: Uint8Array): Value => {
    const { name, type } = decodeValue(bytes, names)
    if (type === undefined) throw new TrainerError('file', `The model's "${name}" has no type and shape.`)
    return { name, ...type }
  }
  // before IR version 4 the initializers were listed among the inputs too
  const inputs = parts.inputs.map(declare).filter(({ name }) => !initializers.has(name))
  inputs.forEach(add)
  const stated = new Map<string, ValueType>()
  for (const bytes of [...parts.stated, ...parts.outputs]) {
    const { name, type } = decodeValue(bytes, names)
    if (type !== undefined) stated.set(name, type)
  }
  const nodes = parts.nodes.map((bytes, i) =>
    bindNode(decodeNode(bytes, i), { opset, values, initializers, stated, unknown: names, add }),
  )
  const outputs = parts.outputs.map(bytes => {
    const { name } = decodeValue(bytes, names)
    const value = values.get(name)
    if (value === undefined)
      throw new TrainerError('file', `The ONNX data is malformed: nothing makes the output "${name}".`)
    return value
  })
  return { name: parts.name, inputs, outputs, initializers, nodes, openLengths: true }
}

function unknownLengths(): () => string {
  let count = 0
  return () => `unnamed_${count++}`
}

function decodeValue(bytes: Uint8Array, unknown: () => Dimension): { name: string; type: ValueType | undefined } {
  let name = ''
  let type: ValueType | undefined
  for (const field of fields(bytes)) {
    if (field.number === protoFields.valueInfo.name) name = asText(field)
    else if (field.number === protoFields.valueInfo.type) type = decodeType(asBytes(field), unknown)
  }
  return { name, type }
}

function decodeType(bytes: Uint8Array, unknown: () => Dimension): ValueType | undefined {
  let dtype: DataType | undefined
  let shape: Dimension[] | undefined
  const number = protoFields.tensorType
  for (const field of fields(bytes)) {
    if (field.number !== protoFields.type.tensor) continue
    for (const inner of fields(asBytes(field))) {
      if (inner.number === number.elementType) dtype = dataTypeOf(asNumber(inner))
      else if (inner.number === number.shape)
        shape = [...fields(asBytes(inner))].map(dimension => decodeDimension(asBytes(dimension), unknown))
    }
  }
  return dtype === undefined || shape === undefined ? undefined : { dtype, shape }
}

function decodeDimension(bytes: Uint8Array, unknown: () => Dimension): Dimension {
  for (const field of fields(bytes)) {
    if (field.number === protoFields.dimension.value) return asNumber(field) < 0 ? unknown() : asNumber(field)
    if (field.number === protoFields.dimension.parameter && asText(field) !== '') return asText(field)
  }
  return unknown()
}

interface Binding {
  readonly opset: number
  readonly values: ReadonlyMap<string, Value>
  readonly initializers: ReadonlyMap<string, Initializer>
  readonly stated: ReadonlyMap<string, ValueType>
  readonly unknown: () => Dimension
  readonly add: (value: Value) => void
}

function bindNode(raw: RawNode, { opset, values, initializers, stated, unknown, add }: Binding): Node {
  const op = knownOperator(raw, opset)
  const attributes = decodeAttributes(raw, op, opset)
  const inputs = raw.inputs.map(name => {
    if (name === '') return undefined
    const value = values.get(name)
    if (value === undefined)
      throw new TrainerError('file', `${where(raw)} reads "${name}", which nothing before it makes.`)
    return value
  })
  const constant = (value: Value | undefined): Tensor | undefined =>
    value === undefined ? undefined : initializers.get(value.name)?.tensor
  const types = blaming(raw, () => {
    checkArity(op, inputs, raw.outputs.length)
    if (raw.outputs.every(name => name === '' || stated.has(name))) return []
    return infer(op, {
      inputs: inputs as Value[],
      attributes,
      outputs: raw.outputs.length,
      constant,
      unknown,
      openLengths: true,
    })
  })
  const outputs = raw.outputs.map((name, i) => {
    if (name === '') return undefined
    const { dtype, shape } = stated.get(name) ?? types[i]!
    const value: Value = { name, dtype, shape }
    add(value)
    return value
  })
  return { op, name: raw.name, inputs, outputs, attributes } as Node
}

/** Runs a step; its errors begin with the node. */
function blaming<T>(raw: RawNode, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw error instanceof TrainerError
      ? new TrainerError('file', `${where(raw)}: ${error.message}`, { cause: error })
      : error
  }
}
