import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { writeFolder } from '../../src/files/folder'

/** Writes a folder again and again, 20 files of one version each, until it is killed. */
const target = process.argv[2]!
for (let version = 0; ; version++) {
  await writeFolder(target, async temporary => {
    for (let i = 0; i < 20; i++) await writeFile(join(temporary, String(i)), String(version))
  })
  if (version === 0) console.log('started')
}
