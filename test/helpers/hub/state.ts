/** What the loopback Hub knows, and who may read and write it. */
import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from './answers'
import { Repository, type Kind, type Settings } from './repositories'

/** Whose a token is. */
export interface Account {
  readonly name: string
  readonly orgs?: string[]
  /** @default 'write' */
  readonly role?: 'read' | 'write'
  /** Whether it may read gated repositories. */
  readonly granted?: boolean
}

/** A request, its token looked up. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
  readonly account: Account | undefined
}

/** What the path of a request names, decoded; a piece it does not have is empty. */
export interface Place {
  readonly kind: Kind
  readonly id: string
  readonly revision: string
  readonly path: string
  /** Of an LFS object: its sha256, or the number of an upload of several parts. */
  readonly object: string
}

export class HubState {
  /** Its address, and that of its second host. */
  url = ''
  otherUrl = ''
  readonly repositories = new Map<string, Repository>()
  readonly renamed = new Map<string, { readonly to: string; readonly other: boolean }>()
  /** LFS objects by their sha256. */
  readonly objects = new Map<string, Uint8Array>()
  /** Uploads that are under way, each with its parts. */
  readonly uploads = new Map<string, Map<number, Uint8Array>>()

  constructor(readonly tokens: Readonly<Record<string, Account>>) {}

  find(kind: Kind, id: string): Repository | undefined {
    return this.repositories.get(`${kind}/${id}`)
  }

  make(kind: Kind, id: string, settings: Settings): Repository {
    const repository = new Repository(kind, id, settings)
    this.repositories.set(`${kind}/${id}`, repository)
    return repository
  }

  rename(kind: Kind, from: string, to: string, other: boolean): void {
    const repository = this.find(kind, from)
    if (repository === undefined) throw new Error(`the loopback Hub has no ${kind} ${from}`)
    this.repositories.delete(`${kind}/${from}`)
    this.repositories.set(`${kind}/${to}`, repository)
    repository.id = to
    this.renamed.delete(`${kind}/${to}`)
    this.renamed.set(`${kind}/${from}`, { to, other })
  }

  account(authorization: string | undefined): Account | undefined {
    if (authorization === undefined) return undefined
    const token = /^Bearer (.+)$/.exec(authorization)?.[1] ?? ''
    const account = Object.hasOwn(this.tokens, token) ? this.tokens[token] : undefined
    if (account === undefined) throw new Refusal(401, undefined, 'Invalid credentials in Authorization header')
    return account
  }

  /** The repository whose names and sizes may be read; its files may still be gated. */
  readable({ account }: Call, { kind, id }: Place): Repository {
    const repository = this.find(kind, id)
    const hidden = repository?.settings.private === true && !owns(account, repository.namespace)
    if (repository === undefined || hidden) {
      // Hub: what a stranger may not see and what is not there look the same
      throw new Refusal(account === undefined ? 401 : 404, 'RepoNotFound', 'Repository not found')
    }
    return repository
  }

  /** The repository whose files may be read. */
  open(call: Call, place: Place): Repository {
    const repository = this.readable(call, place)
    const { account } = call
    const denied = account?.granted !== true && !owns(account, repository.namespace)
    if (repository.settings.gated !== true || !denied) return repository
    const restricted = `Access to ${place.kind} ${place.id} is restricted`
    if (account === undefined) {
      throw new Refusal(
        401,
        'GatedRepo',
        `${restricted}. You must have access to it and be authenticated to access it. Please log in.`,
      )
    }
    const ask = `Visit ${this.url}/${repository.page} to ask for access.`
    throw new Refusal(403, 'GatedRepo', `${restricted} and you are not in the authorized list. ${ask}`)
  }

  /** The repository that may be written; anyone may open a pull request. */
  writable(call: Call, place: Place, pullRequest = call.query.get('create_pr') === '1'): Repository {
    if (call.account === undefined) throw new Refusal(401, undefined, 'Invalid username or password.')
    const repository = this.readable(call, place)
    if (!mayWrite(call.account, pullRequest ? call.account.name : repository.namespace)) {
      throw new Refusal(403, undefined, 'Forbidden: you must use a write token to upload to a repository.')
    }
    return repository
  }
}

export function owns(account: Account | undefined, namespace: string): boolean {
  return account !== undefined && (account.name === namespace || (account.orgs ?? []).includes(namespace))
}

export function mayWrite(account: Account, namespace: string): boolean {
  return account.role !== 'read' && owns(account, namespace)
}
