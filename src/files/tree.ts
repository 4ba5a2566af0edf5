// what lies where on the disk
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'

import { nearest, TrainerError } from '../errors'

/** What a path leads to. */
export async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? 'nothing' : found.isDirectory() ? 'folder' : 'file'
}

/** The path of a name in a folder; of the name alone when the folder is ''. */
export function pathIn(folder: string, name: string): string {
  return join(folder, name)
}

/** The path that somebody wrote who is in a folder: an absolute one is meant as it is. */
export function pathFrom(folder: string, written: string): string {
  return isAbsolute(written) ? written : join(folder, written)
}

/** Whether a path says itself where it is, wherever one is. */
export function isAbsolutePath(path: string): boolean {
  return isAbsolute(path)
}

/** Folders that tools fill with thousands of files, none of which is anybody's data. */
const ofTools = ['.git', 'node_modules']

/**
 * The files of a folder and of those below it, hidden ones too: their paths from there, with slashes, sorted as texts.
 * `.git` and `node_modules` are left out, and a link to a folder that it lies in is not followed.
 * @throws TrainerError (`file`) for a folder that cannot be read.
 */
export async function listFiles(folder: string): Promise<string[]> {
  return listNamed(folder, () => true)
}

/**
 * The files of {@link listFiles} that are not hidden: no name in their paths begins with a dot. Hidden folders are not
 * looked into: they are somebody's at work, who may be removing them.
 */
export async function listVisibleFiles(folder: string): Promise<string[]> {
  return listNamed(folder, name => !name.startsWith('.'))
}

/** @param isListed whether a file or a folder of a name counts. */
async function listNamed(folder: string, isListed: (name: string) => boolean): Promise<string[]> {
  try {
    const paths = await filesBelow(folder, [await realpath(folder)], isListed)
    return paths.sort()
  } catch (cause) {
    throw new TrainerError('file', `Cannot list the files of ${folder}: ${(cause as Error).message}.`, { cause })
  }
}

/**
 * The error for a path that leads nowhere: it suggests the nearest name, else lists what the folder above has.
 * @param hint the fix when no name is near.
 */
export async function missingPath(path: string, hint?: string): Promise<TrainerError> {
  const folder = dirname(path)
  const names = await readdir(folder).catch(() => undefined)
  const close = nearest(basename(path), names ?? [])
  if (close !== undefined)
    return new TrainerError('file', `There is no file or folder ${path}.`, {
      fix: `Did you mean ${join(folder, close)}?`,
    })
  const visible = (names ?? []).filter(name => !name.startsWith('.')).sort()
  const there =
    names === undefined
      ? `nor is there a folder ${folder}`
      : `${folder} has ${visible.slice(0, 20).join(', ') || 'nothing in it'}`
  return new TrainerError(
    'file',
    `There is no file or folder ${path}; ${there}.`,
    hint === undefined ? undefined : { fix: hint },
  )
}

async function filesBelow(
  folder: string,
  around: readonly string[],
  isListed: (name: string) => boolean,
): Promise<string[]> {
  const paths: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!isListed(entry.name)) continue
    const path = join(folder, entry.name)
    const kind = entry.isSymbolicLink() ? await kindOf(path) : entry.isDirectory() ? 'folder' : 'file'
    if (kind === 'file') paths.push(entry.name)
    if (kind !== 'folder' || ofTools.includes(entry.name)) continue
    const real = await realpath(path)
    if (around.includes(real)) continue
    for (const below of await filesBelow(path, [...around, real], isListed)) paths.push(`${entry.name}/${below}`)
  }
  return paths
}
