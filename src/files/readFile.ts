import { open, readFile, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

import { TrainerError } from '../errors'
import { chunkBytes } from './bytes'
import { errorCode } from './systemErrors'

/** Reads a text file; undefined when there is no such file. @throws TrainerError (`file`) when it cannot be read. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw new TrainerError('file', `Cannot read ${path}: ${(cause as Error).message}.`, { cause })
  }
}

/**
 * Opens a file for reading.
 * @param fix for the error.
 * @throws TrainerError (`file`) when it is missing, unreadable or not a file.
 */
export async function openForReading(path: string, fix?: string): Promise<FileHandle> {
  const help = fix === undefined ? {} : { fix }
  try {
    const handle = await open(path, 'r')
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
  } catch (cause) {
    const what =
      errorCode(cause) === 'ENOENT' ? `There is no file ${path}` : `Cannot read ${path}: ${(cause as Error).message}`
    throw new TrainerError('file', `${what}.`, { ...help, cause })
  }
  throw new TrainerError('file', `${path} is not a file.`, help)
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

/**
 * The bytes of a file, unpacked if its name ends with `.gz`.
 * @throws TrainerError (`file`) when it cannot be read or unpacked.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path)
    return path.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes
  } catch (cause) {
    throw new TrainerError('file', `Cannot read ${path}: ${(cause as Error).message}.`, { cause })
  }
}

/** An open file of which parts are read. Close it after use. */
export interface SlicedFile {
  readonly byteLength: number
  /** The bytes from `start` to before `end` (the end of the file by default). */
  slice(start: number, end?: number): Promise<ArrayBuffer>
  close(): Promise<void>
}

/** Opens a file to read slices of it. Errors of the file system pass as they are. */
export async function openSlices(path: string): Promise<SlicedFile> {
  const handle = await open(path, 'r')
  const { size } = await handle.stat()
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
