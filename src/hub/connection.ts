// the Hub's address, a token, and a fetch that tries again: what every function of @huggingface/hub is given
import { TrainerError } from '../errors'
import { HubRefusal } from './errors'
import { type HubEnvironment, hubEnvironment, storedToken } from './environment'

/** What every function that takes an id of the Hub may be told. */
export interface HubOptions {
  /** A branch, a tag or a commit. Default 'main'. */
  readonly revision?: string | undefined
  /** Default: HF_TOKEN, else what `ts-trainer login` has kept; '' or false sends none. */
  readonly token?: string | false | undefined
  /** The folder that holds `models--ORG--NAME`. Default: HF_HUB_CACHE, else `hub` in HF_HOME, as Python's. */
  readonly cacheDir?: string | undefined
  /** Whether only the cache is used, and nothing is fetched. Default: HF_HUB_OFFLINE. */
  readonly localFilesOnly?: boolean | undefined
}

/** How a Hub is asked; its first three fields are parameters of every function of @huggingface/hub. */
export interface Connection {
  readonly hubUrl: string
  readonly accessToken?: string
  readonly fetch: typeof fetch
  readonly environment: HubEnvironment
}

/** A connection with the token that is given or kept. @throws TrainerError ('argument') for what cannot be a token. */
export async function connect(
  options: Pick<HubOptions, 'token'> = {},
  environment: HubEnvironment = hubEnvironment(),
): Promise<Connection> {
  const implicit = environment.explicitTokenOnly ? undefined : await storedToken(environment)
  const token = options.token === undefined ? implicit : options.token || undefined
  if (token !== undefined && !/^hf_[\w-]+$/.test(token))
    throw new TrainerError('argument', 'The token of the Hub is none: one begins with "hf_", and has no blanks.', {
      fix: 'Copy it again from the page of settings: npx ts-trainer login.',
    })
  return {
    hubUrl: environment.endpoint,
    ...(token === undefined ? {} : { accessToken: token }),
    fetch: patientFetch(token !== undefined),
    environment,
  }
}

/** How often a request is tried, and how long the first wait lasts; each further one is twice as long. */
const tries = 5
let firstWait = 1000
/** The longest wait that a Retry-After is followed for, in milliseconds. */
const longestWait = 60_000
/** How long the Hub may take to begin an answer, in milliseconds. */
const answerTimeout = 30_000

/** Sets how long the first wait before another try lasts, in milliseconds; for tests. @returns what it was. */
export function setFirstWait(milliseconds: number): number {
  const before = firstWait
  firstWait = milliseconds
  return before
}

/**
 * A fetch that waits and asks again when the Hub is busy (429 and its Retry-After, 408, 5xx) or the connection breaks,
 * as long as what is sent can be sent again. An answer that means no is thrown as a HubRefusal: the library's own errors
 * lack what the Hub says in its headers. Answers that the library itself knows pass.
 */
function patientFetch(hasToken: boolean): typeof fetch {
  return async (input, init) => {
    const repeatable = !(init?.body instanceof ReadableStream)
    let unanswered = false
    for (let attempt = 1; ; attempt++) {
      const last = !repeatable || attempt === tries
      const answer = await answerOrError(input, init)
      if (answer instanceof Response) {
        if (!isBusy(answer.status)) return refuseOrPass(answer, hasToken, unanswered)
        if (last) throw new HubRefusal(answer, hasToken, unanswered)
        await answer.body?.cancel()
      } else if (last || init?.signal?.aborted) throw answer
      unanswered ||= !(answer instanceof Response) || answer.status >= 500
      await pause(waitBefore(attempt, answer instanceof Response ? answer : undefined))
    }
  }
}

async function answerOrError(input: Parameters<typeof fetch>[0], init: RequestInit | undefined): Promise<unknown> {
  const controller = new AbortController()
  const late = setTimeout(() => controller.abort(new DOMException('', 'TimeoutError')), answerTimeout)
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

/** Milliseconds before the next try: what Retry-After says, else twice as long as before. */
function waitBefore(attempt: number, answer: Response | undefined): number {
  const after = Number(answer?.headers.get('Retry-After') ?? Number.NaN) * 1000
  return Math.min(Number.isFinite(after) && after >= 0 ? after : firstWait * 2 ** (attempt - 1), longestWait)
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}
