import { PbfReader, PbfWriter } from 'pbf'
import { TrainerError } from '../errors'
import type { DataType } from '../tensor'

// What encode and decode share: the numbers of onnx.proto, and the protocol buffers' wire format over pbf.
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

/** Writes one message's fields. */
export type Writer = PbfWriter

/** The field numbers of each message, by onnx.proto's names. */
export const protoFields = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13, sparseInitializer: 15 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, float: 2, int: 3, string: 4, ints: 8, type: 20 },
  tensor: {
    dims: 1,
    dataType: 2,
    floatData: 4,
    int32Data: 5,
    int64Data: 7,
    name: 8,
    rawData: 9,
    doubleData: 10,
    uint64Data: 11,
    externalData: 13,
    dataLocation: 14,
  },
  entry: { key: 1, value: 2 },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { elementType: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, parameter: 2 },
} as const

/** AttributeProto.AttributeType. */
export const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const

/** TensorProto.DataType. */
export const elementTypes: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
}

const dataTypes = new Map(Object.entries(elementTypes).map(([dtype, type]) => [type, dtype as DataType]))

/** The data type of a TensorProto.DataType; undefined for strings, complex and packed numbers. */
export function dataTypeOf(type: number): DataType | undefined {
  return dataTypes.get(type)
}

/** TensorProto.DataLocation: the data is stored in another file. */
export const externalLocation = 1

/** The bytes of one message. */
export function message(write: (writer: Writer) => void): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(256))
  write(writer)
  return writer.finish()
}

/** The bytes that precede a field of `length` bytes. */
export function frame(field: number, length: number): Uint8Array {
  return message(writer => {
    writer.writeTag(field, wireTypes.bytes)
    writer.writeVarint(length)
  })
}

export function writeInteger(writer: Writer, field: number, value: number): void {
  writer.writeTag(field, wireTypes.varint)
  writer.writeVarint(value)
}

export function writeFloat(writer: Writer, field: number, value: number): void {
  writer.writeTag(field, wireTypes.fixed32)
  writer.writeFloat(value)
}

export function writeText(writer: Writer, field: number, value: string): void {
  writer.writeTag(field, wireTypes.bytes)
  writer.writeString(value)
}

/** A field of a message: a number, or the bytes of a string, of packed numbers or of a message. */
export interface Field {
  readonly number: number
  readonly value: number | Uint8Array
}

/**
 * The fields of a message, in the order of the file; bytes are views.
 * @throws TrainerError when the bytes end within a field or are not fields at all.
 */
export function* fields(bytes: Uint8Array): Generator<Field> {
  const reader = new PbfReader(bytes)
  while (reader.pos < bytes.length) {
    const start = reader.pos
    const field = readField(reader, bytes)
    if (field === undefined || reader.pos > bytes.length) {
      const place = `byte ${start} of a message of ${bytes.length} bytes`
      throw new TrainerError('file', `The ONNX data is malformed or cut off: ${place} does not start a whole field.`)
    }
    yield field
  }
}

function readField(reader: PbfReader, bytes: Uint8Array): Field | undefined {
  try {
    const tag = reader.readVarint()
    const number = tag >>> 3
    if (number === 0) return undefined
    switch (tag & 7) {
      case wireTypes.varint:
        return { number, value: reader.readVarint(true) }
      case wireTypes.fixed64:
        return { number, value: reader.readDouble() }
      case wireTypes.fixed32:
        return { number, value: reader.readFloat() }
      case wireTypes.bytes: {
        const length = reader.readVarint()
        return length > bytes.length - reader.pos
          ? undefined
          : { number, value: bytes.subarray(reader.pos, (reader.pos += length)) }
      }
      default:
        return undefined
    }
  } catch {
    return undefined // pbf's own complaint says less than ours
  }
}

/** The number that a field holds. @throws TrainerError when it holds bytes. */
export function asNumber({ number, value }: Field): number {
  if (typeof value === 'number') return value
  throw new TrainerError('file', `The ONNX data is malformed: field ${number} holds bytes where a number was expected.`)
}

/** The bytes that a field holds. @throws TrainerError when it holds a number. */
export function asBytes({ number, value }: Field): Uint8Array {
  if (typeof value !== 'number') return value
  throw new TrainerError(
    'file',
    `The ONNX data is malformed: field ${number} holds a number where bytes were expected.`,
  )
}

export function asText(field: Field): string {
  return utf8.decode(asBytes(field))
}

/** The signed 64-bit numbers of a repeated field, packed or not. @throws TrainerError when the last one is cut off. */
export function asIntegers(field: Field): bigint[] {
  if (typeof field.value === 'number') return [BigInt(field.value)]
  const result: bigint[] = []
  let value = 0n
  let shift = 0n
  for (const byte of field.value) {
    value |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (shift > 70n) break
    if (byte > 0x7f) continue
    result.push(BigInt.asIntN(64, value))
    value = 0n
    shift = 0n
  }
  if (shift !== 0n)
    throw new TrainerError(
      'file',
      `The ONNX data is malformed: the packed numbers of field ${field.number} are cut off.`,
    )
  return result
}

const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const
const utf8 = new TextDecoder('utf-8')
