// the wire format of protocol buffers, which ONNX models and SentencePiece models are files of: the one door to pbf
import { PbfReader, PbfWriter } from 'pbf'
import { TrainerError } from './errors'

/** Writes one message's fields. */
export type Writer = PbfWriter

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

export function writeDouble(writer: Writer, field: number, value: number): void {
  writer.writeTag(field, wireTypes.fixed64)
  writer.writeDouble(value)
}

export function writeMessage(writer: Writer, field: number, bytes: Uint8Array): void {
  writer.writeTag(field, wireTypes.bytes)
  writer.writeBytes(bytes)
}

/** Writes a message within the one that is being written. */
export function writeNested(writer: Writer, field: number, write: () => void): void {
  writer.writeMessage(field, write, undefined)
}

export function writeText(writer: Writer, field: number, value: string): void {
  writer.writeTag(field, wireTypes.bytes)
  writer.writeString(value)
}

/** A field of a message: a number, or the bytes of a string, of packed numbers or of a message. */
export interface Field {
  readonly number: number
  readonly value: number | Uint8Array
  /** How it is written, one of {@link wireTypes}. */
  readonly wire: number
  /** What the message is part of, for errors. */
  readonly of: string
}

/**
 * The fields of a message, in the order of the file; bytes are views.
 * @param of what the message is part of, for errors.
 * @throws TrainerError when the bytes end within a field or are not fields at all.
 */
export function* fields(bytes: Uint8Array, of = 'ONNX data'): Generator<Field> {
  const reader = new PbfReader(bytes)
  while (reader.pos < bytes.length) {
    const start = reader.pos
    const field = readField(reader, bytes, of)
    if (field === undefined || reader.pos > bytes.length) {
      const place = `byte ${start} of a message of ${bytes.length} bytes`
      throw new TrainerError('file', `The ${of} is malformed or cut off: ${place} does not start a whole field.`)
    }
    yield field
  }
}

function readField(reader: PbfReader, bytes: Uint8Array, of: string): Field | undefined {
  try {
    const tag = reader.readVarint()
    const number = Math.floor(tag / 8)
    const wire = tag % 8
    if (number === 0) return undefined
    switch (wire) {
      case wireTypes.varint:
        return { number, wire, of, value: reader.readVarint(true) }
      case wireTypes.fixed64:
        return { number, wire, of, value: reader.readDouble() }
      case wireTypes.fixed32:
        return { number, wire, of, value: reader.readFloat() }
      case wireTypes.bytes: {
        const length = reader.readVarint()
        return length > bytes.length - reader.pos
          ? undefined
          : { number, wire, of, value: bytes.subarray(reader.pos, (reader.pos += length)) }
      }
      default:
        return undefined
    }
  } catch {
    return undefined // pbf's own complaint says less than ours
  }
}

/** The number that a field holds. @throws TrainerError when it holds bytes. */
export function asNumber({ number, value, of }: Field): number {
  if (typeof value === 'number') return value
  throw new TrainerError('file', `The ${of} is malformed: field ${number} holds bytes where a number was expected.`)
}

/** The bytes that a field holds. @throws TrainerError when it holds a number. */
export function asBytes({ number, value, of }: Field): Uint8Array {
  if (typeof value !== 'number') return value
  throw new TrainerError('file', `The ${of} is malformed: field ${number} holds a number where bytes were expected.`)
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
      `The ${field.of} is malformed: the packed numbers of field ${field.number} are cut off.`,
    )
  return result
}

/** The floating-point numbers of a repeated field, packed or not. @throws TrainerError when the last one is cut off. */
export function asFloats({ number, value, of }: Field, width: 4 | 8): number[] {
  if (typeof value === 'number') return [value]
  if (value.length % width !== 0)
    throw new TrainerError('file', `The ${of} is malformed: the packed numbers of field ${number} are cut off.`)
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return Array.from({ length: value.length / width }, (_, i) =>
    width === 4 ? view.getFloat32(i * 4, true) : view.getFloat64(i * 8, true),
  )
}

/** How the value of a field is written. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
