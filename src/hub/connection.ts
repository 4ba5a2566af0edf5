// the Hub's address, a token, and a fetch that tries again: what every function of @huggingface/hub is given
import { TrainerError } from '../errors'
import { checkFlag, shown } from '../options'
import { HubRefusal } from './errors'
import { type HubEnvironment, hubEnvironment, storedToken } from './environment'

/** What every function that takes an id of the Hub may be told. */
export interface HubOptions {
  /** A branch, a tag or a commit. Default 'main'. */
  readonly revision?: string | undefined
  /** Default, and true: HF_TOKEN, else what `ts-trainer login` has kept; '' or false sends none. */
  readonly token?: string | boolean | undefined
  /** The folder that holds `models--ORG--NAME`. Default: HF_HUB_CACHE, else `hub` in HF_HOME, as Python's. */
  readonly cacheDir?: string | undefined
  /** Whether only the cache is used, and nothing is fetched. Default: HF_HUB_OFFLINE. */
  readonly localFilesOnly?: boolean | undefined
  /** Whether files are fetched although the cache has them: it may be damaged. Default false. */
  readonly forceDownload?: boolean | undefined
}

/** The names of {@link HubOptions}; the type sees to it that none is missing. */
export const hubOptionNames = Object.keys({
  revision: 1,
  token: 1,
  cacheDir: 1,
  localFilesOnly: 1,
  forceDownload: 1,
} satisfies Record<keyof HubOptions, 1>) as readonly (keyof HubOptions)[]

/** @throws TrainerError ('argument') for an option of another type; a token is not shown. */
export function checkHubOptions({ revision, token, cacheDir, localFilesOnly, forceDownload }: HubOptions): void {
  for (const [name, value] of Object.entries({ revision, cacheDir }))
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw new TrainerError('argument', `${name} is ${shown(value)}; a text was expected.`, { fix: 'Leave it out.' })
  if (!['undefined', 'string', 'boolean'].includes(typeof token))
    throw new TrainerError('argument', `token is a ${typeof token}; a text, true or false was expected.`)
  checkFlag(localFilesOnly, 'localFilesOnly')
  checkFlag(forceDownload, 'forceDownload')
  if (localFilesOnly === true && forceDownload === true)
    throw new TrainerError('argument', 'localFilesOnly and forceDownload exclude each other.', {
      fix: 'Leave one of them out.',
    })
}

/** How a Hub is asked; its first three fields are parameters of every function of @huggingface/hub. */
export interface Connection {
  readonly hubUrl: string
  readonly accessToken?: string
  readonly fetch: typeof fetch
  /** The same, which gives up soon when no connection is made: for the first question, when there may be no network. */
  readonly hastyFetch: typeof fetch
  readonly environment: HubEnvironment
}

/**
 * A connection with the token that is given or kept.
 * @throws TrainerError ('argument') for what cannot be a token or HF_ENDPOINT, and for `token: true` where there is none.
 */
export async function connect(
  options: Pick<HubOptions, 'token'> = {},
  environment: HubEnvironment = hubEnvironment(),
): Promise<Connection> {
  const token = await tokenOf(options.token, environment)
  checkEndpoint(environment.endpoint)
  if (token !== undefined && !/^hf_[!-~]+$/.test(token))
    throw new TrainerError('argument', 'This is not a token of the Hub: one begins with "hf_", and has no blanks.', {
      fix: 'Copy it again from the page of settings: npx ts-trainer login.',
    })
  return {
    hubUrl: environment.endpoint,
    ...(token === undefined ? {} : { accessToken: token }),
    fetch: patientFetch(environment.endpoint, token, { connecting: tries, timeout: 30_000 }),
    hastyFetch: patientFetch(environment.endpoint, token, { connecting: 2, timeout: 10_000 }),
    environment,
  }
}

/** @throws TrainerError ('argument') for an address that nothing can be asked at. */
function checkEndpoint(endpoint: string): void {
  if (URL.canParse(endpoint) && /^https?:/i.test(endpoint)) return
  throw new TrainerError('argument', `HF_ENDPOINT is ${JSON.stringify(endpoint)}, which is not the address of a Hub.`, {
    fix: 'Write it with https:// or http:// before it, or unset it.',
  })
}

async function tokenOf(given: HubOptions['token'], environment: HubEnvironment): Promise<string | undefined> {
  if (typeof given === 'string') return given.trim() || undefined
  if (given === false || (given === undefined && environment.explicitTokenOnly)) return undefined
  const stored = await storedToken(environment)
  if (stored !== undefined || given === undefined) return stored
  throw new TrainerError('argument', 'token: true stands for the token of a login, and there is none.', {
    fix: 'Log in: npx ts-trainer login, or set HF_TOKEN.',
  })
}

