// reading bytes: a file at once, or slice by slice
import { open, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

import { TrainerError } from '../errors'
import { readExactly } from './files'

/** An open file of which parts are read. Close it after use. */
export interface SlicedFile {
  readonly byteLength: number
  /** The bytes from `start` to before `end` (the end of the file by default). */
  slice(start: number, end?: number): Promise<ArrayBuffer>
  close(): Promise<void>
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
