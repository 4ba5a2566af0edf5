import { open, readFile, type FileHandle } from 'node:fs/promises'

import { TrainerError } from '../errors'
import { chunkBytes } from './bytes'
import { mayBeLfsPointer, refuseLfsPointer } from './lfsPointer'
import { errorCode } from './systemErrors'

/**
 * Reads a text file; undefined when there is no such file.
 * @throws TrainerError (`file`) when it cannot be read, or is a pointer of Git LFS.
 */
export async function readText(path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path)
    refuseLfsPointer(path, bytes)
    return bytes.toString('utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): TrainerError {
  if (cause instanceof TrainerError) return cause
  return new TrainerError('file', `Cannot read ${path}: ${(cause as Error).message}.`, { cause })
}

/**
 * Opens a file for reading.
 * @param fix for the error.
 * @throws TrainerError (`file`) when it is missing, unreadable, not a file, or a pointer of Git LFS.
 */
export async function openForReading(path: string, fix?: string): Promise<FileHandle> {
  try {
    const handle = await open(path, 'r')
    const found = await handle.stat()
    if (found.isFile()) return await withoutPointer(handle, path, found.size)
    await handle.close()
  } catch (cause) {
    if (cause instanceof TrainerError) throw cause
    throw openError(path, cause, fix)
  }
  throw new TrainerError('file', `${path} is not a file.`, fix === undefined ? {} : { fix })
}

/** The error for a file that cannot be opened for reading. */
export function openError(path: string, cause: unknown, fix: string | undefined): TrainerError {
  const what =
    errorCode(cause) === 'ENOENT' ? `There is no file ${path}` : `Cannot read ${path}: ${(cause as Error).message}`
  return new TrainerError('file', `${what}.`, { ...(fix !== undefined && { fix }), cause })
}

/** The open file, unless it is a pointer of Git LFS; then it is closed. */
async function withoutPointer(handle: FileHandle, path: string, size: number): Promise<FileHandle> {
  if (!mayBeLfsPointer(size)) return handle
  try {
    const bytes = new Uint8Array(size)
    if (await readExactly(handle, bytes, 0)) refuseLfsPointer(path, bytes)
    return handle
  } catch (cause) {
    await handle.close()
    throw cause
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

/** The bytes of a file. @throws TrainerError (`file`) when it cannot be read, or is a pointer of Git LFS. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path)
    refuseLfsPointer(path, bytes)
    return bytes
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') throw openError(path, cause, 'Check the path.')
    throw unreadable(path, cause)
  }
}

/** An open file of which parts are read. Close it after use. */
export interface SlicedFile {
  readonly byteLength: number
  /** The bytes from `start` to before `end` (the end of the file by default). */
  slice(start: number, end?: number): Promise<ArrayBuffer>
  close(): Promise<void>
}

/**
 * Opens a file to read slices of it. Errors of the file system pass as they are.
 * @throws TrainerError (`file`) for a pointer of Git LFS.
 */
export async function openSlices(path: string): Promise<SlicedFile> {
  const opened = await open(path, 'r')
  const { size } = await opened.stat()
  const handle = await withoutPointer(opened, path, size)
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start))
      if (await readExactly(handle, bytes, start)) return bytes.buffer
      throw new TrainerError('file', `${path} became shorter while it was read.`)
    },
    close: () => handle.close(),
  }
}

/** Slices of bytes that are in memory, as {@link openSlices} gives those of a file. */
export function slicesOf(bytes: Uint8Array): SlicedFile {
  return {
    byteLength: bytes.length,
    slice: (start, end) => Promise.resolve(new Uint8Array(bytes.slice(start, end)).buffer),
    close: () => Promise.resolve(),
  }
}
