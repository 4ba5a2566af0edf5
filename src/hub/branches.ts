// what a branch of the Hub is at
import { type Connection, isBroken } from './connection'
import { type Asked, HubRefusal } from './errors'
import { hubLibrary, isApiError } from './library'

/** The commit of a branch that follows another one, if it has this title; undefined where it has not, or none is known. */
export async function findCommit(
  connection: Connection,
  { kind, id }: Asked,
  revision: string,
  parent: string,
  title: string,
): Promise<string | undefined> {
  const { listCommits } = await hubLibrary()
  let next: { readonly oid: string; readonly title: string } | undefined
  try {
    for await (const one of listCommits({
      ...connection,
      repo: { type: kind, name: id },
      revision: encodeURIComponent(revision),
      batchSize: 20,
    })) {
      if (one.oid === parent) return next?.title === title ? next.oid : undefined
      next = one
    }
  } catch (error) {
    if (!(error instanceof HubRefusal || isApiError(error) || isBroken(error))) throw error
  }
  return undefined
}

/** The files of a repository below one of its folders; none where there is no such folder. */
export async function pathsBelow(
  connection: Connection,
  { kind, id }: Asked,
  revision: string,
  folder: string,
): Promise<string[]> {
  const { listFiles } = await hubLibrary()
  const paths: string[] = []
  const repo = { type: kind, name: id }
  try {
    for await (const { type, path } of listFiles({ ...connection, repo, revision, path: folder, recursive: true }))
      if (type === 'file') paths.push(path)
  } catch (error) {
    if (!isApiError(error) || error.statusCode !== 404) throw error
  }
  return paths.filter(path => path.startsWith(`${folder}/`))
}

/** The page of a repository. */
export function pageOf({ hubUrl }: Pick<Connection, 'hubUrl'>, { kind, id }: Asked): string {
  return `${hubUrl}/${kind === 'dataset' ? 'datasets/' : ''}${id}`
}
