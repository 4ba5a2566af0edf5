import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { chunkBytes, type ByteSource } from './bytes'
import { makeFolder } from './paths'
import { writeError } from './systemErrors'

/** Tells the files apart that one process writes at the same time, perhaps to one place. */
let writes = 0

/**
 * Writes a file beside its place, flushes it to the disk and renames it: `path` is always the old file or the whole new
 * one.
 *
 * Pieces are copied through one buffer of 4 MiB (Node refuses to write from shared memory), so the event loop stays
 * free and small pieces do not cost a call each. The source must not change until the promise is fulfilled.
 * @returns the number of bytes written.
 * @throws TrainerError (`file`) when the file cannot be written; then nothing is left behind.
 */
export async function writeFileWhole(path: string, source: ByteSource): Promise<number> {
  const beside = `${path}.tmp-${process.pid}.${writes++}`
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

/**
 * Writes texts as files of a folder, which is made; each whole or not at all.
 * @throws TrainerError (`file`) when that fails.
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

/**
 * Writes a text beside its place and renames it, before anything else happens: for what a process that ends leaves.
 * @throws TrainerError (`file`) when the file cannot be written; then nothing is left behind.
 */
export function writeTextNow(path: string, text: string): void {
  const beside = `${path}.tmp-${process.pid}.${writes++}`
  try {
    writeFileSync(beside, text)
    renameSync(beside, path)
  } catch (cause) {
    rmSync(beside, { force: true })
    throw writeError(path, cause)
  }
}

async function writePieces(
  handle: FileHandle,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<number> {
  const staging = new Uint8Array(chunkBytes)
  let filled = 0
  let written = 0
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