/** How often a request is tried, and how long the first wait lasts; each further one is twice as long. */
export const tries = 5
let firstWait = 1000
/** The longest wait that a Retry-After is followed for, in milliseconds. */
const longestWait = 60_000

/** Sets how long the first wait before another try lasts, in milliseconds; for tests. @returns what it was. */
export function setFirstWait(milliseconds: number): number {
  const before = firstWait
  firstWait = milliseconds
  return before
}

/**
 * A fetch that waits and asks again when the Hub is busy (429 and its Retry-After, 408, 5xx) or the connection breaks,
 * as long as what is sent can be sent again. An answer that means no is thrown as a HubRefusal: the library's own errors
 * lack what the Hub says in its headers. Answers that the library itself knows pass. The token goes to the Hub's own
 * address alone, whoever sets it.
 * @param patience how often a connection is tried, and how many milliseconds the Hub may take to begin an answer.
 */
function patientFetch(
  endpoint: string,
  token: string | undefined,
  { connecting, timeout }: { readonly connecting: number; readonly timeout: number },
): typeof fetch {
  const hub = new URL(endpoint).origin
  return async (input, init) => {
    const request = token === undefined || originOf(input) === hub ? init : withoutToken(init, token)
    const repeatable = !(request?.body instanceof ReadableStream)
    let unanswered = false
    for (let attempt = 1; ; attempt++) {
      const answer = await answerOrError(input, request, timeout)
      const last = !repeatable || attempt >= (answer instanceof Response ? tries : connecting)
      if (answer instanceof Response) {
        if (!isBusy(answer.status)) return refuseOrPass(answer, token !== undefined, unanswered)
        if (last) throw new HubRefusal(answer, token !== undefined, unanswered)
        await answer.body?.cancel()
      } else if (last || request?.signal?.aborted) throw answer
      unanswered ||= !(answer instanceof Response) || answer.status >= 500
      await pauseBefore(attempt, answer instanceof Response ? answer : undefined)
    }
  }
}

function originOf(input: Parameters<typeof fetch>[0]): string {
  return new URL(input instanceof Request ? input.url : input).origin
}

function withoutToken(init: RequestInit | undefined, token: string): RequestInit {
  const headers = new Headers(init?.headers)
  if (headers.get('Authorization') === `Bearer ${token}`) headers.delete('Authorization')
  return { ...init, headers }
}

/**
 * Does some work that reads answers of the Hub, again when an answer breaks off in its middle.
 * @throws what the work throws for any other reason, or at last.
 */
export async function untilWhole<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === tries || !isBroken(error)) throw error
      await pauseBefore(attempt)
    }
  }
}

/** Whether an error says that an answer broke off: in its bytes, or in the middle of its JSON. */
export function isBroken(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof TypeError && error.message === 'terminated')
}

async function answerOrError(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  timeout: number,
): Promise<unknown> {
  const controller = new AbortController()
  const late = setTimeout(() => controller.abort(new DOMException('', 'TimeoutError')), timeout)
  const given = init?.signal
  try {
    // An upload may take long before its answer begins: only what has no body is hurried.
    const hurried = init?.body === undefined || init.body === null
    const signals = [...(given ? [given] : []), ...(hurried ? [controller.signal] : [])]
    return await fetch(input, { ...init, signal: signals.length > 0 ? AbortSignal.any(signals) : null })
  } catch (error) {
    return error
  } finally {
    clearTimeout(late)
  }
}

function isBusy(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505)
}

function refuseOrPass(answer: Response, hasToken: boolean, unanswered: boolean): Response {
  const { status } = answer
  const code = answer.headers.get('X-Error-Code')
  const means = status === 401 || status === 403 || status === 412 || (status === 404 && code !== null)
  if (means && code !== 'EntryNotFound') throw new HubRefusal(answer, hasToken, unanswered)
  return answer
}

/** Waits before the next try: as long as Retry-After says, else twice as long as before. */
export async function pauseBefore(attempt: number, answer?: Response): Promise<void> {
  const after = Number(answer?.headers.get('Retry-After') ?? Number.NaN) * 1000
  const wait = Number.isFinite(after) && after >= 0 ? after : firstWait * 2 ** (attempt - 1)
  await new Promise(resolve => setTimeout(resolve, Math.min(wait, longestWait)))
}
