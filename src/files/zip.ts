import type { FileHandle } from 'node:fs/promises'

import { TrainerError } from '../errors'
import { readExactly } from './readFile'

/** The place of an entry's bytes in the file. */
export interface ZipEntry {
  readonly start: number
  /** How many bytes it takes in the file. */
  readonly packed: number
  /** How many bytes it holds. */
  readonly size: number
  /** Compressed by deflate; else stored uncompressed. */
  readonly deflated: boolean
  /** The checksum of what it holds, CRC-32. */
  readonly crc: number
}

/** The fix for an archive of a model that cannot be read. */
const modelFix = 'Download it again, or save the model as safetensors in Python: model.save_pretrained(folder).'

/** The largest directory that is read: some ten times that of the largest sharded models. */
const directoryLimit = 64_000_000

/**
 * The entries of a zip archive, stored or deflated; also beyond 4 GB (zip64).
 *
 * Layout: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.
 * @param size the archive's, in bytes.
 * @param fix for the error.
 * @throws TrainerError (`file`) when the archive is truncated, malformed, encrypted or compressed in another way.
 */
export async function readZipEntries(
  handle: FileHandle,
  path: string,
  size: number,
  fix = modelFix,
): Promise<Map<string, ZipEntry>> {
  const malformed = (what: string): TrainerError => new TrainerError('file', `${path} ${what}.`, { fix })
  const read = async (start: number, length: number): Promise<DataView> => {
    const bytes = new Uint8Array(length)
    if (start < 0 || start + length > size || !(await readExactly(handle, bytes, start)))
      throw malformed('is truncated')
    return new DataView(bytes.buffer)
  }
  const { count, start, length } = await findDirectory(read, malformed, size)
  if (length > directoryLimit) throw malformed(`has a directory of ${length} bytes`)
  const directory = await read(start, length)
  const entries = new Map<string, ZipEntry>()
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > length || directory.getUint32(at, true) !== 0x02014b50) throw malformed('has a broken directory')
    const entry = readDirectoryEntry(directory, at, malformed)
    const local = await read(entry.header, 30)
    if (local.getUint32(0, true) !== 0x04034b50) throw malformed(`has no entry ${entry.name} where its directory says`)
    const from = entry.header + 30 + local.getUint16(26, true) + local.getUint16(28, true)
    if (from + entry.packed > size) throw malformed(`is truncated: its entry ${entry.name} ends beyond it`)
    if (entries.has(entry.name)) throw malformed(`has the entry ${entry.name} twice`)
    const { packed, size: unpacked, deflated, crc } = entry
    entries.set(entry.name, { start: from, packed, size: unpacked, deflated, crc })
    at = entry.next
  }
  return entries
}

type Read = (start: number, length: number) => Promise<DataView>
type Malformed = (what: string) => TrainerError

async function findDirectory(
  read: Read,
  malformed: Malformed,
  size: number,
): Promise<{ count: number; start: number; length: number }> {
  const tail = await read(Math.max(0, size - 65557), Math.min(size, 65557))
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue
    const end = {
      count: tail.getUint16(at + 10, true),
      length: tail.getUint32(at + 12, true),
      start: tail.getUint32(at + 16, true),
    }
    if (at < 20 || tail.getUint32(at - 20, true) !== 0x07064b50) return end
    const large = await read(Number(tail.getBigUint64(at - 12, true)), 56)
    if (large.getUint32(0, true) !== 0x06064b50) throw malformed('has a broken directory')
    return {
      count: Number(large.getBigUint64(32, true)),
      length: Number(large.getBigUint64(40, true)),
      start: Number(large.getBigUint64(48, true)),
    }
  }
  throw malformed('is truncated: it has no directory')
}

interface DirectoryEntry extends Omit<ZipEntry, 'start'> {
  readonly name: string
  readonly header: number
  readonly next: number
}

function readDirectoryEntry(view: DataView, at: number, malformed: Malformed): DirectoryEntry {
  const nameLength = view.getUint16(at + 28, true)
  const extraLength = view.getUint16(at + 30, true)
  const commentLength = view.getUint16(at + 32, true)
  const next = at + 46 + nameLength + extraLength + commentLength
  if (next > view.byteLength) throw malformed('has a broken directory')
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength))
  const flags = view.getUint16(at + 8, true)
  const method = view.getUint16(at + 10, true)
  if ((flags & 1) !== 0) throw malformed(`has the encrypted entry ${name}`)
  if (method !== 0 && method !== 8)
    throw malformed(`has the entry ${name} compressed in a way that is not read (method ${method})`)
  const narrow = {
    packed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    header: view.getUint32(at + 42, true),
  }
  const extra = at + 46 + nameLength
  const { packed, size, header } = widen(narrow, view, extra, extra + extraLength, malformed)
  if (method === 0 && packed !== size) throw malformed(`has two sizes for the entry ${name}`)
  return { name, packed, size, deflated: method === 8, crc: view.getUint32(at + 16, true), header, next }
}

type Sizes = Pick<DirectoryEntry, 'packed' | 'size' | 'header'>

/** Reads the numbers that do not fit into 32 bits from the zip64 field among the extra fields. */
function widen(narrow: Sizes, view: DataView, start: number, end: number, malformed: Malformed): Sizes {
  for (let field = start; field + 4 <= end; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue
    const wide = Object.values(narrow).filter(value => value === 0xffffffff).length
    if (view.getUint16(field + 2, true) < wide * 8 || field + 4 + wide * 8 > end)
      throw malformed('has a broken directory')
    let at = field + 4
    const take = (value: number): number => {
      if (value !== 0xffffffff) return value
      at += 8
      return Number(view.getBigUint64(at - 8, true))
    }
    const size = take(narrow.size) // the field has them in this order
    const packed = take(narrow.packed)
    const header = take(narrow.header)
    return { packed, size, header }
  }
  return narrow
}
