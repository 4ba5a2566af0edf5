import { TrainerError } from '../errors'
import { withDefaults } from '../options'
import { concatenate, type DataType, type Tensor } from '../tensor'
import { type AttributeKind, operators, opsets } from './operators'
import type { Graph, Initializer, Node, Value } from './types'
import { frame, message, type Writer, writeFloat, writeInteger, writeText } from '../protobuf'
import { attributeTypes, elementTypes, externalLocation, protoFields } from './wire'

/** Options of {@link encode}. */
export interface EncodeOptions {
  /** The name of the file, beside the model's, that weights go to: 'model.onnx_data' unless given. */
  readonly externalDataName?: string
  /**
   * More bytes of weights than this go to a file of their own; 1.5e9 unless given (a model file is limited to 2 GiB), 0
   * for always.
   */
  readonly externalThreshold?: number
  /** Nodes of operators that are not ours; they follow those of the graph. None unless given. */
  readonly foreignNodes?: readonly ForeignNode[]
  /** Inputs that are sequences of tensors, by name, with their elements' type; they follow those of the graph. None unless given. */
  readonly sequences?: Readonly<Record<string, DataType>>
  /** What the file says of itself, as `metadata_props`. Nothing unless given. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** A node as a file has it, of an operator that a graph of ours cannot have: nothing is inferred or checked. */
export interface ForeignNode {
  readonly op: string
  readonly domain: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, readonly ['int' | 'float', number]>>
}

/** A graph as files. */
export interface EncodedModel {
  /** The bytes of the model file. */
  readonly model: Uint8Array
  /** What has to be written beside it, if anything. */
  readonly externalData?: ExternalData
}

/** The weights that are stored in a file of their own; the bytes between them are zeros. */
export interface ExternalData {
  readonly name: string
  /** Bytes of the whole file. */
  readonly length: number
  /** In the order of their offsets; `data` is a view of the tensor. */
  readonly tensors: readonly ExternalTensor[]
}

/** One weight in the file beside the model. */
export interface ExternalTensor {
  readonly name: string
  /** In bytes; a multiple of a page, so that the runtime can map the file. */
  readonly offset: number
  readonly length: number
  readonly data: Uint8Array
}

const irVersion = 8 // the newest that goes with opset 18
const pageBytes = 4096
const smallestExternalBytes = 1024 // axes and shapes stay where the runtime's shape inference can see them

/**
 * The graph as an ONNX model: IR version 8 and the opsets that {@link operators} refers to. Types of all values are
 * written too. Attributes that are floating-point numbers are float32 in the file.
 */
export function encode(graph: Graph, options: EncodeOptions = {}): EncodedModel {
  const { model, ...rest } = encodeInParts(graph, options)
  return { model: concatenate(Uint8Array, model), ...rest }
}

/**
 * The same, but the model file in parts, those of weights being views of the tensors: to write it without a copy of all
 * weights at once.
 */
export function encodeInParts(
  graph: Graph,
  options: EncodeOptions = {},
): Omit<EncodedModel, 'model'> & { readonly model: readonly Uint8Array[] } {
  const { externalDataName, externalThreshold, ...rest } = withDefaults(options, encodeDefaults, 'encode()')
  const initializers = [...graph.initializers.values()]
  const bytes = initializers.reduce((sum, { tensor }) => sum + tensor.data.byteLength, 0)
  const externalData = bytes > externalThreshold ? layOut(externalDataName, initializers) : undefined
  const external = new Map(externalData?.tensors.map(tensor => [tensor.name, tensor]))
  const body = [
    message(writer => writeGraph(writer, graph, rest)),
    ...initializers.flatMap(initializer =>
      encodeInitializer(initializer, externalDataName, external.get(initializer.value.name)),
    ),
  ]
  const graphLength = body.reduce((sum, part) => sum + part.length, 0)
  const model = [
    message(writer => writeModel(writer, rest.metadata)),
    frame(protoFields.model.graph, graphLength),
    ...body,
  ]
  return externalData === undefined ? { model } : { model, externalData }
}

/** A file of weights as it is written: the tensors, and zeros between them. */
export function* externalBytes({ length, tensors }: ExternalData): Generator<Uint8Array> {
  let at = 0
  for (const { offset, data } of tensors) {
    if (offset > at) yield new Uint8Array(offset - at)
    yield data
    at = offset + data.length
  }
  if (length > at) yield new Uint8Array(length - at)
}

const encodeDefaults: Required<EncodeOptions> = {
  externalDataName: 'model.onnx_data',
  externalThreshold: 1.5e9,
  foreignNodes: [],
  sequences: {},
  metadata: {},
}

function layOut(name: string, initializers: readonly Initializer[]): ExternalData {
  let length = 0
  const tensors = initializers
    .filter(({ tensor }) => tensor.data.byteLength >= smallestExternalBytes)
    .map(({ value, tensor }) => {
      const offset = Math.ceil(length / pageBytes) * pageBytes
      length = offset + tensor.data.byteLength
      return { name: value.name, offset, length: tensor.data.byteLength, data: bytesOf(tensor) }
    })
  return { name, length, tensors }
}

function writeModel(writer: Writer, metadata: Required<EncodeOptions>['metadata']): void {
  const { model, opset } = protoFields
  writeInteger(writer, model.irVersion, irVersion)
  writeText(writer, model.producerName, 'ts-trainer')
  for (const [domain, version] of Object.entries(opsets)) {
    writer.writeMessage(
      model.opsetImport,
      () => {
        writeText(writer, opset.domain, domain)
        writeInteger(writer, opset.version, version)
      },
      undefined,
    )
  }
  for (const entry of Object.entries(metadata))
    writer.writeMessage(model.metadata, () => writeEntry(writer, entry), undefined)
}

function writeEntry(writer: Writer, [key, value]: readonly [key: string, value: string]): void {
  writeText(writer, protoFields.entry.key, key)
  writeText(writer, protoFields.entry.value, value)
}

/** All but the initializers. */
function writeGraph(
  writer: Writer,
  graph: Graph,
  { foreignNodes, sequences }: Pick<Required<EncodeOptions>, 'foreignNodes' | 'sequences'>,
): void {
  const fields = protoFields.graph
  for (const node of graph.nodes) writer.writeMessage(fields.node, () => writeNode(writer, node), undefined)
  for (const node of foreignNodes) writer.writeMessage(fields.node, () => writeForeignNode(writer, node), undefined)
  writeText(writer, fields.name, graph.name)
  for (const input of graph.inputs) writer.writeMessage(fields.input, () => writeValue(writer, input), undefined)
  for (const [name, dtype] of Object.entries(sequences))
    writer.writeMessage(fields.input, () => writeSequence(writer, name, dtype), undefined)
  for (const output of graph.outputs) writer.writeMessage(fields.output, () => writeValue(writer, output), undefined)
  const stated = new Set(graph.outputs.map(output => output.name))
  for (const output of graph.nodes.flatMap(node => node.outputs)) {
    if (output !== undefined && !stated.has(output.name))
      writer.writeMessage(fields.valueInfo, () => writeValue(writer, output), undefined)
  }
}

function writeNode(writer: Writer, node: Node): void {
  const fields = protoFields.node
  const { domain, attributes } = operators[node.op]
  for (const input of node.inputs) writeText(writer, fields.input, input?.name ?? '')
  for (const output of node.outputs) writeText(writer, fields.output, output?.name ?? '')
  writeText(writer, fields.name, node.name)
  writeText(writer, fields.opType, node.op)
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value === undefined) continue
    const kind = Object.hasOwn(attributes, name) ? attributes[name] : undefined
    if (kind === undefined)
      throw new TrainerError('graph', `The node ${node.name}: ${node.op} has no attribute "${name}".`)
    writer.writeMessage(fields.attribute, () => writeAttribute(writer, name, kind, value), undefined)
  }
  if (domain !== '') writeText(writer, fields.domain, domain)
}

