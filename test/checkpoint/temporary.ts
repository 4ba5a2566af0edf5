import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll } from 'vitest'

/** An empty folder that is removed after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ts-trainer-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A file or folder that the oracle made. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/checkpoint/${name}`, import.meta.url))
}

/** The longest time, in ms, that a timer of 1 ms was late while `work` ran. */
export async function longestPause(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  await work()
  clearInterval(timer)
  return longest
}
