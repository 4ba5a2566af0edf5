// the small files of a folder, for rooms that do not touch the disk themselves
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { readBytes, readText } from './readFile'
import { isFolder } from './paths'
import { writeTexts } from './writeFile'

/** Lists, reads and writes the small files of folders on the disk. */
export const textFiles = {
  /** The names in a folder; undefined when there is no such folder. */
  list: async (folder: string): Promise<string[] | undefined> =>
    (await isFolder(folder)) ? readdir(folder) : undefined,
  /** The text of a file; undefined when there is no such file. @throws TrainerError when it cannot be read. */
  read: (folder: string, name: string): Promise<string | undefined> => readText(join(folder, name)),
  /** The bytes of a file that is there. @throws TrainerError when it cannot be read. */
  readBytes: (folder: string, name: string): Promise<Uint8Array> => readBytes(join(folder, name)),
  /** Writes texts as files of a folder, which is made if need be; each whole or not at all. */
  write: writeTexts,
}
