import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

import { TrainerError } from '../errors'
import { isProcessAlive } from './processAlive'
import { errorCode, writeError } from './systemErrors'
import { isFolder, listFolder, makeFolder, pathExists } from './paths'
import { weightsFilePattern } from './weights'

/** Options of {@link writeFolder}. */
export interface WriteFolderOptions {
  /**
   * What happens to files of an existing folder that the new one does not have; 'remove' by default. Weights of an
   * older save are always removed.
   */
  readonly others?: 'remove' | 'keep' | undefined
}

/**
 * Writes a folder so that a killed process leaves the old one or the whole new one under its name, never a part.
 *
 * `fill` writes into a temporary folder, which is flushed to the disk, then renamed into place. When `fill` or writing
 * fails, everything stays as it was. What dead processes left unfinished is completed or removed first
 * (`recoverFolders`).
 *
 * The stages are names, so that each survives a crash: `.tmp-NAME-PID` is being written and worth nothing;
 * `.new-NAME-PID` is whole and replaces NAME; `.merge-NAME-PID`, then `.move-NAME-PID`, is whole and moves into NAME
 * file by file (an empty NAME is the folder around it); `.old-NAME-PID` is what was replaced.
 * @throws TrainerError (`file`) when the folder cannot be written; what else `fill` throws is passed on.
 */
export async function writeFolder(
  target: string,
  fill: (temporary: string) => Promise<void>,
  options: WriteFolderOptions = {},
): Promise<void> {
  const place = resolve(target)
  try {
    if ((await pathExists(place)) && !(await isFolder(place))) {
      throw new TrainerError('file', `Cannot write the folder ${target}: it is a file.`, {
        fix: 'Choose another folder, or move the file away.',
      })
    }
    const merges = options.others === 'keep' && (await isFolder(place))
    // Beside a new folder; inside an existing one, whose parent may be a mount or belong to somebody else.
    const parent = merges ? place : dirname(place)
    await makeFolder(parent)
    await recoverFolders(parent)
    const temporary = join(parent, stageName('tmp', merges ? '' : basename(place)))
    active.add(stageless(temporary))
    try {
      await mkdir(temporary)
      await fill(temporary)
      await flushFolder(temporary)
      await inTurn(place, async () => putInPlace(await advance(temporary, merges ? 'merge' : 'new'), place))
    } finally {
      active.delete(stageless(temporary))
      for (const stage of ['tmp', 'new'] as const) await rm(atStage(temporary, stage), { recursive: true, force: true })
    }
  } catch (cause) {
    throw writeError(target, cause)
  }
}

/**
 * Removes a folder so that a killed process leaves it whole or not at all under its name.
 * @throws TrainerError (`file`) when it cannot be removed.
 */
export async function removeFolder(target: string): Promise<void> {
  const place = resolve(target)
  const old = join(dirname(place), stageName('old', basename(place)))
  active.add(stageless(old))
  try {
    await rename(place, old)
    await rm(old, { recursive: true, force: true })
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT') throw writeError(target, cause)
  } finally {
    active.delete(stageless(old))
  }
}

/**
 * Makes an empty folder inside another, for what is of no worth once this process has ended: where it is killed, the
 * next that writes there removes it.
 * @throws TrainerError (`file`) when it cannot be made.
 */
export async function temporaryFolderIn(parent: string, name: string): Promise<TemporaryFolder> {
  const path = join(resolve(parent), stageName('tmp', name))
  active.add(stageless(path))
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true })
    active.delete(stageless(path))
  }
  try {
    await makeFolder(path)
  } catch (cause) {
    active.delete(stageless(path))
    throw writeError(parent, cause)
  }
  return { path, remove }
}

/** A folder that is there for a while. */
export interface TemporaryFolder {
  readonly path: string
  remove(): Promise<void>
}

/**
 * Completes or removes what dead processes left unfinished in `parent`. Call it before looking for checkpoints. Does
 * nothing when there is no such folder.
 */
