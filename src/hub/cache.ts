// the cache of repositories as Python's huggingface_hub lays it out
import { copyFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

import { TrainerError } from '../errors'
import { readJson } from '../files/json'
import { isFolder, makeFolder } from '../files/paths'
import { readText } from '../files/readFile'
import { writeTexts } from '../files/writeFile'
import { errorCode } from '../files/systemErrors'
import { isJsonObject } from '../json'
import type { RepositoryKind } from './errors'
import { isCommit, type ListedFile } from './listing'

/** A file that the cache has. */
export interface CachedFile {
  readonly path: string
  readonly size: number
}

/** Links made by this process so far: each has a name of its own until it is in place. */
let links = 0

/** What the cache has of one repository. */
export class RepositoryCache {
  /** `models--ORG--NAME` in the cache's folder. */
  readonly folder: string
  readonly #usesLinks: boolean

  constructor(cacheDir: string, kind: RepositoryKind, id: string, usesLinks: boolean) {
    this.folder = join(cacheDir, [`${kind}s`, ...id.split('/')].join('--'))
    this.#usesLinks = usesLinks
  }

  get blobs(): string {
    return join(this.folder, 'blobs')
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit)
  }

  /** The commit that a revision was when it was last asked for; undefined when it never was. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision
    const path = join(this.folder, 'refs', ...checkedSegments(revision, 'revision'))
    const commit = (await readText(path).catch(() => undefined))?.trim() // a folder of refs is none
    return commit !== undefined && isCommit(commit) ? commit : undefined
  }

  /** Keeps which commit a revision is. A cache that cannot be written stays as it is: it may be shared, and read-only. */
  async keepCommit(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.commitOf(revision)) === commit) return
    const path = join(this.folder, 'refs', ...checkedSegments(revision, 'revision'))
    await writeTexts(dirname(path), { [path.slice(dirname(path).length + 1)]: commit }).catch(passUnlessFile)
  }

  /** Whether the cache has anything of a commit. */
  has(commit: string): Promise<boolean> {
    return isFolder(this.snapshot(commit))
  }

  /** The files of a commit that the cache has; links to nothing are none. */
  files(commit: string): Promise<CachedFile[]> {
    return filesBelow(this.snapshot(commit))
  }

  /** What is known of a commit's files: true for those it has, false for those that Python has asked for in vain. */
  async known(commit: string): Promise<(path: string) => boolean | undefined> {
    const there = new Set((await this.files(commit)).map(({ path }) => path))
    const absent = new Set((await filesBelow(join(this.folder, '.no_exist', commit))).map(({ path }) => path))
    return path => there.has(path) || (absent.has(path) ? false : undefined)
  }

  /** The place of a file in a snapshot. @throws TrainerError ('hub') for a name that leads out of it. */
  place(commit: string, path: string): string {
    return join(this.snapshot(commit), ...checkedSegments(path, 'file'))
  }

  /** The bytes of a file that a snapshot has; undefined when it has not. */
  async sizeOf(commit: string, path: string): Promise<number | undefined> {
    return sizeOf(this.place(commit, path))
  }

  /** Shows a blob in a snapshot: by a relative link, or by a copy where links are not possible. */
  async link(blob: string, commit: string, path: string): Promise<void> {
    const place = this.place(commit, path)
    await makeFolder(dirname(place))
    // Made beside and renamed: another process or caller may look, or make the same.
    const beside = `${place}.${process.pid}-${links++}.incomplete`
    await rm(beside, { force: true })
    try {
      if (!this.#usesLinks || !(await linked(relative(dirname(place), blob), beside))) await copyFile(blob, beside)
      await rename(beside, place)
    } finally {
      await rm(beside, { force: true })
    }
  }

  /** The list of a commit's files, which never changes; undefined when it is not kept, or not to be understood. */
  async listing(commit: string): Promise<ListedFile[] | undefined> {
    for (const place of ['trees', ownListings]) {
      const kept = await readJson(join(this.folder, place, `${commit}.json`)).catch(() => undefined)
      if (!isJsonObject(kept) || kept['format_version'] !== 1 || !isJsonObject(kept['files'])) continue
      const files = Object.entries(kept['files']).map(([path, file]) => listedFile(path, file))
      if (files.every(file => file !== undefined)) return files
    }
    return undefined
  }

  /**
   * Keeps the list of a commit's files: where Python looks for it when they are all there. With a list there, Python
   * refuses a snapshot that is a part of it, which it would take without one.
   */
  async keepListing(commit: string, listed: readonly ListedFile[]): Promise<void> {
    const sizes = await Promise.all(listed.map(({ path }) => this.sizeOf(commit, path).catch(() => undefined)))
    const place = sizes.every((size, i) => size === listed[i]!.size) ? 'trees' : ownListings
    const sorted = listed.toSorted((one, other) => (one.path < other.path ? -1 : 1))
    const files = Object.fromEntries(
      sorted.map(({ path, size, blobId, sha256, xetHash }) => [
        path,
        {
          size,
          blob_id: blobId,
          ...(sha256 === undefined ? {} : { lfs_sha256: sha256, lfs_size: size }),
          ...(xetHash !== undefined && /^[0-9a-f]{64}$/.test(xetHash) ? { xet_hash: xetHash } : {}),
        },
      ]),
    )
    const text = JSON.stringify({ format_version: 1, files }, undefined, 1)
    await writeTexts(join(this.folder, place), { [`${commit}.json`]: text }).catch(passUnlessFile)
  }
}

