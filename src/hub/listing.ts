// which commit a revision is, and which files it has
import { TrainerError } from '../errors'
import { type Connection, untilWhole } from './connection'
import type { RepositoryKind } from './errors'
import { hubLibrary } from './library'

/** A file as the Hub lists it. */
export interface ListedFile {
  readonly path: string
  readonly size: number
  /** Git's name of what it keeps: of the file, or of the pointer that stands for it. */
  readonly blobId: string
  /** Of a file that Git LFS keeps. */
  readonly sha256?: string
  readonly xetHash?: string
}

/** Whether a revision is a commit: 40 hexadecimal digits. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision)
}

/** The commit that a revision is now. */
export async function resolveCommit(
  connection: Connection,
  kind: RepositoryKind,
  id: string,
  revision: string,
): Promise<string> {
  const { datasetInfo, modelInfo } = await hubLibrary()
  const asked = { ...connection, name: id, revision, additionalFields: ['sha'] as 'sha'[] }
  const { sha } = await untilWhole(() => (kind === 'model' ? modelInfo(asked) : datasetInfo(asked)))
  if (typeof sha !== 'string' || !isCommit(sha))
    throw new TrainerError('hub', `The Hub names no commit for ${kind} "${id}", revision "${revision}".`, {
      fix: 'Does HF_ENDPOINT name a Hub?',
    })
  return sha
}

/** The files of a commit. */
export async function listCommit(
  connection: Connection,
  kind: RepositoryKind,
  id: string,
  commit: string,
): Promise<ListedFile[]> {
  const { listFiles } = await hubLibrary()
  return untilWhole(async () => {
    const files: ListedFile[] = []
    const entries = listFiles({ ...connection, repo: { type: kind, name: id }, revision: commit, recursive: true })
    for await (const { type, path, size, oid = '', lfs, xetHash } of entries) {
      if (type !== 'file') continue
      const large = lfs === undefined ? {} : { sha256: lfs.oid }
      files.push({
        path,
        size: lfs?.size ?? size,
        blobId: oid,
        ...large,
        ...(xetHash === undefined ? {} : { xetHash }),
      })
    }
    return files
  })
}
