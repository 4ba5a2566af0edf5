// requests to a tracker's server, with errors that say what to do and no secrets
import { TrainerError } from '../errors'

/** How long an answer may take, in milliseconds. */
const longestAnswer = 30_000
/** How long to wait before a request is made again, in milliseconds: twice at most. */
const pauses = [500, 2000]
/** As much of what a server says is told, in characters. */
const longestReason = 300

/** An answer that is not what was asked for. */
export class ServiceError extends Error {
  /** The status; undefined where there was no answer. */
  readonly status: number | undefined
  /** What the server calls the error, if it does. */
  readonly code: string | undefined

  constructor(message: string, status?: number, code?: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Where and how requests are made. */
export interface ServiceOptions {
  /** Its name in messages: 'MLflow'. */
  readonly name: string
  /** Without user, password and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** What no message may show. */
  readonly secrets: readonly string[]
  readonly signal: AbortSignal
}

/** A server that takes and gives JSON. */
export class Service {
  readonly #options: ServiceOptions

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  /**
   * Makes a request; where the server is not reached or too busy, up to three times, unless `once`.
   * @throws ServiceError for an answer that is not a success, and when there is none.
   */
  async request(method: 'GET' | 'POST', path: string, body?: object, once = false): Promise<unknown> {
    for (const pause of once ? [] : pauses) {
      try {
        return await this.#attempt(method, path, body)
      } catch (error) {
        const { status = 503 } = error as ServiceError
        if (this.#options.signal.aborted || (status < 500 && status !== 429)) throw error
      }
      await paused(pause, this.#options.signal)
    }
    return this.#attempt(method, path, body)
  }

  async #attempt(method: string, path: string, body: object | undefined): Promise<unknown> {
    const { url, headers, signal } = this.#options
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...headers,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual', // headers with tokens are for this server alone
      signal: AbortSignal.any([signal, AbortSignal.timeout(longestAnswer)]),
    }).catch((error: unknown) => this.fail(`is not reached: ${reasonOf(error)}`))
    const text = await answer.text().catch((error: unknown) => this.fail(`broke off: ${reasonOf(error)}`))
    if (answer.status >= 300 && answer.status < 400)
      this.fail(`redirects to ${answer.headers.get('location') ?? 'nowhere'}: give that address`, answer.status)
    const read = jsonOf(text)
    if (!answer.ok) this.fail(`answered ${answer.status}: ${saidIn(read, text)}`, answer.status, codeIn(read))
    return read
  }

  /**
   * Throws an error with the server's name, without secrets, and of a long answer the beginning.
   * @param what the rest of the sentence.
   */
  fail(what: string, status?: number, code?: string): never {
    const { name, url, secrets } = this.#options
    // before it is cut: half a secret would be found no longer
    const hidden = secrets
      .filter(secret => secret !== '')
      .reduce((text, secret) => text.replaceAll(secret, '***'), what)
      .replaceAll(/\s+/g, ' ')
    const said = hidden.length > longestReason ? `${hidden.slice(0, longestReason)}…` : hidden
    throw new ServiceError(`${name}'s server ${url} ${said}`, status, code)
  }
}

/**
 * The parts of a server's address: user and password are not part of the URL, which messages show.
 * @param variable the environment variable that it is from, for the error.
 * @throws TrainerError (`argument`) for anything but an http or https address.
 */
export function serverAddress(
  value: string,
  variable: string,
): { readonly url: string; readonly query: URLSearchParams; readonly user: string; readonly password: string } {
  const url = URL.canParse(value.trim()) ? new URL(value.trim()) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new TrainerError(
      'argument',
      `${variable} should be the address of a server, which begins with http:// or https://.`,
    )
  const { username, password, searchParams: query } = url
  const plain = `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  return { url: plain, query, user: decoded(username), password: decoded(password) }
}

/** A part of an address without its escapes; as it is where a percent sign begins none. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

async function paused(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}

/** Why fetch has failed: Node says it in the cause. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error
  if (name === 'TimeoutError') return `no answer for ${longestAnswer / 1000} seconds`
  const reason = cause as { readonly message?: string; readonly code?: string } | undefined
  return reason?.message || reason?.code || message
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What an answer says in words. */
function saidIn(read: unknown, text: string): string {
  const { message, error, detail } = (read ?? {}) as Readonly<Record<string, unknown>>
  const said = [message, error, detail].find(one => typeof one === 'string')
  return (said as string | undefined) ?? text
}

function codeIn(read: unknown): string | undefined {
  const code = (read as { error_code?: unknown } | undefined)?.error_code
  return typeof code === 'string' ? code : undefined
}
