import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from './temporaryFolder'

/** A function that writes files into a temporary folder of a test file, and returns their paths. */
export function temporaryFiles(folder = temporaryFolder()): (name: string, content: string | Uint8Array) => string {
  return (name, content) => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }
}
