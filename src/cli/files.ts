import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { nearest, TrainerError } from '../index'

/** A file's text. @throws TrainerError (`file`) for one that is not there, with the nearest name in its folder. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** The error for a file that cannot be read, with the nearest name in its folder. */
export function unreadable(path: string, cause: unknown): TrainerError {
  const near = nearest(basename(path), namesIn(dirname(path)))
  return new TrainerError('file', `${path} cannot be read: ${(cause as Error).message}.`, {
    fix:
      near === undefined || near === basename(path) ? 'Check the path.' : `Did you mean ${join(dirname(path), near)}?`,
    cause,
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