function writeForeignNode(writer: Writer, { op, domain, name, inputs, outputs, attributes = {} }: ForeignNode): void {
  const fields = protoFields.node
  for (const input of inputs) writeText(writer, fields.input, input)
  for (const output of outputs) writeText(writer, fields.output, output)
  writeText(writer, fields.name, name)
  writeText(writer, fields.opType, op)
  for (const [key, [kind, value]] of Object.entries(attributes))
    writer.writeMessage(fields.attribute, () => writeAttribute(writer, key, kind, value), undefined)
  writeText(writer, fields.domain, domain)
}

function writeAttribute(writer: Writer, name: string, kind: AttributeKind, value: unknown): void {
  const fields = protoFields.attribute
  writeText(writer, fields.name, name)
  writeInteger(writer, fields.type, attributeTypes[kind === 'dtype' ? 'int' : kind])
  switch (kind) {
    case 'int':
      return writeInteger(writer, fields.int, value as number)
    case 'float':
      return writeFloat(writer, fields.float, value as number)
    case 'string':
      return writeText(writer, fields.string, value as string)
    case 'ints':
      return (value as readonly number[]).forEach(item => writeInteger(writer, fields.ints, item))
    case 'dtype':
      return writeInteger(writer, fields.int, elementTypes[value as keyof typeof elementTypes])
  }
}

