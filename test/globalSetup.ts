// Vitest calls `setup` before the first test file and `teardown` after the last
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `temporaryFolder()` makes its folders. */
    temporaryFolders: string
  }
}

let folder: string

export function setup(project: TestProject): void {
  folder = mkdtempSync(join(tmpdir(), 'ts-trainer-'))
  project.provide('temporaryFolders', folder)
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true })
}