export async function recoverFolders(parent: string): Promise<void> {
  const found = (await listFolder(parent)).flatMap(entry => {
    const match = stagePattern.exec(entry)
    return match === null
      ? []
      : [{ path: join(parent, entry), stage: match[1]! as Stage, name: match[2]!, process: Number(match[3]) }]
  })
  const dead = found.filter(({ path, process }) => !isAlive(process, path))
  for (const { path, stage, name } of dead) {
    if (stage === 'new' || stage === 'merge' || stage === 'move') await putInPlace(path, join(parent, name))
  }
  for (const { path, stage } of dead)
    if (stage === 'tmp' || stage === 'old') await rm(path, { recursive: true, force: true })
}

/**
 * Checks, before any work is done, that files can be written into a folder; makes it if it is missing.
 * @throws TrainerError (`file`) with the reason.
 */
export async function checkWritable(folder: string): Promise<void> {
  const probe = join(folder, stageName('tmp', 'probe'))
  try {
    await makeFolder(folder)
    await mkdir(probe)
    await rm(probe, { recursive: true })
  } catch (cause) {
    throw writeError(folder, cause)
  }
}

type Stage = 'tmp' | 'new' | 'merge' | 'move' | 'old'

const stagePattern = /^\.(tmp|new|merge|move|old)-(.*)-(\d+)(?:\.\d+)?$/

/**
 * The paths that this process uses, without their stage. Others with its number are from a dead process that had the
 * same one.
 */
const active = new Set<string>()
let counter = 0

function stageName(stage: Stage, name: string): string {
  return `.${stage}-${name}-${process.pid}.${counter++}`
}

function stageless(path: string): string {
  return atStage(path, '')
}

function atStage(path: string, stage: Stage | ''): string {
  return join(dirname(path), basename(path).replace(/^\.\w+/, `.${stage}`))
}

/** What is being brought to each place. */
const moves = new Map<string, Promise<void>>()

/** One after another, so that the files of two folders that are written to one place do not mix. */
async function inTurn(place: string, move: () => Promise<void>): Promise<void> {
  const before = moves.get(place)
  const own = (before ?? Promise.resolve()).catch(() => undefined).then(move)
  moves.set(place, own)
  try {
    await own
  } finally {
    if (moves.get(place) === own) moves.delete(place)
  }
}

/** Renames a folder to the next stage. @returns its new path. */
async function advance(path: string, stage: Stage): Promise<string> {
  const next = atStage(path, stage)
  await rename(path, next)
  await flushEntry(dirname(next))
  return next
}

/** Brings a whole folder to its place from any stage; called again after a crash, it continues. */
async function putInPlace(path: string, place: string): Promise<void> {
  if (basename(path).startsWith('.new-')) await replaceFolder(path, place)
  else {
    const moving = basename(path).startsWith('.merge-') ? await dropOldWeights(path, place) : path
    await moveEntries(moving, place)
    await rm(moving, { recursive: true })
  }
  await flushEntry(dirname(place))
}

async function replaceFolder(path: string, place: string): Promise<void> {
  if (!(await pathExists(place))) return rename(path, place)
  const old = atStage(path, 'old')
  await rename(place, old)
  try {
    await rename(path, place)
  } catch (error) {
    await rename(old, place)
    throw error
  }
  await rm(old, { recursive: true, force: true })
}

/** Old weights that the new ones do not overwrite would be taken for new ones. */
async function dropOldWeights(path: string, place: string): Promise<string> {
  const fresh = new Set(await readdir(path))
  if ([...fresh].some(name => weightsFilePattern.test(name))) {
    for (const name of await readdir(place))
      if (weightsFilePattern.test(name) && !fresh.has(name)) await rm(join(place, name))
  }
  return advance(path, 'move')
}

async function moveEntries(from: string, place: string): Promise<void> {
  await makeFolder(place)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const destination = join(place, entry.name)
    if (entry.isDirectory()) await moveEntries(source, destination)
    else await rename(source, destination)
  }
  await flushEntry(place)
}

/** Flushes a folder and everything in it. */
async function flushFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await flushFolder(path)
    else if (entry.isFile()) await flushEntry(path)
  }
  await flushEntry(folder)
}

/**
 * Flushes one file or folder. Windows cannot flush a folder, and some network file systems refuse: then the system
 * decides when.
 */
async function flushEntry(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

function isAlive(pid: number, path: string): boolean {
  return pid === process.pid ? active.has(stageless(path)) : isProcessAlive(pid)
}
