import { basename, dirname, join } from 'node:path'

import type { ByteSource } from './bytes'
import { writeFolder } from './folder'
import { writeFileWhole } from './writeFile'

/**
 * Writes a file and another beside it that belongs to it, so that they are never read as a mixture of old and new where
 * the folder was recovered (`recoverFolders`) before: a process that is killed, or a failure, between the two leaves the
 * rest for that, or for the next that writes there.
 * @param beside the other file's name, and its bytes.
 * @throws TrainerError (`file`) when they cannot be written.
 */
export async function writeTogether(
  path: string,
  source: ByteSource,
  beside: { readonly name: string; readonly source: ByteSource },
): Promise<void> {
  await writeFolder(
    dirname(path),
    async temporary => {
      await writeFileWhole(join(temporary, beside.name), beside.source)
      await writeFileWhole(join(temporary, basename(path)), source)
    },
    { others: 'keep' },
  )
}
