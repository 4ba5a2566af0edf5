// files as they are now, whatever becomes of their folder
import { constants, copyFile, link, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { makeFolder } from './paths'
import { errorCode, writeError } from './systemErrors'

/** Up to here a file is copied: such are edited in place (cards, logs), while large ones are replaced as a whole. */
const mostCopied = 2 ** 20

/**
 * Keeps files as they are now: removing or replacing them does not touch what is kept. Large ones cost no space and no
 * time, being second names of the same bytes where the file system has that, else a copy.
 * @param files paths of this machine by the names that they get below the folder.
 * @param folder of the same file system.
 * @returns the paths at which they are kept, by those names.
 * @throws TrainerError (`file`) when that fails.
 */
export async function holdFiles(
  files: Readonly<Record<string, string>>,
  folder: string,
): Promise<Record<string, string>> {
  const held: Record<string, string> = {}
  for (const [name, path] of Object.entries(files)) {
    const target = join(folder, name)
    try {
      await makeFolder(dirname(target))
      await holdFile(path, target)
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') continue // removed meanwhile
      throw writeError(target, cause)
    }
    held[name] = target
  }
  return held
}

async function holdFile(path: string, target: string): Promise<void> {
  const { size } = await stat(path)
  if (size > mostCopied) {
    try {
      return await link(path, target)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') throw error
    }
  }
  await copyFile(path, target, constants.COPYFILE_FICLONE)
}
