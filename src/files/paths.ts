import { mkdir, readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, resolve } from 'node:path'

import { errorCode } from './systemErrors'

/** Replaces a `~` at the beginning of a path by the home folder, as a shell does. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') || path.startsWith('~\\') ? `${homedir()}${path.slice(1)}` : path
}

/** The folder that a path lies in. */
export function parentOf(path: string): string {
  return dirname(path)
}

/** The last name of a path. */
export function lastNameOf(path: string): string {
  return basename(resolve(path))
}

/** Whether anything is at a path. */
export async function pathExists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

/** Whether a path is a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

/** The names in a folder; empty when there is no such folder. */
export async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  })
}

/**
 * Makes a folder, and those above it, if they are missing. Node's own recursive `mkdir` loops forever below a folder
 * that answers every `mkdir` with ENOENT, as `/proc` does.
 * @param mode who may use the folders that are made; by default whoever the process's mask lets.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await makeOne(path, mode)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path), mode)
    await makeOne(path, mode)
  }
}

async function makeOne(path: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST' || !(await isFolder(path))) throw error
  }
}
