import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

import { TrainerError } from '../errors'

/** Bytes that are copied or converted at a stretch: about a millisecond of the event loop's time. */
export const chunkBytes = 4 << 20

/** Bytes to write: whole, or piece by piece for what is not kept in memory at once. */
export type ByteSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * Writes a file beside its place, flushes it to the disk and renames it: under `path` stands the old file or the whole
 * new one.
 *
 * Pieces are copied through one buffer of 4 MiB (Node refuses to write from shared memory), so the event loop stays
 * free and small pieces cost no call each. The source must not change until the promise is fulfilled.
 * @returns the number of bytes written.
 * @throws TrainerError (`file`) when the file cannot be written; nothing is left behind then.
 */
export async function writeFileWhole(path: string, source: ByteSource): Promise<number> {
  const beside = `${path}.tmp-${process.pid}`
  try {
    const handle = await open(beside, 'w')
    let written: number
    try {
      written = await writePieces(handle, source instanceof Uint8Array ? [source] : source)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, path)
    return written
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw writeError(path, cause)
  }
}

/** Reads exactly `target.length` bytes from `position`. @returns false when the file ends before. */
export async function readExactly(handle: FileHandle, target: Uint8Array, position: number): Promise<boolean> {
  for (let at = 0; at < target.length;) {
    const { bytesRead } = await handle.read(target, at, Math.min(chunkBytes * 16, target.length - at), position + at)
    if (bytesRead === 0) return false
    at += bytesRead
  }
  return true
}

/** The bytes of a typed array, not copied. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/**
 * The error for a file or folder that could not be written, with the fix for the usual reasons; a TrainerError passes
 * as it is.
 */
export function writeError(path: string, cause: unknown): unknown {
  const code = errorCode(cause)
  if (cause instanceof TrainerError || code === undefined) return cause
  const fixes: Record<string, string> = {
    ENOSPC: 'Free some space, or lower saveTotalLimit.',
    EDQUOT: 'Free some of your quota, or lower saveTotalLimit.',
    EACCES: 'Give this user write permission, or choose another folder.',
    EPERM: 'Give this user write permission, or choose another folder.',
    EROFS: 'The file system is read-only: choose another folder.',
    ENOTDIR: 'A part of the path is a file: choose another folder.',
    EEXIST: 'A file stands where the folder should be: choose another folder.',
  }
  const fix = fixes[code]
  return new TrainerError(
    'file',
    `Cannot write ${path}: ${(cause as Error).message}.`,
    fix === undefined ? { cause } : { fix, cause },
  )
}

/** Node's code of a system error (`ENOENT`, …), undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : undefined
}

async function writePieces(
  handle: FileHandle,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<number> {
  const staging = new Uint8Array(chunkBytes)
  let [filled, written] = [0, 0]
  const flush = async (): Promise<void> => {
    for (let at = 0; at < filled;) at += (await handle.write(staging, at, filled - at)).bytesWritten
    written += filled
    filled = 0
  }
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const count = Math.min(piece.length - at, chunkBytes - filled)
      staging.set(piece.subarray(at, at + count), filled)
      at += count
      filled += count
      if (filled === chunkBytes) await flush()
    }
  }
  await flush()
  return written
}

/** Whether a folder stands at a path. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

/**
 * Makes a folder and those above it, where there are none. Node's own recursive `mkdir` never ends in a folder that
 * takes no folders and says that they are missing, as `/proc` does.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeOne(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await makeOne(path)
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST' || !(await isFolder(path))) throw error
  }
}

/**
 * Writes texts as files of a folder, which is made; each whole or not at all.
 * @throws TrainerError (`file`) saying why not.
 */
export async function writeTexts(folder: string, texts: Readonly<Record<string, string>>): Promise<void> {
  try {
    await makeFolder(folder)
  } catch (cause) {
    throw writeError(folder, cause)
  }
  for (const [name, text] of Object.entries(texts))
    await writeFileWhole(join(folder, name), new TextEncoder().encode(text))
}

/** The names in a folder; none when there is no such folder. */
export async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  })
}

/** A path whose `~` at the beginning is the home folder, as a shell has it. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') || path.startsWith('~\\') ? `${homedir()}${path.slice(1)}` : path
}

/** A text file; undefined when there is none. @throws TrainerError (`file`) when it cannot be read. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw new TrainerError('file', `Cannot read ${path}: ${(cause as Error).message}.`, { cause })
  }
}
