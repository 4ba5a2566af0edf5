import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** A wheel of the Python package index, of which one build and no other is used. */
export interface PinnedWheel {
  readonly project: string
  readonly version: string
  readonly file: string
  readonly sha256: string
  /** The size of the file. */
  readonly bytes: number
  /** What is used of it, as paths in the archive. */
  readonly members: readonly string[]
}

/** The folder of the user's cache where what is installed beside the package lies: TS_TRAINER_CACHE, or the system's. */
export function cacheFolder(): string {
  const { TS_TRAINER_CACHE: own, XDG_CACHE_HOME: shared, LOCALAPPDATA: local } = process.env
  if (own) return resolve(own)
  if (shared) return resolve(shared, 'ts-trainer')
  if (process.platform === 'win32') return join(local || join(homedir(), 'AppData', 'Local'), 'ts-trainer')
  return join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'ts-trainer')
}