async function filesBelow(root: string): Promise<CachedFile[]> {
  const found: CachedFile[] = []
  const visit = async (inside: string): Promise<void> => {
    for (const entry of await readdir(join(root, inside), { withFileTypes: true })) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`
      if (entry.isDirectory()) await visit(path)
      else {
        const size = await sizeOf(join(root, path))
        if (size !== undefined) found.push({ path, size })
      }
    }
  }
  if (await isFolder(root)) await visit('')
  return found.sort((one, other) => (one.path < other.path ? -1 : 1))
}

/** Where lists lie of commits of which a part is there. */
const ownListings = '.listings'

function listedFile(path: string, file: unknown): ListedFile | undefined {
  if (!isJsonObject(file)) return undefined
  const { size, blob_id: blobId, lfs_sha256: sha256, lfs_size: largeSize, xet_hash: xetHash } = file
  if (typeof size !== 'number' || typeof blobId !== 'string') return undefined
  return {
    path,
    size: typeof largeSize === 'number' ? largeSize : size,
    blobId,
    ...(typeof sha256 === 'string' ? { sha256 } : {}),
    ...(typeof xetHash === 'string' ? { xetHash } : {}),
  }
}

/**
 * The parts of a path that a server or a caller names.
 * @throws TrainerError ('hub') when it may lead out of its folder, on any system.
 */
export function checkedSegments(path: string, what: 'file' | 'revision'): string[] {
  const segments = path.split('/')
  const leaves = segments.some(part => part === '' || part === '.' || part === '..' || /^[a-z]:/i.test(part))
  // oxlint-disable-next-line no-control-regex -- names of files may not hold them
  if (!leaves && !/[\\\u0000]/.test(path)) return segments
  throw new TrainerError('hub', `The ${what} ${JSON.stringify(path)} has a name that may lead out of the cache.`, {
    fix:
      what === 'file' ? 'Do not use this repository unless you trust its owner.' : 'Name a branch, a tag or a commit.',
  })
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true ? found.size : undefined
}

/** Makes a link. @returns false where the system makes none. */
async function linked(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path)
    return true
  } catch (error) {
    if (['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EINVAL'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}

/** What the cache keeps besides files is a convenience. */
function passUnlessFile(error: unknown): void {
  if (!(error instanceof TrainerError && error.code === 'file')) throw error
}
