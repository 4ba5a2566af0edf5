// files of this machine → a commit of a repository on the Hub
import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'

import type { CommitOperation } from '@huggingface/hub'

import { TrainerError } from '../errors'
import { listVisibleFiles, pathIn } from '../files/tree'
import { type HubOptions, isBroken } from './connection'
import { type PushConnection, pushConnection } from './createRepository'
import { type Asked, HubRefusal, type RepositoryKind } from './errors'
import { findCommit, pageOf, pathsBelow } from './branches'
import { hubLibrary, isApiError } from './library'
import { resolveCommit } from './listing'
import { CountedBlob, type SizedFile, type TransferProgress, uploadProgress } from './progress'
import type { PushedCommit } from './pushOptions'
import { refusing } from './refusing'

/** What is uploaded: paths of this machine, or bytes, by their paths in the repository. */
export type UploadedFiles = Readonly<Record<string, string | Uint8Array>>

/** How a commit is made. */
export interface UploadOptions extends Pick<HubOptions, 'token'> {
  /** The commit's title. */
  readonly message: string
  readonly description?: string | undefined
  /** A branch, which is made of `main` if it is missing. Default 'main'. */
  readonly revision?: string | undefined
  /** Whether a pull request is opened in place of a commit on the branch. Default false. */
  readonly createPr?: boolean | undefined
  /** A folder of the repository that holds these files alone afterwards: its others are removed by the same commit. */
  readonly replaces?: string | undefined
  /** Whether a bar shows how far it is, on a terminal. Default false: what is sent beside other work shows none. */
  readonly showsProgress?: boolean | undefined
  /** Makes, of the commit that this one is built on, what else it changes. */
  readonly beside?: ((parentCommit: string) => Promise<Changes>) | undefined
}

/** What a commit changes. */
export interface Changes {
  readonly files: UploadedFiles
  /** Paths of files that are removed. */
  readonly removed: readonly string[]
}

/** A commit on the Hub, with its title. */
export interface UploadedCommit extends PushedCommit {
  readonly message: string
}

/** Options of {@link uploadFolder}. */
export interface UploadFolderOptions extends UploadOptions {
  /** Answers, of a file's path below the folder, whether it stays here. Names that begin with a dot always do. */
  readonly ignore?: ((path: string) => boolean) | undefined
}

/** How often a commit is built anew on what somebody else has committed meanwhile. */
const mostCommits = 5

/**
 * Makes one commit of some files. Large ones are streamed from the disk. What the Hub is too busy for, and what a broken
 * connection stops, is tried again; where somebody else has committed meanwhile, the commit is built on theirs. Where
 * the answer to a commit was lost, the branch is looked at before another one is made.
 * @throws TrainerError ('hub') without a token that may write, and for what the Hub refuses; ('file') for a missing file.
 */
export async function uploadFiles(
  kind: RepositoryKind,
  id: string,
  files: UploadedFiles,
  options: UploadOptions,
): Promise<UploadedCommit> {
  const operations = await additions(files)
  const asked = { kind, id, revision: options.revision }
  return refusing(asked, async () => {
    const connection = await pushConnection(options.token, asked)
    if (options.showsProgress !== true) return committed(connection, asked, operations, options)
    const { fetch: counting, end } = counted(connection, id, await sizesOf(files))
    try {
      const made = await committed({ ...connection, fetch: counting }, asked, operations, options)
      end(true)
      return made
    } catch (error) {
      end(false)
      throw error
    }
  })
}

/** A connection's fetch, with a bar of what it uploads; small files are part of the commit, and are not counted. */
function counted(
  { fetch: plain, environment }: PushConnection,
  id: string,
  files: readonly SizedFile[],
): Pick<PushConnection, 'fetch'> & Pick<TransferProgress, 'end'> {
  const progress = uploadProgress(environment, id, files)
  const counting: typeof fetch = (input, init) => {
    const body = init?.body
    if (init?.method !== 'PUT' || !(body instanceof Blob)) return plain(input, init)
    const to = input instanceof Request ? input.url : String(input)
    return plain(input, { ...init, body: new CountedBlob(body, bytes => progress.update(to, bytes)) })
  }
  return { fetch: counting, end: isWhole => progress.end(isWhole) }
}

async function sizesOf(files: UploadedFiles): Promise<SizedFile[]> {
  return Promise.all(
    Object.entries(files).map(async ([path, content]) => ({
      path,
      size: typeof content === 'string' ? (await stat(content)).size : content.length,
    })),
  )
}

/** Makes one commit of the files of a folder, and of those below it; see {@link uploadFiles}. */
export async function uploadFolder(
  kind: RepositoryKind,
  id: string,
  folder: string,
  { ignore = () => false, ...options }: UploadFolderOptions,
): Promise<UploadedCommit> {
  const files = Object.entries(await filesBelow(folder)).filter(([path]) => !ignore(path))
  return uploadFiles(kind, id, Object.fromEntries(files), options)
}

