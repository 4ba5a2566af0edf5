/**
 * A Hugging Face Hub on the loopback address, in memory: real commits, LFS, tokens, redirects, and faults on request.
 * Its second host, `localhost` at another port, is where LFS files of repositories with `cdn` lie and where a rename
 * with `host: 'other'` leads; there it answers all the same.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Faults, type Fault } from './hub/faults'
import { isLarge, storedFile, type Kind, type Settings, type StoredFile } from './hub/repositories'
import { answer } from './hub/routes'
import { HubState, type Account } from './hub/state'

export type { Fault } from './hub/faults'

export interface HubRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly host: string
  readonly authorization: string | undefined
  readonly body: Uint8Array
  readonly headers: IncomingHttpHeaders
}

export interface HubServer {
  /** http://127.0.0.1:PORT */
  readonly url: string
  /** The requests so far, those to the second host too. */
  readonly requests: readonly HubRequest[]
  /**
   * Makes a repository, or the next commit on `revision` (`main` if not given) of one that is there: its files replace
   * all earlier ones. Gives the commit's 40 hex digits.
   */
  add(kind: Kind, id: string, files: Record<string, string | Uint8Array>, options?: AddOptions): string
  /** From then on the old name answers 307. */
  rename(kind: Kind, from: string, to: string, options?: { host?: 'other' }): void
  /** What is there now, pushed files included. */
  files(kind: Kind, id: string, revision?: string): Record<string, Uint8Array>
  /** The newest first; `paths` are those that the commit changed. */
  commits(kind: Kind, id: string, revision?: string): readonly HubCommit[]
  repository(kind: Kind, id: string): { private: boolean; branches: Record<string, string> } | undefined
  fault(fault: Fault): void
  clearFaults(): void
  close(): Promise<void>
}

export interface AddOptions extends Settings {
  readonly revision?: string
}

export interface HubCommit {
  readonly oid: string
  readonly message: string
  readonly paths: readonly string[]
}

const defaultTokens: Readonly<Record<string, Account>> = {
  hf_loopback: { name: 'loopback', orgs: ['acme'], role: 'write', granted: true },
}

export async function startHub(options: { tokens?: Record<string, Account> } = {}): Promise<HubServer> {
  const state = new HubState(options.tokens ?? defaultTokens)
  const faults = new Faults()
  const requests: HubRequest[] = []
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    serve(state, faults, requests, request, response).catch(() => response.destroy()) // the client has gone
  }
  const servers = [createServer(respond), createServer(respond)] as const
  state.url = `http://127.0.0.1:${await listen(servers[0], '127.0.0.1')}`
  state.otherUrl = `http://localhost:${await listen(servers[1], 'localhost')}`
  return {
    url: state.url,
    requests,
    add: (...parameters) => add(state, ...parameters),
    rename: (kind, from, to, { host } = {}) => state.rename(kind, from, to, host === 'other'),
    files: (kind, id, revision) => contents(state.find(kind, id)?.find(revision)?.files),
    commits: (kind, id, revision) => state.find(kind, id)?.history(revision) ?? [],
    repository: (kind, id) => summary(state, kind, id),
    fault: fault => faults.add(fault),
    clearFaults: () => faults.clear(),
    close: async () => {
      await Promise.all(servers.map(close))
    },
  }
}

async function serve(
  state: HubState,
  faults: Faults,
  requests: HubRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  const { method = '', url: path = '', headers } = request
  const body = new Uint8Array(Buffer.concat(chunks))
  requests.push({ method, path, host: headers.host ?? '', authorization: headers.authorization, body, headers })
  response.setHeader('X-Request-Id', `loopback-${requests.length}`)
  const fault = await faults.before(method, path)
  faults.send(method, path, fault ?? answer(state, { method, path, headers, body }), response)
}

function add(
  state: HubState,
  kind: Kind,
  id: string,
  files: Record<string, string | Uint8Array>,
  { revision = 'main', ...settings }: AddOptions = {},
): string {
  const repository = state.find(kind, id) ?? state.make(kind, id, {})
  repository.settings = { ...repository.settings, ...settings }
  // A repository has its main branch from the start
  if (revision !== 'main' && repository.branches.size === 0) repository.commit('main', new Map(), 'initial commit')
  const stored = new Map(Object.entries(files).map(([path, content]) => [path, fileOf(path, content)]))
  for (const { pointer, sha256, data } of stored.values()) if (pointer !== undefined) state.objects.set(sha256, data)
  return repository.commit(revision, stored, `Add ${stored.size} files`).oid
}

function fileOf(path: string, content: string | Uint8Array): StoredFile {
  const data = typeof content === 'string' ? Buffer.from(content) : content
  return storedFile(data, isLarge(path, data.length))
}

function contents(files: ReadonlyMap<string, StoredFile> = new Map()): Record<string, Uint8Array> {
  return Object.fromEntries([...files].map(([path, { data }]) => [path, data]))
}

function summary(state: HubState, kind: Kind, id: string): ReturnType<HubServer['repository']> {
  const repository = state.find(kind, id)
  if (repository === undefined) return undefined
  const branches = Object.fromEntries(repository.branches)
  return { private: repository.settings.private ?? false, branches }
}

async function listen(server: Server, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}

async function close(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
