import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { writeError } from './systemErrors'

/**
 * Gives work a folder of its own among the temporary ones, which is gone afterwards.
 * @throws TrainerError (`file`) when none can be made.
 */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'ts-trainer-')).catch((cause: unknown) => {
    throw writeError(tmpdir(), cause)
  })
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}
