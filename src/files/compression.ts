// how a file is compressed, by its first bytes; what zlib unpacks of it
import { promisify } from 'node:util'
import { crc32, gunzip, inflateRaw } from 'node:zlib'

import { TrainerError } from '../errors'
import { openForReading, readExactly } from './readFile'
import { readZipEntries, type ZipEntry } from './zip'

/** Ways to compress a file, or to put several into one. */
export type Compression = 'gzip' | 'zstd' | 'zip' | 'bzip2' | 'xz' | 'lz4' | '7z' | 'rar'

/** The beginnings of compressed files, in hexadecimal digits. */
const signatures: readonly (readonly [Compression, RegExp])[] = [
  ['gzip', /^1f8b/],
  ['zstd', /^(?:28b52ffd|5.2a4d18)/],
  ['zip', /^504b(?:0304|0506)/],
  ['bzip2', /^425a683[1-9](?:314159265359|177245385090)/],
  ['xz', /^fd377a585a00/],
  ['lz4', /^(?:0422|0221)4d18/],
  ['7z', /^377abcaf271c/],
  ['rar', /^526172211a07/],
]

/** How bytes are compressed, as their beginning says; undefined for plain ones. */
export function compressionOf(bytes: Uint8Array): Compression | undefined {
  const start = Buffer.from(bytes.subarray(0, 10)).toString('hex')
  return signatures.find(([, pattern]) => pattern.test(start))?.[0]
}

/** The first bytes of a file, up to `length`. @throws TrainerError (`file`) when it cannot be read. */
export async function firstBytes(path: string, length: number): Promise<Uint8Array> {
  const handle = await openForReading(path)
  try {
    const bytes = new Uint8Array(length)
    const { bytesRead } = await handle.read(bytes, 0, length, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

const fix = 'Download it again, or unpack it yourself and load what is in it.'

/** The error for a file that would unpack to more than `limit` bytes. */
export function tooMuch(path: string, limit: number): TrainerError {
  return new TrainerError('file', `${path} unpacks to more than the ${limit} bytes that are read of one file.`, {
    fix: 'If it is meant to be that large, unpack it and split it, or write it as parquet.',
  })
}

/** The error for a compressed file that cannot be unpacked. */
export function broken(path: string, compression: Compression, cause: unknown): TrainerError {
  const problem = `${path} is broken or cut off: its ${compression} data cannot be unpacked (${(cause as Error).message}).`
  return new TrainerError('file', problem, { fix, cause })
}

/**
 * What gzipped bytes hold, of all members one after the other.
 * @throws TrainerError (`file`) when they are broken, cut off, or hold more than `limit` bytes.
 */
export async function gunzipBytes(path: string, bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: limit })
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? tooMuch(path, limit)
      : broken(path, 'gzip', cause)
  }
}

/** A file in an archive. */
export interface ArchiveMember {
  /** Its path in the archive. */
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * The members of a zip archive in the order of their paths, files of a folder before those of its folders. Hidden ones and
 * those below `__MACOSX` and its like are left out.
 * @param isWanted whether a member is read.
 * @throws TrainerError (`file`) when the archive is broken, a member's checksum is wrong, or its wanted members hold more
 * than `limit` bytes.
 */
export async function readArchive(
  path: string,
  limit: number,
  isWanted: (name: string) => boolean,
): Promise<ArchiveMember[]> {
  const handle = await openForReading(path)
  try {
    const entries = await readZipEntries(handle, path, (await handle.stat()).size, fix)
    const wanted = [...entries].filter(([name]) => !/(?:^|\/)(?:\.|__)|\/$/.test(name) && isWanted(name))
    if (wanted.reduce((total, [, { size }]) => total + size, 0) > limit) throw tooMuch(path, limit)
    const members: ArchiveMember[] = []
    for (const [name, entry] of wanted.sort(([a], [b]) => compareAsTree(a, b))) {
      const packed = new Uint8Array(entry.packed)
      if (!(await readExactly(handle, packed, entry.start)))
        throw broken(path, 'zip', new Error('unexpected end of file'))
      members.push({ name, bytes: await unpackEntry(`${path}/${name}`, entry, packed) })
    }
    return members
  } finally {
    await handle.close()
  }
}

async function unpackEntry(path: string, entry: ZipEntry, packed: Uint8Array): Promise<Uint8Array> {
  const bytes = entry.deflated ? await inflate(path, packed, entry.size) : packed
  if (bytes.length !== entry.size) throw broken(path, 'zip', new Error(`${bytes.length} of ${entry.size} bytes`))
  if (crc32(bytes) !== entry.crc) throw broken(path, 'zip', new Error('incorrect checksum'))
  return bytes
}

async function inflate(path: string, packed: Uint8Array, size: number): Promise<Uint8Array> {
  if (size === 0) return new Uint8Array()
  try {
    return await promisify(inflateRaw)(packed, { maxOutputLength: size })
  } catch (cause) {
    throw broken(path, 'zip', cause)
  }
}

/** Files before folders, each by name: the order in which folders are walked. */
function compareAsTree(a: string, b: string): number {
  const [first = '', ...innerA] = a.split('/')
  const [second = '', ...innerB] = b.split('/')
  if (first === second && innerA.length > 0 && innerB.length > 0)
    return compareAsTree(innerA.join('/'), innerB.join('/'))
  if (innerA.length > 0 !== innerB.length > 0) return innerA.length > 0 ? 1 : -1
  return first < second ? -1 : first > second ? 1 : 0
}
