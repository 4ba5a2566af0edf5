import { TrainerError } from '../errors'
import { asBytes, asFloats, asIntegers, asNumber, asText, fields } from '../protobuf'
import type { DataType, Tensor } from '../tensor'
import { checkFunctions } from './checkFunctions'
import { checkModelBytes } from './checkMessage'
import { checkNames } from './checkNames'
import { decodeTensor, type ExternalReader, readEntry } from './decodeTensor'
import { malformed } from './malformed'
import {
  functionName,
  type RawAttribute,
  type RawFunction,
  type RawGraph,
  type RawModel,
  type RawNode,
  type RawValue,
} from './RawModel'
import type { Dimension, ValueType } from './types'
import { attributeTypes, dataTypeOf, protoFields } from './wire'

/**
 * Reads an ONNX model. Tensors are views of `bytes` where they are aligned.
 *
 * @param readExternal returns the bytes of a file beside the model's; needed if weights are stored in one
 * @throws TrainerError ('file') for bytes that are not a model, are cut off or contradict themselves
 */
export function readModel(bytes: Uint8Array, readExternal?: ExternalReader): RawModel {
  checkModelBytes(bytes)
  const number = protoFields.model
  const opsets = new Map<string, number>()
  const functions = new Map<string, RawFunction>()
  const metadata = new Map<string, string>()
  const reader = new Reader(readExternal)
  let graph: Uint8Array | undefined
  let irVersion: number | undefined
  for (const field of fields(bytes)) {
    if (field.number === number.irVersion) irVersion = asNumber(field)
    else if (field.number === number.graph) graph = asBytes(field)
    else if (field.number === number.opsetImport) opsets.set(...readOpset(asBytes(field)))
    else if (field.number === number.metadata) metadata.set(...readEntry(asBytes(field)))
    else if (field.number === number.function) functions.set(...reader.function(asBytes(field)))
  }
  if (irVersion === undefined || graph === undefined) {
    const lack = graph === undefined ? 'graph' : 'IR version'
    throw new TrainerError('file', `These ${bytes.length} bytes are not an ONNX model: they have no ${lack}.`)
  }
  const model = { opsets, functions, metadata, graph: reader.graph(graph) }
  checkNames(model)
  checkFunctions(model)
  return model
}

function readOpset(bytes: Uint8Array): [string, number] {
  let domain = ''
  let version = 0
  for (const field of fields(bytes)) {
    if (field.number === protoFields.opset.domain) domain = asText(field)
    else if (field.number === protoFields.opset.version) version = asNumber(field)
  }
  return [ownDomain(domain), version]
}

function ownDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/** Graphs within graphs deeper than this are refused: no exporter makes them. */
const deepest = 32

/** Reads graphs, nodes and functions, which contain one another. */
class Reader {
  readonly #readExternal: ExternalReader | undefined
  #unnamed = 0
  #depth = 0

  constructor(readExternal: ExternalReader | undefined) {
    this.#readExternal = readExternal
  }

