// one file of a repository, or a part of it, asked of the Hub and of the hosts that it sends its clients to
import { TrainerError } from '../errors'
import type { Connection } from './connection'
import type { RepositoryKind } from './errors'

/** A file of a commit. */
export interface FileAddress {
  readonly kind: RepositoryKind
  readonly id: string
  readonly commit: string
  readonly path: string
}

/** The bytes of a file that the Hub sends, and what it says of the whole. */
export interface FileAnswer {
  readonly response: Response
  /** Without quotes. */
  readonly etag: string | undefined
  /** The bytes of the whole file, by whoever sends them; undefined when it is not said. */
  readonly size: number | undefined
  /** Where the bytes begin. */
  readonly start: number
}

/** How often a request is sent somewhere else. */
const mostRedirects = 10

/**
 * Asks for a file's bytes. Redirects are followed by hand: what the file is stands in the Hub's own answer, not in that
 * of the host that it sends to. The connection sends the token to the Hub alone.
 * @param range of `bytes=0-`; by default all.
 * @throws HubRefusal when the Hub, or a host, does not give it.
 */
export async function askForFile(
  connection: Connection,
  { kind, id, commit, path }: FileAddress,
  options: { readonly range?: string; readonly signal?: AbortSignal } = {},
): Promise<FileAnswer> {
  const { hubUrl, accessToken } = connection
  const prefix = kind === 'model' ? '' : `${kind}s/`
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  let address = new URL(`${hubUrl}/${prefix}${id}/resolve/${commit}/${encoded}`)
  const headers = {
    'Accept-Encoding': 'identity',
    ...(options.range === undefined ? {} : { Range: options.range }),
    ...(accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` }),
  }
  let etag: string | undefined
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const signal = options.signal ?? null
    const response = await connection.fetch(address, { headers, redirect: 'manual', signal })
    etag ??= etagOf(response)
    const location = response.headers.get('Location')
    if (response.status < 300 || response.status > 399 || location === null)
      return { response, etag, ...spanOf(response) }
    await response.body?.cancel()
    address = new URL(location, address)
  }
  throw new TrainerError('hub', `The Hub sends clients in a circle for ${path} of ${kind} "${id}".`, {
    fix: 'Does HF_ENDPOINT name a Hub?',
  })
}

function etagOf({ headers }: Response): string | undefined {
  const said = headers.get('X-Linked-Etag') ?? headers.get('ETag')
  return said?.replace(/^W\//, '').replace(/^"(.*)"$/s, '$1') || undefined
}

function spanOf({ status, headers }: Response): { readonly size: number | undefined; readonly start: number } {
  const [, start, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers.get('Content-Range') ?? '') ?? []
  if (status === 206 || status === 416)
    return { start: Number(start ?? 0), size: total === undefined ? undefined : Number(total) }
  const length = headers.get('Content-Encoding') === null ? headers.get('Content-Length') : null
  return { start: 0, size: length === null ? undefined : Number(length) }
}

/** The pieces of an answer. @throws StalledError when none comes for so many milliseconds. */
export async function* piecesOf(response: Response, timeout: number): AsyncGenerator<Uint8Array> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader()
  if (reader === undefined) return
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), timeout)
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined) // closes the connection of an answer that is not read to its end
  }
}

/** No byte came for a time. */
export class StalledError extends Error {}

async function inTime<T>(work: Promise<T>, timeout: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StalledError(`no byte came for ${timeout / 1000} seconds`)), timeout)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
