// an id of the Hub → a repository at one commit, whose files are fetched into the cache that Python uses too
import { TrainerError } from '../errors'
import { expandHome, makeFolder } from '../files/paths'
import { openSlices, type SlicedFile } from '../files/readFile'
import { errorCode } from '../files/systemErrors'
import { log } from '../logging'
import { checkedSegments, RepositoryCache } from './cache'
import { connect, type Connection, type HubOptions } from './connection'
import { downloadBlob } from './download'
import { hubEnvironment } from './environment'
import { hubError, HubRefusal, type RepositoryKind } from './errors'
import { idAdvice, isRepositoryId } from './ids'
import { isCommit, listCommit, type ListedFile, resolveCommit } from './listing'
import { withOtherKind } from './otherKind'
import { downloadProgress } from './progress'
import { remoteFile } from './remoteFile'

/** A file of a repository. */
export interface RepositoryFile {
  /** Its path, with slashes. */
  readonly path: string
  /** Its bytes. */
  readonly size: number
}

/** A repository at one commit. */
export interface Repository {
  readonly kind: RepositoryKind
  /** The id that was asked for. */
  readonly id: string
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** All its files, fetched or not; without a connection, those that the cache has. */
  readonly files: readonly RepositoryFile[]
  /** Without a connection, the paths of the files that the cache lacks, as far as it knows of them; else none. */
  readonly absent: readonly string[]
  /** Where fetched files lie: `snapshots/COMMIT` of the cache. */
  readonly folder: string
  /**
   * Fetches files that the cache lacks, several at a time, with a bar on a terminal.
   * @returns the folder.
   * @throws TrainerError for a file that the repository does not have, or that cannot be fetched whole.
   */
  fetch(paths: readonly string[]): Promise<string>
  /** A file of which parts are read by range requests, without storing it; from the cache where that has it. */
  open(path: string): Promise<SlicedFile>
}

/**
 * What the cache knows of a commit of which it has no list: whether it has a file; undefined for one that has never been
 * asked for.
 */
export type Known = (path: string) => boolean | undefined

/** Whether what is known of a commit, whose files lie in that folder, is all that will be asked for. */
export type Suffices = (known: Known, folder: string) => Promise<boolean>

/**
 * A repository: its commit is resolved first, so that all its files are of one commit. Without a connection the cache's
 * is taken.
 * @param suffices for a commit of which the cache has no list, as Python fills it: whether what it has is all that will
 * be asked for, so that nothing is requested. By default the Hub is asked for the list.
 * @throws TrainerError ('hub') when it is missing, private, gated or not in the cache, each with what to do.
 */
export async function openRepository(
  kind: RepositoryKind,
  id: string,
  options: HubOptions = {},
  suffices: Suffices = () => Promise.resolve(false),
): Promise<Repository> {
  checkId(kind, id)
  const environment = hubEnvironment()
  const cacheDir = options.cacheDir === undefined ? environment.cacheDir : expandHome(options.cacheDir)
  const revision = options.revision ?? 'main'
  checkedSegments(revision, 'revision')
  const cache = new RepositoryCache(cacheDir, kind, id, environment.usesLinks)
  const place: Place = { kind, id, revision, cacheDir, cache }
  const last = await cache.commitOf(revision)
  const cached = last !== undefined && (await cache.has(last)) ? last : undefined
  const anew = options.forceDownload === true
  if (options.localFilesOnly === true || environment.offline) {
    if (anew) throw notAnew(place)
    if (cached === undefined) throw notCached(place, 'nothing may be fetched')
    return cachedRepository(place, cached, 'nothing may be fetched')
  }
  const listed = isCommit(revision) && !anew ? await cache.listing(revision) : undefined
  const isAll = (): Promise<boolean> => cache.known(revision).then(known => suffices(known, cache.snapshot(revision)))
  if (!anew && listed === undefined && cached === revision && (await isAll()))
    return cachedRepository(place, revision, 'it was not asked for before')
  const connection = await connect(options, environment)
  try {
    const asking = { ...connection, fetch: connection.hastyFetch }
    const commit = isCommit(revision) ? revision : await resolveCommit(asking, kind, id, revision)
    const files =
      listed ?? (anew ? undefined : await cache.listing(commit)) ?? (await listCommit(asking, kind, id, commit))
    return onlineRepository(place, connection, commit, files, anew)
  } catch (cause) {
    const error = hubError(cause, place)
    if (anew || cached === undefined || !isPassedOver(error)) throw await withOtherKind(error, connection, place)
    const { problem, fix } = error
    const advice = error.cause instanceof HubRefusal ? ` ${fix}` : ''
    log('warning', `${problem} What the cache has of it is used: commit ${cached}.${advice}`)
    return cachedRepository(place, cached, 'the Hub does not give it')
  }
}

/** Where a repository is, and what was asked for. */
interface Place {
  readonly kind: RepositoryKind
  readonly id: string
  readonly revision: string
  readonly cacheDir: string
  readonly cache: RepositoryCache
}

function checkId(kind: RepositoryKind, id: string): void {
  if (isRepositoryId(id)) return
  throw new TrainerError('hub', `"${id}" cannot be the id of a ${kind} on the Hub.`, {
    fix: idAdvice(id) ?? 'An id is NAME or ORGANIZATION/NAME: letters, digits, "-", "_" and ".".',
  })
}