function writeValue(writer: Writer, { name, dtype, shape }: Value): void {
  const { valueInfo, type, tensorType, shape: shapeFields, dimension } = protoFields
  const writeShape = (): void => {
    for (const length of shape) {
      writer.writeMessage(
        shapeFields.dimension,
        () => {
          if (typeof length === 'number') writeInteger(writer, dimension.value, length)
          else writeText(writer, dimension.parameter, length)
        },
        undefined,
      )
    }
  }
  const writeTensorType = (): void => {
    writeInteger(writer, tensorType.elementType, elementTypes[dtype])
    writer.writeMessage(tensorType.shape, writeShape, undefined)
  }
  writeText(writer, valueInfo.name, name)
  writer.writeMessage(valueInfo.type, () => writer.writeMessage(type.tensor, writeTensorType, undefined), undefined)
}

function writeSequence(writer: Writer, name: string, dtype: DataType): void {
  const { valueInfo, type, tensorType, sequenceType } = protoFields
  const within = (field: number, write: () => void): void => writer.writeMessage(field, write, undefined)
  writeText(writer, valueInfo.name, name)
  within(valueInfo.type, () =>
    within(type.sequence, () =>
      within(sequenceType.element, () =>
        within(type.tensor, () => writeInteger(writer, tensorType.elementType, elementTypes[dtype])),
      ),
    ),
  )
}

/**
 * An initializer's field in parts, the last one a view of the tensor: weights are copied once only, when all is joined.
 */
function encodeInitializer(
  { value, tensor }: Initializer,
  location: string,
  external: ExternalTensor | undefined,
): readonly Uint8Array[] {
  const fields = protoFields.tensor
  const head = message(writer => {
    for (const length of tensor.dims) writeInteger(writer, fields.dims, length)
    writeInteger(writer, fields.dataType, elementTypes[tensor.dtype])
    writeText(writer, fields.name, value.name)
    if (external === undefined) return
    const place = { location, offset: String(external.offset), length: String(external.length) }
    for (const entry of Object.entries(place))
      writer.writeMessage(fields.externalData, () => writeEntry(writer, entry), undefined)
    writeInteger(writer, fields.dataLocation, externalLocation)
  })
  const data = bytesOf(tensor)
  const rest = external === undefined ? [frame(fields.rawData, data.length), data] : []
  const length = [head, ...rest].reduce((sum, part) => sum + part.length, 0)
  return [frame(protoFields.graph.initializer, length), head, ...rest]
}

/**
 * A tensor's bytes as they are in memory: little-endian, as the format wants, on every platform that Node.js supports
 * but s390x and AIX.
 */
function bytesOf(tensor: Tensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)
}
