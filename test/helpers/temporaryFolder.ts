import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** An empty folder. It is gone when the whole run of the tests has ended. */
export function temporaryFolder(): string {
  return mkdtempSync(join(inject('temporaryFolders'), 'test-'))
}