/** Whether the cache is used in place of an error, as Python does: not where the Hub says that there is no such revision. */
function isPassedOver(error: unknown): error is TrainerError {
  if (!(error instanceof TrainerError) || error.code !== 'hub') return false
  const { cause } = error
  return cause !== undefined && !(cause instanceof HubRefusal && cause.errorCode === 'RevisionNotFound')
}

function notAnew({ kind, id }: Place): TrainerError {
  return new TrainerError('hub', `Nothing may be fetched, and forceDownload asks for ${kind} "${id}" anew.`, {
    fix: 'Unset HF_HUB_OFFLINE, or leave forceDownload out.',
  })
}

function notCached({ kind, id, revision, cacheDir }: Place, why: string, paths: readonly string[] = []): TrainerError {
  const named =
    paths.length > 5 ? `${paths.slice(0, 5).join(', ')} and ${paths.length - 5} more files` : paths.join(', ')
  const what = named === '' ? `The ${kind} "${id}" (revision "${revision}")` : `${named} of ${kind} "${id}"`
  const verb = paths.length > 1 ? 'are' : 'is'
  return new TrainerError('hub', `${what} ${verb} not in the cache (${cacheDir}), and ${why}.`, {
    fix: 'Load it once with a connection, without localFilesOnly and HF_HUB_OFFLINE; HF_HUB_CACHE names another cache.',
  })
}

/** @param why a file that the cache lacks is not fetched. */
async function cachedRepository(place: Place, commit: string, why: string): Promise<Repository> {
  const { kind, id, cache } = place
  const files = await cache.files(commit)
  const there = new Set(files.map(({ path }) => path))
  const listed = (await cache.listing(commit)) ?? []
  const check = (paths: readonly string[]): void => {
    const missing = paths.filter(path => !there.has(path))
    if (missing.length > 0) throw notCached(place, why, missing)
  }
  return {
    kind,
    id,
    commit,
    files,
    absent: listed.map(({ path }) => path).filter(path => !there.has(path)),
    folder: cache.snapshot(commit),
    fetch: async paths => {
      check(paths)
      return cache.snapshot(commit)
    },
    open: async path => {
      check([path])
      return openSlices(cache.place(commit, path))
    },
  }
}

function onlineRepository(
  place: Place,
  connection: Connection,
  commit: string,
  listed: readonly ListedFile[],
  anew: boolean,
): Repository {
  const { kind, id, revision, cache } = place
  const byPath = new Map(listed.map(file => [file.path, file]))
  const fileAt = (path: string): ListedFile => {
    const file = byPath.get(path)
    if (file !== undefined) return file
    throw new TrainerError('hub', `${kind} "${id}" has no file ${path} (revision "${revision}").`, {
      fix: 'Check its list of files.',
    })
  }
  const renewed = new Set<string>()
  const isMissing = async ({ path, size }: ListedFile): Promise<boolean> =>
    (anew && !renewed.has(path)) || (await cache.sizeOf(commit, path)) !== size
  return {
    kind,
    id,
    commit,
    files: listed.map(({ path, size }) => ({ path, size })),
    absent: [],
    folder: cache.snapshot(commit),
    async fetch(paths) {
      const asked = [...new Set(paths)].map(fileAt)
      const missing: ListedFile[] = []
      for (const file of asked) if (await isMissing(file)) missing.push(file)
      if (missing.length > 0) {
        await download(place, connection, commit, missing, anew)
        for (const { path } of missing) renewed.add(path)
        await cache.keepListing(commit, listed)
      }
      await cache.keepCommit(revision, commit)
      return cache.snapshot(commit)
    },
    async open(path) {
      const file = fileAt(path)
      if (!(await isMissing(file))) return openSlices(cache.place(commit, path))
      return remoteFile(connection, { kind, id, commit, path }, file.size)
    },
  }
}

/** How many files are downloaded at a time. */
const atATime = 4

async function download(
  place: Place,
  connection: Connection,
  commit: string,
  files: readonly ListedFile[],
  anew: boolean,
): Promise<void> {
  const { kind, id, cache } = place
  const stop = new AbortController()
  const progress = downloadProgress(connection.environment, id, files)
  const queue = [...files]
  const one = async (file: ListedFile): Promise<void> => {
    const { path } = file
    cache.place(commit, path) // refuses names that lead out of the snapshot before anything is fetched
    const report = (bytes: number): void => progress.update(path, bytes)
    const address = { kind, id, commit, path }
    const { signal } = stop
    try {
      await makeFolder(cache.blobs)
      const blob = await downloadBlob({ connection, address, file, blobs: cache.blobs, anew, signal, report })
      await cache.link(blob, commit, path)
      progress.update(path, file.size)
    } catch (cause) {
      throw cacheError(place, hubError(cause, { ...place, path }))
    }
  }
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined && !stop.signal.aborted; file = queue.shift()) await one(file)
  }
  // Only the first error stays with a signal, and is the one that is thrown once all have stopped.
  const stopping = (): Promise<void> => worker().catch((error: unknown) => stop.abort(error))
  await Promise.all(Array.from({ length: atATime }, stopping))
  progress.end(!stop.signal.aborted)
  stop.signal.throwIfAborted()
}

/** The error for a cache that cannot be written. */
function cacheError({ cacheDir }: Place, cause: unknown): unknown {
  const code = errorCode(cause)
  if (code === undefined) return cause
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const problem = `Cannot write into the cache of the Hub, ${cacheDir}: ${(cause as Error).message}.`
  return new TrainerError('file', problem, {
    fix: `${isFull ? 'Free some space there' : 'Let this user write there'}, or set HF_HUB_CACHE to another folder.`,
    cause,
  })
}