  graph(bytes: Uint8Array): RawGraph {
    if (++this.#depth > deepest) throw malformed(`more than ${deepest} graphs stand in one another`)
    const number = protoFields.graph
    const nodes: RawNode[] = []
    const initializers = new Map<string, Tensor>()
    const [inputs, outputs, others]: RawValue[][] = [[], [], []]
    let name = ''
    for (const field of fields(bytes)) {
      if (field.number === number.name) name = asText(field)
      else if (field.number === number.node) nodes.push(this.node(asBytes(field), nodes.length))
      else if (field.number === number.initializer) this.#addInitializer(initializers, asBytes(field))
      else if (field.number === number.input) inputs!.push(this.#value(asBytes(field)))
      else if (field.number === number.output) outputs!.push(this.#value(asBytes(field)))
      else if (field.number === number.valueInfo) others!.push(this.#value(asBytes(field)))
      else if (field.number === number.sparseInitializer) throw sparse()
    }
    this.#depth--
    const typed = [...others!, ...outputs!].flatMap(({ name, type }) =>
      type === undefined ? [] : ([[name, type]] as const),
    )
    const given = inputs!.filter(input => !initializers.has(input.name))
    return { name, nodes, initializers, inputs: given, outputs: outputs!, stated: new Map(typed) }
  }

  /** @param at the node's position, after which one without a name is named */
  node(bytes: Uint8Array, at: number): RawNode {
    const number = protoFields.node
    const inputs: string[] = []
    const outputs: string[] = []
    const attributes = new Map<string, RawAttribute>()
    let [op, name, domain, overload] = ['', '', '', '']
    for (const field of fields(bytes)) {
      if (field.number === number.input) inputs.push(asText(field))
      else if (field.number === number.output) outputs.push(asText(field))
      else if (field.number === number.name) name = asText(field)
      else if (field.number === number.opType) op = asText(field)
      else if (field.number === number.attribute) attributes.set(...this.#attribute(asBytes(field)))
      else if (field.number === number.domain) domain = ownDomain(asText(field))
      else if (field.number === number.overload) overload = asText(field)
    }
    return { op, name: name === '' ? `node_${at}` : name, domain, inputs, outputs, attributes, overload }
  }

  function(bytes: Uint8Array): [string, RawFunction] {
    const number = protoFields.function
    const nodes: RawNode[] = []
    const [inputs, outputs]: string[][] = [[], []]
    const defaults = new Map<string, RawAttribute>()
    const opsets = new Map<string, number>()
    let [name, domain, overload] = ['', '', '']
    for (const field of fields(bytes)) {
      if (field.number === number.name) name = asText(field)
      else if (field.number === number.domain) domain = ownDomain(asText(field))
      else if (field.number === number.input) inputs!.push(asText(field))
      else if (field.number === number.output) outputs!.push(asText(field))
      else if (field.number === number.overload) overload = asText(field)
      else if (field.number === number.attributeDefault) defaults.set(...this.#attribute(asBytes(field)))
      else if (field.number === number.opsetImport) opsets.set(...readOpset(asBytes(field)))
      else if (field.number === number.node) nodes.push(this.node(asBytes(field), nodes.length))
    }
    return [
      functionName({ op: name, domain, overload }),
      { inputs: inputs!, outputs: outputs!, defaults, nodes, opsets },
    ]
  }

  #addInitializer(initializers: Map<string, Tensor>, bytes: Uint8Array): void {
    const { name, tensor } = decodeTensor(bytes, this.#readExternal)
    if (name === '') throw malformed('an initializer has no name')
    if (initializers.has(name)) throw malformed(`two values are named "${name}"`)
    initializers.set(name, tensor)
  }

  #attribute(bytes: Uint8Array): [string, RawAttribute] {
    const number = protoFields.attribute
    const [ints, floats]: number[][] = [[], []]
    const strings: string[] = []
    let name = ''
    let type = 0
    let value: RawAttribute | undefined
    for (const field of fields(bytes)) {
      if (field.number === number.name) name = asText(field)
      else if (field.number === number.type) type = asNumber(field)
      else if (field.number === number.reference && asText(field) !== '') value = { reference: asText(field) }
      else if (field.number === number.float) value = shortest(asNumber(field))
      else if (field.number === number.int) value = asNumber(field)
      else if (field.number === number.string) value = asText(field)
      else if (field.number === number.tensor) value = decodeTensor(asBytes(field), this.#readExternal).tensor
      else if (field.number === number.graph) value = this.graph(asBytes(field))
      else if (field.number === number.ints) for (const int of asIntegers(field)) ints!.push(Number(int))
      else if (field.number === number.floats) for (const float of asFloats(field, 4)) floats!.push(shortest(float))
      else if (field.number === number.strings) strings.push(asText(field))
    }
    const lists: Readonly<Record<number, RawAttribute>> = {
      [attributeTypes.ints]: ints!,
      [attributeTypes.floats]: floats!,
      [attributeTypes.strings]: strings,
    }
    const found = typeof value === 'object' && 'reference' in value ? value : (lists[type] ?? value)
    if (found !== undefined) return [name, found]
    throw malformed(`the attribute "${name}" of type ${type} has no value`)
  }

  #value(bytes: Uint8Array): RawValue {
    let name = ''
    let type: ValueType | undefined
    for (const field of fields(bytes)) {
      if (field.number === protoFields.valueInfo.name) name = asText(field)
      else if (field.number === protoFields.valueInfo.type) type = this.#type(asBytes(field))
    }
    return { name, type }
  }

  #type(bytes: Uint8Array): ValueType | undefined {
    const number = protoFields.tensorType
    let dtype: DataType | undefined
    let shape: Dimension[] | undefined
    for (const field of fields(bytes)) {
      if (field.number !== protoFields.type.tensor) continue
      for (const inner of fields(asBytes(field))) {
        if (inner.number === number.elementType) dtype = dataTypeOf(asNumber(inner))
        else if (inner.number === number.shape)
          shape = [...fields(asBytes(inner))].map(dimension => this.#dimension(asBytes(dimension)))
      }
    }
    return dtype === undefined || shape === undefined ? undefined : { dtype, shape }
  }

  #dimension(bytes: Uint8Array): Dimension {
    const number = protoFields.dimension
    for (const field of fields(bytes)) {
      if (field.number === number.value && asNumber(field) >= 0) return asNumber(field)
      if (field.number === number.parameter && asText(field) !== '') return asText(field)
    }
    return `unnamed_${this.#unnamed++}`
  }
}

function sparse(): TrainerError {
  return new TrainerError('graph', 'The model has sparse initializers, which cannot be read.', {
    fix: 'Store them as dense tensors.',
  })
}

/** The shortest decimal number that a float32 stands for: 1e-12 comes back as it was written. */
function shortest(float: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits))
    if (Math.fround(short) === float) return short
  }
  return float
}
