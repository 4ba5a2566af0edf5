// an id of a dataset where a model was expected, and the other way round
import { TrainerError } from '../errors'
import type { Connection } from './connection'
import { type Asked, HubRefusal } from './errors'
import { resolveCommit } from './listing'

/** The error for a repository that is missing; it says so where the Hub has one of the other kind by this id. */
export async function withOtherKind(
  error: unknown,
  connection: Connection,
  { kind, id }: Pick<Asked, 'kind' | 'id'>,
): Promise<unknown> {
  if (!(error instanceof TrainerError) || !isMissing(error.cause)) return error
  const other = kind === 'model' ? 'dataset' : 'model'
  try {
    await resolveCommit({ ...connection, fetch: connection.hastyFetch }, other, id, 'main')
  } catch {
    return error // what went wrong first counts
  }
  const call = other === 'dataset' ? 'loadDataset' : 'AutoModel.fromPretrained'
  return new TrainerError('hub', `There is no ${kind} "${id}" on the Hub; there is a ${other} of that id.`, {
    fix: `Load it by ${call}('${id}').`,
    cause: error.cause,
  })
}

function isMissing(cause: unknown): boolean {
  return cause instanceof HubRefusal && cause.errorCode === 'RepoNotFound'
}
