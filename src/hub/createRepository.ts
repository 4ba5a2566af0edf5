// a name → a repository on the Hub that may be written to
import { TrainerError } from '../errors'
import { type Connection, connect, type HubOptions, untilWhole } from './connection'
import { type Asked, HubRefusal, type RepositoryKind } from './errors'
import { hubLibrary, isApiError } from './library'
import { resolveCommit } from './listing'
import { refusing } from './refusing'
import { isRepositoryId } from './ids'

/** A connection with a token. */
export type PushConnection = Connection & { readonly accessToken: string }

/** Options of {@link createRepository}. */
export interface CreateOptions extends Pick<HubOptions, 'token'> {
  /** Whether a new repository is private; one that is there stays as it is. Default: what its namespace has. */
  readonly private?: boolean | undefined
  /** Whether a repository that may only be read is enough, as for a pull request. Default false. */
  readonly readable?: boolean | undefined
}

/**
 * Makes a repository unless it is there, and sees to it that the token may write to it.
 * @param id without a namespace it is that of the token's account.
 * @returns the id with its namespace.
 * @throws TrainerError ('hub') without a token, and for one that may not write there; ('argument') for what is no id.
 */
export async function createRepository(kind: RepositoryKind, id: string, options: CreateOptions = {}): Promise<string> {
  return refusing({ kind, id }, async () => {
    const connection = await pushConnection(options.token, { kind, id })
    const name = await namespaced(connection, id)
    await makeUnlessThere(connection, { kind, id: name }, options)
    return name
  })
}

/**
 * An id with its namespace: without one it is that of the token's account.
 * @throws TrainerError ('hub') where nobody can be asked whose the token is; ('argument') for what is no id.
 */
export async function fullId(kind: RepositoryKind, id: string, token: HubOptions['token']): Promise<string> {
  if (id.includes('/')) return id
  const connection = await connect({ token })
  const { accessToken, environment } = connection
  if (environment.offline || accessToken === undefined)
    throw new TrainerError(
      'hub',
      `The namespace of ${kind} "${id}" is that of a token, and ` +
        `${environment.offline ? 'HF_HUB_OFFLINE is set' : 'there is none'}.`,
      { fix: 'Give the name as ORGANIZATION/NAME (of the Trainer: hubModelId), or log in: npx ts-trainer login.' },
    )
  return refusing({ kind, id }, () => namespaced({ ...connection, accessToken }, id))
}

/** A connection for what needs a token. @throws TrainerError ('hub') without one, and where nothing may be sent. */
export async function pushConnection(token: HubOptions['token'], { kind, id }: Asked): Promise<PushConnection> {
  const connection = await connect({ token })
  const { accessToken, environment } = connection
  if (environment.offline)
    throw new TrainerError('hub', `HF_HUB_OFFLINE is set, so that nothing is sent to ${kind} "${id}".`, {
      fix: 'Unset it to push.',
    })
  if (accessToken === undefined)
    throw new TrainerError('hub', `There is no token to write to ${kind} "${id}" on the Hub with.`, {
      fix: 'Log in: npx ts-trainer login, or set HF_TOKEN.',
    })
  return { ...connection, accessToken }
}

async function namespaced(connection: PushConnection, id: string): Promise<string> {
  if (!isRepositoryId(id))
    throw new TrainerError('argument', `"${id}" cannot be the name of a repository on the Hub.`, {
      fix: 'Give NAME or ORGANIZATION/NAME, of letters, digits and -_. (of the Trainer: hubModelId).',
    })
  if (id.includes('/')) return id
  const { whoAmI } = await hubLibrary()
  return `${(await untilWhole(() => whoAmI(connection))).name}/${id}`
}

async function makeUnlessThere(connection: PushConnection, asked: Asked, options: CreateOptions): Promise<void> {
  const { createRepo } = await hubLibrary()
  const repo = { type: asked.kind, name: asked.id }
  const visibility =
    options.private === undefined ? {} : ({ visibility: options.private ? 'private' : 'public' } as const)
  try {
    await untilWhole(() => createRepo({ ...connection, repo, ...visibility }))
  } catch (error) {
    if (isApiError(error) && error.statusCode === 409) return
    // a token of narrow rights may write to what it may not make
    if (!(error instanceof HubRefusal) || error.status !== 403) throw error
    const isEnough = options.readable === true ? mayRead(connection, asked) : mayWrite(connection, asked)
    if (!(await isEnough)) throw error
  }
}

async function mayRead(connection: PushConnection, { kind, id }: Asked): Promise<boolean> {
  return resolveCommit(connection, kind, id, 'main').then(
    () => true,
    () => false,
  )
}

/** Asks for what precedes every commit, and needs the same right; the library has no function that ends there. */
async function mayWrite({ hubUrl, accessToken, fetch }: PushConnection, { kind, id }: Asked): Promise<boolean> {
  const headers = { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ files: [{ path: 'README.md', size: 0, sample: '' }] })
  const answer = await fetch(`${hubUrl}/api/${kind}s/${id}/preupload/main`, { method: 'POST', headers, body }).catch(
    (error: unknown) => {
      if (!(error instanceof HubRefusal)) throw error
    },
  )
  return answer?.ok === true
}
