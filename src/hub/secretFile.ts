// files that only their owner reads
import { randomUUID } from 'node:crypto'
import { open, realpath, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

import { makeFolder } from '../files/paths'
import { errorCode, writeError } from '../files/systemErrors'

/**
 * Writes a file that is its owner's alone from its first byte, beside its place, and renames it; the folder is made, for
 * the owner alone too, if it is missing. A link is followed, not replaced.
 * @throws TrainerError ('file') when it cannot be written; then nothing is left behind.
 */
export async function writeSecret(path: string, text: string): Promise<void> {
  try {
    await makeFolder(dirname(path), 0o700)
    const place = await realpath(path).catch(() => path)
    const beside = `${place}.${randomUUID()}.tmp`
    try {
      const handle = await open(beside, 'wx', 0o600)
      try {
        await handle.writeFile(text)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(beside, place)
    } catch (cause) {
      await rm(beside, { force: true }).catch(() => undefined)
      throw cause
    }
  } catch (cause) {
    throw writeError(path, cause)
  }
}

/** Removes a file. @returns whether it was there. @throws TrainerError ('file') when it cannot be removed. */
export async function removeSecret(path: string): Promise<boolean> {
  try {
    await rm(path)
    return true
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return false
    throw writeError(path, cause)
  }
}
