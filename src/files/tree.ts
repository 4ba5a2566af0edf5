// what lies where on the disk
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'

import { nearest, TrainerError } from '../errors'

/** A file somewhere below a folder. */
export interface FileBelow {
  /** Where it is: the folder's path and what lies between. */
  readonly path: string
  /** The names of the folders between, the outermost first. */
  readonly folders: readonly string[]
  readonly name: string
}

/** What a path leads to. */
export async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? 'nothing' : found.isDirectory() ? 'folder' : 'file'
}

/** The path of a name in a folder; of the name alone when the folder is ''. */
export function pathIn(folder: string, name: string): string {
  return join(folder, name)
}

/** A path as it is called from a folder above it. */
export function pathWithin(folder: string, path: string): string {
  return relative(folder, path)
}

/**
 * The files of a folder and of those below it, in alphabetical order, folder by folder; names that begin with a dot are
 * skipped.
 * @param depth how many levels are read: 1 reads the folder alone.
 */
export async function listTree(folder: string, depth: number): Promise<FileBelow[]> {
  return listBelow(folder, depth, [])
}

/**
 * The error for a path that leads nowhere: it lists what the folder above has and suggests the nearest name.
 * @param hint the fix when no name is near.
 */
export async function missingPath(path: string, hint?: string): Promise<TrainerError> {
  const folder = dirname(path)
  const names = await readdir(folder).catch(() => undefined)
  const there =
    names === undefined
      ? `nor is there a folder ${folder}`
      : `${folder} has ${names.sort().slice(0, 20).join(', ') || 'nothing in it'}`
  const close = nearest(basename(path), names ?? [])
  const fix = close === undefined ? hint : `Did you mean ${join(folder, close)}?`
  return new TrainerError(
    'file',
    `There is no file or folder ${path}; ${there}.`,
    fix === undefined ? undefined : { fix },
  )
}

async function listBelow(folder: string, depth: number, folders: readonly string[]): Promise<FileBelow[]> {
  const names = (await readdir(folder)).filter(name => !name.startsWith('.')).sort()
  const files: FileBelow[] = []
  for (const name of names) {
    const path = join(folder, name)
    if ((await kindOf(path)) !== 'folder') files.push({ path, folders, name })
    else if (depth > 1) files.push(...(await listBelow(path, depth - 1, [...folders, name])))
  }
  return files
}