/** The files of a folder and of those below it, by their paths from there. Names that begin with a dot are left out. */
export async function filesBelow(folder: string): Promise<Readonly<Record<string, string>>> {
  const paths = await listVisibleFiles(folder)
  return Object.fromEntries(paths.map(path => [path, pathIn(folder, path)]))
}

function additions(files: UploadedFiles): Promise<CommitOperation[]> {
  return Promise.all(Object.entries(files).map(([path, content]) => addition(path, content)))
}

async function addition(path: string, content: string | Uint8Array): Promise<CommitOperation> {
  if (path === '' || path.split('/').some(part => ['', '.', '..', '.git'].includes(part)))
    throw new TrainerError('argument', `"${path}" cannot be the path of a file on the Hub.`)
  if (typeof content !== 'string')
    return { operation: 'addOrUpdate', path, content: new Blob([content as Uint8Array<ArrayBuffer>]) }
  const found = await stat(content).catch(() => undefined)
  if (found?.isFile() !== true) throw new TrainerError('file', `There is no file ${content} to be uploaded.`)
  return { operation: 'addOrUpdate', path, content: pathToFileURL(content) }
}

/** Makes a commit, again where somebody else was faster or an answer broke off. */
async function committed(
  connection: PushConnection,
  asked: Asked,
  added: readonly CommitOperation[],
  options: UploadOptions,
): Promise<UploadedCommit> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await commitOnHead(connection, asked, added, options)
    } catch (error) {
      const isAgain = isBroken(error) || (error instanceof HubRefusal && error.status === 412)
      if (!isAgain || attempt === mostCommits) throw error
    }
  }
}

async function commitOnHead(
  connection: PushConnection,
  asked: Asked,
  added: readonly CommitOperation[],
  { message, description, revision = 'main', createPr = false, replaces, beside }: UploadOptions,
): Promise<UploadedCommit> {
  const parentCommit = await headOrNewBranch(connection, asked, revision)
  const removed = replaces === undefined ? [] : await removals(connection, asked, parentCommit, replaces, added)
  const others = beside === undefined ? [] : await changesOf(await beside(parentCommit))
  const repoUrl = pageOf(connection, asked)
  const { commit } = await hubLibrary()
  let isSent = false
  const noting: typeof fetch = (input, init) => {
    isSent ||= typeof input === 'string' && input.includes('/commit/')
    return connection.fetch(input, init)
  }
  try {
    const made = await commit({
      ...{ ...connection, fetch: noting, repo: repoOf(asked) },
      ...{ branch: revision, parentCommit, isPullRequest: createPr },
      ...{
        title: message,
        ...(description !== undefined && { description }),
        operations: [...added, ...others, ...removed],
      },
      useXet: false, // its chunks would be cut and hashed in the thread that trains
    })
    return { ...made!.commit, repoUrl, message, pullRequestUrl: made!.pullRequestUrl }
  } catch (error) {
    const mayBeMade = isSent && !createPr && isWithoutAnswer(error)
    const oid = mayBeMade ? await findCommit(connection, asked, revision, parentCommit, message) : undefined
    if (oid === undefined) throw error
    return { oid, url: `${repoUrl}/commit/${oid}`, repoUrl, message }
  }
}

function repoOf({ kind, id }: Asked): { type: RepositoryKind; name: string } {
  return { type: kind, name: id }
}

/** Whether a request may have been done although its answer is not known. */
function isWithoutAnswer(error: unknown): boolean {
  if (error instanceof HubRefusal) return error.unanswered || error.status >= 500
  return !isApiError(error)
}

async function headOrNewBranch(connection: PushConnection, asked: Asked, revision: string): Promise<string> {
  try {
    return await resolveCommit(connection, asked.kind, asked.id, revision)
  } catch (error) {
    const isMissing = error instanceof HubRefusal && error.errorCode === 'RevisionNotFound'
    if (!isMissing || revision.startsWith('refs/')) throw error
  }
  const { createBranch } = await hubLibrary()
  await createBranch({ ...connection, repo: repoOf(asked), branch: revision }).catch((error: unknown) => {
    if (!isApiError(error) || error.statusCode !== 409) throw error // made meanwhile
  })
  return resolveCommit(connection, asked.kind, asked.id, revision)
}

async function changesOf({ files, removed }: Changes): Promise<CommitOperation[]> {
  return [...(await additions(files)), ...removed.map(path => ({ operation: 'delete' as const, path }))]
}

/** The removals of what a folder of the repository has beside the files that are added. */
async function removals(
  connection: PushConnection,
  asked: Asked,
  revision: string,
  folder: string,
  added: readonly CommitOperation[],
): Promise<CommitOperation[]> {
  const kept = new Set(added.map(operation => operation.path))
  const there = await pathsBelow(connection, asked, revision, folder)
  return there.filter(path => !kept.has(path)).map(path => ({ operation: 'delete', path }))
}
