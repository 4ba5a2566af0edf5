import { asBytes, asNumber, asText, type Field, fields, wireTypes } from '../protobuf'
import { malformed } from './malformed'
import { protoFields } from './wire'

/**
 * What the messages of an ONNX file have: by the number of each field its name and what it holds, a number, a text, bytes
 * or another message; with a star there may be several. Source: onnx.proto of ONNX 1.20 (IR version 13).
 */
const messages = listed({
  model: {
    1: 'ir_version int',
    2: 'producer_name text',
    3: 'producer_version text',
    4: 'domain text',
    5: 'model_version int',
    6: 'doc_string bytes',
    7: 'graph graph',
    8: 'opset_import opset*',
    14: 'metadata_props entry*',
    20: 'training_info bytes*',
    25: 'functions function*',
    26: 'configuration bytes*',
  },
  opset: { 1: 'domain text', 2: 'version int' },
  entry: { 1: 'key text', 2: 'value text' },
  function: {
    1: 'name text',
    4: 'input text*',
    5: 'output text*',
    6: 'attribute text*',
    7: 'node node*',
    8: 'doc_string bytes',
    9: 'opset_import opset*',
    10: 'domain text',
    11: 'attribute_proto attribute*',
    12: 'value_info value*',
    13: 'overload text',
    14: 'metadata_props entry*',
  },
  graph: {
    1: 'node node*',
    2: 'name text',
    5: 'initializer tensor*',
    10: 'doc_string bytes',
    11: 'input value*',
    12: 'output value*',
    13: 'value_info value*',
    14: 'quantization_annotation bytes*',
    15: 'sparse_initializer bytes*',
    16: 'metadata_props entry*',
  },
  node: {
    1: 'input text*',
    2: 'output text*',
    3: 'name text',
    4: 'op_type text',
    5: 'attribute attribute*',
    6: 'doc_string bytes',
    7: 'domain text',
    8: 'overload text',
    9: 'metadata_props entry*',
    10: 'device_configurations bytes*',
  },
  attribute: {
    1: 'name text',
    2: 'f float',
    3: 'i int',
    4: 's bytes',
    5: 't tensor',
    6: 'g graph',
    7: 'floats float*',
    8: 'ints int*',
    9: 'strings bytes*',
    10: 'tensors tensor*',
    11: 'graphs graph*',
    13: 'doc_string bytes',
    14: 'tp type',
    15: 'type_protos type*',
    20: 'type int',
    21: 'ref_attr_name text',
    22: 'sparse_tensor bytes',
    23: 'sparse_tensors bytes*',
  },
  tensor: {
    1: 'dims int*',
    2: 'data_type int',
    3: 'segment bytes',
    4: 'float_data float*',
    5: 'int32_data int*',
    6: 'string_data bytes*',
    7: 'int64_data int*',
    8: 'name text',
    9: 'raw_data bytes',
    10: 'double_data double*',
    11: 'uint64_data int*',
    12: 'doc_string bytes',
    13: 'external_data entry*',
    14: 'data_location int',
    16: 'metadata_props entry*',
  },
  value: { 1: 'name text', 2: 'type type', 3: 'doc_string bytes', 4: 'metadata_props entry*' },
  type: {
    1: 'tensor_type tensorType',
    4: 'sequence_type elementType',
    5: 'map_type mapType',
    6: 'denotation text',
    7: 'opaque_type bytes',
    8: 'sparse_tensor_type tensorType',
    9: 'optional_type elementType',
  },
  tensorType: { 1: 'elem_type int', 2: 'shape shape' },
  elementType: { 1: 'elem_type type' },
  mapType: { 1: 'key_type int', 2: 'value_type type' },
  shape: { 1: 'dim dimension*' },
  dimension: { 1: 'dim_value int', 2: 'dim_param text', 3: 'denotation text' },
})

interface FieldSpec {
  readonly name: string
  readonly kind: string
  readonly isList: boolean
}

type Message = Readonly<Record<number, FieldSpec>>

function listed(table: Readonly<Record<string, Readonly<Record<number, string>>>>): Readonly<Record<string, Message>> {
  const spec = (text: string): FieldSpec => {
    const [name, kind] = text.split(' ') as [string, string]
    return { name, kind: kind.replace('*', ''), isList: kind.endsWith('*') }
  }
  return Object.fromEntries(
    Object.entries(table).map(([message, fields]) => [
      message,
      Object.fromEntries(Object.entries(fields).map(([number, text]) => [number, spec(text)])),
    ]),
  )
}

/** Messages within messages deeper than this are refused: 32 graphs in one another take no more. */
const deepest = 200

/**
 * Checks that bytes are an ONNX model all through: every field is one that its message has, holds what it should, is
 * there once where it may be once, and texts are texts. Readers pass over what they do not know, so one changed byte of a
 * length or a number of a field would change the graph without a word.
 * @throws TrainerError ('file') naming the place
 */
