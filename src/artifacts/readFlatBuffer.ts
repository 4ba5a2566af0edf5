import { ByteBuffer } from 'flatbuffers'
import { type FieldKind, inlineWidth, type Schema, type TableOf } from './flatBufferSchema'

/** What is wrong with the bytes, and which field is at fault; the caller says which file they are of. */
export class FlatBufferError extends Error {}

/**
 * Reads FlatBuffers of which nothing is trusted: every offset, length and table of offsets is checked before it is
 * followed. Beyond what the format asks for, the bytes have to be as a builder writes them: every one belongs to exactly
 * one part or is a zero between two. So what is cut off or changed anywhere but in a value is found, and what is read
 * never takes more memory than the file.
 */
export class FlatBufferReader {
  readonly #buffer: ByteBuffer
  readonly #length: number
  /** The parts that were read, as their first byte and the byte after their last. */
  readonly #parts: (readonly [number, number])[] = []
  /** Tables of the same form share one table of offsets: the sizes of those, by where they start. */
  readonly #vtables = new Map<number, number>()
  readonly #texts = new Map<number, string>()
  #claimed = 0
  #alignment = 4

  /** @throws FlatBufferError when the bytes are too short or have another identifier. */
  constructor(bytes: Uint8Array, identifier: string) {
    this.#buffer = new ByteBuffer(bytes)
    this.#length = bytes.length
    if (bytes.length < 12) throw new FlatBufferError(`it has ${bytes.length} bytes, too few for one`)
    const found = String.fromCharCode(...bytes.subarray(4, 8))
    if (found !== identifier)
      throw new FlatBufferError(`its identifier (bytes 4 to 7) is ${JSON.stringify(found)}, not "${identifier}"`)
    this.#claim(0, 8, 'the header')
  }

  /**
   * The table that the bytes are.
   * @param check is given what the table's first field holds, an int32, before anything else is read.
   */
  root<S extends Schema>(schema: S, check: (first: number) => void): TableOf<S> {
    const at = this.#follow(0, 'the root table')
    const fields = this.#fieldsOf(at, { first: 'int32' }, 'the root table', true)
    check(fields[0] === undefined ? 0 : this.#buffer.readInt32(fields[0]))
    const root = this.#table(at, schema, '')
    this.#checkParts()
    return root as TableOf<S>
  }

  #table(at: number, schema: Schema, place: string): Record<string, unknown> {
    const positions = this.#fieldsOf(at, schema, place === '' ? 'the root table' : place, false)
    const table: Record<string, unknown> = {}
    for (const [slot, [name, kind]] of Object.entries(schema).entries()) {
      const position = positions[slot]
      if (position !== undefined) table[name] = this.#value(position, kind, place === '' ? name : `${place}.${name}`)
    }
    return table
  }

  /** Where the fields of a table are, by slot. `isPeek`: later slots are passed over, and nothing is claimed. */
  #fieldsOf(at: number, schema: Schema, place: string, isPeek: boolean): (number | undefined)[] {
    this.#within(at, 4, 4, place)
    const vtable = at - this.#buffer.readInt32(at)
    this.#within(vtable, 4, 2, `the table of offsets of ${place}`)
    const vtableSize = this.#buffer.readUint16(vtable)
    const size = this.#buffer.readUint16(vtable + 2)
    if (vtableSize < 4 || vtableSize % 2 !== 0 || size < 4)
      throw new FlatBufferError(`${place} is ${size} bytes long, its table of offsets ${vtableSize}`)
    this.#within(vtable, vtableSize, 2, `the table of offsets of ${place}`)
    this.#within(at, size, 4, place)
    const kinds = Object.entries(schema)
    const slots = (vtableSize - 4) / 2
    if (slots > kinds.length && !isPeek)
      throw new FlatBufferError(`${place} has ${slots} fields, where ${kinds.length} are known`)
    const offsets = kinds.map((_, slot) => (slot < slots ? this.#buffer.readUint16(vtable + 4 + slot * 2) : 0))
    if (!isPeek) {
      this.#checkFields(at, size, kinds, offsets, place)
      this.#claimVtable(vtable, vtableSize, place)
      this.#claim(at, size, place)
    } else if (offsets[0]! > size - 4) throw new FlatBufferError(`${place} ends before its first field`)
    return offsets.map(offset => (offset === 0 ? undefined : at + offset))
  }

  /** Fields lie in their table, aligned and apart, and between them are zeros. */
  #checkFields(
    at: number,
    size: number,
    kinds: readonly (readonly [string, FieldKind])[],
    offsets: readonly number[],
    place: string,
  ): void {
    const fields = kinds.map(([name, kind], slot) => ({ name, width: inlineWidth(kind), start: offsets[slot]! }))
    let end = 4
    for (const { name, width, start } of fields.filter(({ start }) => start > 0).sort((a, b) => a.start - b.start)) {
      const bad = start < end || start + width > size || (at + start) % width !== 0
      if (bad || !this.#isPadding(at + end, at + start)) throw misplaced(place, name, start, size)
      if (width === 8) this.#alignment = 8
      end = start + width
    }
    if (!this.#isPadding(at + end, at + size))
      throw new FlatBufferError(`${place} has bytes at ${at + end} that are no field's`)
  }

  #value(position: number, kind: FieldKind, place: string): unknown {
    if (kind === 'int8') return this.#buffer.readInt8(position)
    if (kind === 'int32') return this.#buffer.readInt32(position)
    if (kind === 'int64') return this.#buffer.readInt64(position)
    if (kind === 'float32') return this.#buffer.readFloat32(position)
    if (kind === 'text') return this.#text(position, place)
    if (kind === 'bytes') {
      const { start, length } = this.#vector(position, 1, place)
      return this.#buffer.bytes().subarray(start, start + length)
    }
    if (kind === 'int64s') return this.#elements(position, 8, place, at => this.#buffer.readInt64(at))
    if (kind === 'texts') return this.#elements(position, 4, place, (at, i) => this.#text(at, `${place}[${i}]`))
    if ('table' in kind) return this.#table(this.#follow(position, place), kind.table, place)
    const inner = kind.tables
    return this.#elements(position, 4, place, (at, i) =>
      this.#table(this.#follow(at, `${place}[${i}]`), inner, `${place}[${i}]`),
    )
  }

