// the file run-ID.wandb: records one after the other, framed as in LevelDB's log, with zlib's CRC-32 in place of
// CRC-32C
import { crc32 } from 'node:zlib'
import { TrainerError } from '../../errors'

/** What the file begins with: ":W&B", the number 0xBEE1, version 0. */
export const logHeader = Uint8Array.of(0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0)

const blockLength = 32 * 1024
/** Checksum, length and kind of a piece. */
const pieceHeader = 7
const pieces = { whole: 1, first: 2, middle: 3, last: 4 } as const

/** The bytes of a record at a place of the file: a piece for each block that it reaches into. */
export function framed(record: Uint8Array, place: number): Uint8Array {
  const parts: Uint8Array[] = []
  let at = place
  let from = 0
  let isFirst = true
  do {
    let room = blockLength - (at % blockLength)
    if (room < pieceHeader) {
      parts.push(new Uint8Array(room))
      at += room
      room = blockLength
    }
    const to = Math.min(record.length, from + room - pieceHeader)
    const isLast = to === record.length
    const kind = isFirst ? (isLast ? pieces.whole : pieces.first) : isLast ? pieces.last : pieces.middle
    const part = piece(kind, record.subarray(from, to))
    parts.push(part)
    at += part.length
    from = to
    isFirst = false
  } while (from < record.length)
  return Buffer.concat(parts)
}

function piece(kind: number, content: Uint8Array): Uint8Array {
  const result = new Uint8Array(pieceHeader + content.length)
  const view = new DataView(result.buffer)
  view.setUint32(0, checksum(kind, content), true)
  view.setUint16(4, content.length, true)
  view.setUint8(6, kind)
  result.set(content, pieceHeader)
  return result
}

function checksum(kind: number, content: Uint8Array): number {
  const ofKind = crc32(Uint8Array.of(kind))
  return content.length === 0 ? ofKind : crc32(content, ofKind) // of no bytes zlib begins anew
}

/** A record of a file, and where it ends. */
export interface PlacedRecord {
  readonly record: Uint8Array
  readonly end: number
}

/**
 * The records of a file, up to the first that is not whole: a process that is killed leaves one behind.
 * @throws TrainerError (`file`) when it is no such file.
 */
export function* recordsIn(bytes: Uint8Array, name: string): Generator<PlacedRecord> {
  if (!logHeader.every((byte, at) => bytes[at] === byte))
    throw new TrainerError('file', `${name} is no transaction log of Weights & Biases: it does not begin with ":W&B".`)
  let begun: Uint8Array[] = []
  for (let at = logHeader.length; at < bytes.length;) {
    const room = blockLength - (at % blockLength)
    if (room < pieceHeader) {
      at += room
      continue
    }
    const found = pieceAt(bytes, at)
    if (found === undefined) return
    at = found.end
    begun.push(found.content)
    if (found.kind === pieces.first || found.kind === pieces.middle) continue
    yield { record: Buffer.concat(begun), end: at }
    begun = []
  }
}

function pieceAt(bytes: Uint8Array, at: number): { kind: number; content: Uint8Array; end: number } | undefined {
  if (at + pieceHeader > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, pieceHeader)
  const end = at + pieceHeader + view.getUint16(4, true)
  const kind = view.getUint8(6)
  const content = bytes.subarray(at + pieceHeader, end)
  return end <= bytes.length && checksum(kind, content) === view.getUint32(0, true) ? { kind, content, end } : undefined
}