export function checkModelBytes(bytes: Uint8Array): void {
  checkMessage(bytes, 'model', '', 0)
}

function checkMessage(bytes: Uint8Array, kind: string, place: string, depth: number): void {
  if (depth > deepest) throw malformed(`${place} lies deeper than ${deepest} messages`)
  const message = messages[kind]!
  const counts = new Map<string, number>()
  for (const field of fields(bytes)) {
    const spec = message[field.number]
    if (spec === undefined)
      throw malformed(`${place === '' ? 'it' : place} has a field ${field.number}, which no ${kind} has`)
    const count = counts.get(spec.name) ?? 0
    if (count > 0 && !spec.isList) throw malformed(`${pathTo(place, spec, 0)} is there twice`)
    counts.set(spec.name, count + 1)
    checkField(field, spec, pathTo(place, spec, count), depth)
  }
  if (kind === 'attribute') checkAttribute(bytes, counts, place)
  else if (kind === 'node') checkAttributeNames(bytes, place)
  else if (kind === 'value' && !counts.has('name')) throw malformed(`${place} has no name`)
  else if (kind === 'type' && counts.has('denotation') && counts.size === 1) throw malformed(`${place} is of no type`)
  else if (kind === 'tensor' && dataFields.filter(name => counts.has(name)).length > 1)
    throw malformed(`${place} has its values twice, as ${dataFields.filter(name => counts.has(name)).join(' and ')}`)
  else if ((kind === 'dimension' || kind === 'type') && counts.size - (counts.has('denotation') ? 1 : 0) > 1)
    throw malformed(`${place} is both ${[...counts.keys()].join(' and ')}`)
}

function pathTo(place: string, { name, isList }: FieldSpec, at: number): string {
  return `${place === '' ? '' : `${place}.`}${name}${isList ? `[${at}]` : ''}`
}

const dataFields = 'float_data int32_data string_data int64_data raw_data double_data uint64_data'.split(' ')

const scalars: Readonly<Record<string, number>> = {
  int: wireTypes.varint,
  float: wireTypes.fixed32,
  double: wireTypes.fixed64,
}

function checkField(field: Field, { kind, isList }: FieldSpec, place: string, depth: number): void {
  const scalar = scalars[kind]
  if (scalar === undefined) {
    const bytes = asBytesAt(field, kind, place)
    if (kind === 'text') checkText(bytes, place)
    else if (kind !== 'bytes') checkMessage(bytes, kind, place, depth + 1)
  } else if (field.wire !== scalar && !(isList && isPacked(field, kind))) throw malformed(`${place} is no ${kind}`)
}

function asBytesAt(field: Field, kind: string, place: string): Uint8Array {
  if (field.wire !== wireTypes.bytes) throw malformed(`${place} is a number, where a ${kind} is expected`)
  return asBytes(field)
}

/** Whether a field holds whole numbers one after another. */
function isPacked(field: Field, kind: string): boolean {
  if (field.wire !== wireTypes.bytes) return false
  const bytes = asBytes(field)
  if (kind !== 'int') return bytes.length % (kind === 'float' ? 4 : 8) === 0
  let length = 0
  for (const byte of bytes) {
    length++
    if (length > 10) return false
    if (byte < 0x80) length = 0
  }
  return length === 0
}

function checkText(bytes: Uint8Array, place: string): void {
  try {
    utf8.decode(bytes)
  } catch {
    throw malformed(`${place} is no UTF-8 text`)
  }
}

/** The field that holds an attribute's value, by AttributeProto.AttributeType. */
const valueFields: readonly (string | undefined)[] = [
  undefined,
  ...'f i s t g floats ints strings tensors graphs sparse_tensor sparse_tensors tp type_protos'.split(' '),
]

/** An attribute has the value that its type says, and no other. */
function checkAttribute(bytes: Uint8Array, counts: ReadonlyMap<string, number>, place: string): void {
  const present = valueFields.filter(name => name !== undefined && counts.has(name))
  const type = typeOf(bytes)
  if (type === undefined ? present.length <= 1 : present.every(name => name === valueFields[type])) {
    if (type === undefined || valueFields[type] !== undefined) return
  }
  throw malformed(`${place} of type ${type} has ${present.join(' and ') || 'no value'}`)
}

/** The attributes of a node have different names. */
function checkAttributeNames(node: Uint8Array, place: string): void {
  const names = new Set<string>()
  for (const field of fields(node)) {
    if (field.number !== protoFields.node.attribute) continue
    const found = [...fields(asBytes(field))].find(({ number }) => number === protoFields.attribute.name)
    const name = found === undefined ? '' : asText(found)
    if (name === '') throw malformed(`an attribute of ${place} has no name`)
    if (names.has(name)) throw malformed(`${place} has the attribute "${name}" twice`)
    names.add(name)
  }
}

function typeOf(bytes: Uint8Array): number | undefined {
  const found = [...fields(bytes)].find(({ number }) => number === protoFields.attribute.type)
  return found && asNumber(found)
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