  #elements<T>(position: number, width: number, place: string, read: (at: number, index: number) => T): T[] {
    const { start, length } = this.#vector(position, width, place)
    return Array.from({ length }, (_, i) => read(start + i * width, i))
  }

  /** A vector's first element and its length; the whole vector lies in the file, and no other part has been read there. */
  #vector(position: number, width: number, place: string, terminator = 0): { start: number; length: number } {
    const at = this.#follow(position, place)
    this.#within(at, 4, 4, place)
    const length = this.#buffer.readUint32(at)
    this.#within(at, 4 + length * width + terminator, 4, place)
    if (width === 8 && length > 0) {
      if ((at + 4) % 8 !== 0) throw new FlatBufferError(`${place} starts at byte ${at + 4}, not at a multiple of 8`)
      this.#alignment = 8
    }
    this.#claim(at, 4 + length * width + terminator, place)
    return { start: at + 4, length }
  }

  #text(position: number, place: string): string {
    const at = this.#follow(position, place)
    const known = this.#texts.get(at) // builders write equal texts once
    if (known !== undefined) return known
    const { start, length } = this.#vector(position, 1, place, 1)
    if (this.#buffer.readInt8(start + length) !== 0) throw new FlatBufferError(`${place} is a text without its end`)
    try {
      const text = utf8.decode(this.#buffer.bytes().subarray(start, start + length))
      this.#texts.set(at, text)
      return text
    } catch {
      throw new FlatBufferError(`${place} is no UTF-8 text`)
    }
  }

  #follow(position: number, place: string): number {
    const offset = this.#buffer.readUint32(position)
    if (offset === 0 || position + offset > this.#length - 4)
      throw new FlatBufferError(`${place} would start at byte ${position + offset} of ${this.#length}`)
    return position + offset
  }

  #within(at: number, size: number, alignment: number, place: string): void {
    if (at < 0 || at + size > this.#length)
      throw new FlatBufferError(`${place} would take the bytes ${at} to ${at + size} of ${this.#length}`)
    if (at % alignment !== 0)
      throw new FlatBufferError(`${place} starts at byte ${at}, not at a multiple of ${alignment}`)
  }

  #claimVtable(at: number, size: number, place: string): void {
    const known = this.#vtables.get(at)
    if (known !== undefined) return
    this.#vtables.set(at, size)
    this.#claim(at, size, `the table of offsets of ${place}`)
  }

  /** Parts that overlap are found when all are known; that they are together no larger than the file bounds the work. */
  #claim(start: number, size: number, place: string): void {
    this.#claimed += size
    if (this.#claimed > this.#length) throw new FlatBufferError(`${place} lies where another part does`)
    this.#parts.push([start, start + size])
  }

  #checkParts(): void {
    let end = 0
    for (const [start, next] of [...this.#parts.sort(([a], [b]) => a - b), [this.#length, this.#length] as const]) {
      if (start < end) throw new FlatBufferError(`two of its parts overlap at byte ${start}`)
      if (start - end >= 8 || !this.#isPadding(end, start))
        throw new FlatBufferError(`the bytes ${end} to ${start} belong to no part of it`)
      end = next
    }
    if (this.#length % this.#alignment !== 0)
      throw new FlatBufferError(`it has ${this.#length} bytes, which is no multiple of ${this.#alignment}`)
  }

  #isPadding(from: number, to: number): boolean {
    return this.#buffer
      .bytes()
      .subarray(from, Math.max(from, to))
      .every(byte => byte === 0)
  }
}

function misplaced(place: string, name: string, start: number, size: number): FlatBufferError {
  return new FlatBufferError(`the field ${name} cannot stand at byte ${start} of ${place}, which has ${size}`)
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
