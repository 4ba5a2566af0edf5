// what the Hub answers → an error that says what to do
import type { HubApiError } from '@huggingface/hub'

import { TrainerError } from '../errors'
import { wholeIdAdvice } from './ids'
import { isApiError } from './library'

/** Models, or datasets. */
export type RepositoryKind = 'model' | 'dataset'

/** What was asked for; for messages. */
export interface Asked {
  readonly kind: RepositoryKind
  readonly id: string
  readonly revision?: string | undefined
  readonly path?: string | undefined
}

/** An answer of the Hub that is not the one that was asked for. */
export class HubRefusal extends Error {
  readonly status: number
  /** X-Error-Code: RepoNotFound, GatedRepo, RevisionNotFound, EntryNotFound, … */
  readonly errorCode: string | undefined
  /** What the Hub says in X-Error-Message. */
  readonly said: string | undefined
  readonly hadToken: boolean
  /** Whether an earlier try of the same request broke off or met a fault (5xx), so that it may have been done. */
  readonly unanswered: boolean
  /** The address without what stands behind a question mark, which may be signed. */
  readonly address: string

  constructor(response: Response, hadToken: boolean, unanswered = false) {
    const address = response.url.replace(/\?.*/s, '')
    super(`${address} answered ${response.status}`)
    this.address = address
    this.status = response.status
    this.errorCode = response.headers.get('X-Error-Code') ?? undefined
    this.said = response.headers.get('X-Error-Message') ?? undefined
    this.hadToken = hadToken
    this.unanswered = unanswered
  }
}

/** The error for whatever went wrong while the Hub was asked for something; a TrainerError stays as it is. */
export function hubError(cause: unknown, asked: Asked): unknown {
  if (cause instanceof TrainerError) return cause
  if (cause instanceof HubRefusal) {
    const { problem, fix } = refusal(cause, asked)
    return new TrainerError('hub', problem, { fix, cause })
  }
  if (isApiError(cause)) return saidBy(cause, asked)
  if (cause instanceof SyntaxError)
    return new TrainerError('hub', `The answer for ${named(asked)} cannot be read as JSON: ${cause.message}.`, {
      fix: 'Does HF_ENDPOINT name a Hub, and is no login page of a network in between?',
      cause,
    })
  const reason = reasonOf(cause)
  if (reason === undefined) return cause
  return new TrainerError('hub', `Cannot reach the Hub for ${named(asked)}: ${reason}.`, {
    fix: 'Check the connection (and HF_ENDPOINT); what is in the cache is used with HF_HUB_OFFLINE=1.',
    cause,
  })
}

interface Advice {
  readonly problem: string
  readonly fix: string
}

function refusal(answer: HubRefusal, asked: Asked): Advice {
  return refusalByCode(answer, asked) ?? refusalByStatus(answer, asked)
}

/** What an answer means by its X-Error-Code, where that says more than its status. */
function refusalByCode({ errorCode, hadToken }: HubRefusal, asked: Asked): Advice | undefined {
  const what = named(asked)
  if (errorCode === 'GatedRepo')
    return {
      problem: `Access to ${what} is gated${hadToken ? ', and not granted to the account of this token' : ''}.`,
      fix: `Ask for access on its page${hadToken ? '' : ', and log in: npx ts-trainer login, or set HF_TOKEN'}.`,
    }
  if (errorCode === 'RevisionNotFound')
    return {
      problem: `There is no revision "${asked.revision ?? 'main'}" of ${what}.`,
      fix: 'Name a branch, a tag or a commit.',
    }
  if (errorCode === 'EntryNotFound')
    return { problem: `There is no file ${asked.path ?? 'of that name'} in ${what}.`, fix: 'Check its list of files.' }
  return undefined
}

function refusalByStatus({ status, errorCode, hadToken, said }: HubRefusal, asked: Asked): Advice {
  const what = named(asked)
  const inItsWords = said === undefined ? '' : `: ${said}`
  if (status === 401 && hadToken && errorCode !== 'RepoNotFound')
    return {
      problem: `The Hub does not accept the token that it was asked for ${what} with.`,
      fix: 'Make a new one on its page of settings, then: npx ts-trainer login.',
    }
  if (status === 401 || status === 404) {
    const login = hadToken
      ? 'Is the token of an account that may see it (npx ts-trainer whoami)?'
      : 'If it is private, log in: npx ts-trainer login, or set HF_TOKEN.'
    return {
      problem: `There is no ${what} on the Hub, or it is not visible.`,
      fix: `Check the id.${wholeIdAdvice(asked.kind, asked.id)} ${login}`,
    }
  }
  if (status === 403)
    return {
      problem: `The token may not do this with ${what}${inItsWords}.`,
      fix: 'It takes one with the role "write", of an account that may write there.',
    }
  if (status === 412)
    return { problem: `${what} has a new commit in the meantime.`, fix: 'Push again: it builds on what is there then.' }
  if (status === 429)
    return { problem: 'The Hub limits how often it is asked (429), also after several tries.', fix: 'Try again later.' }
  return {
    problem: `The Hub answered ${status} for ${what}${inItsWords}.`,
    fix: status >= 500 ? 'It has a fault of its own: try again later.' : 'Check the id and the revision.',
  }
}

/** The error for an answer that the library has read: the Hub says in it what is wrong, as with a card's metadata. */
function saidBy(answer: HubApiError, asked: Asked): TrainerError {
  const { statusCode: status, data } = answer
  const said = data?.['error']
  if (status === 404)
    return new TrainerError('hub', `The Hub has nothing there for ${named(asked)} (${String(said ?? 404)}).`, {
      fix: `Check the id, and HF_ENDPOINT where it is set.${wholeIdAdvice(asked.kind, asked.id)}`,
      cause: answer,
    })
  const reason = typeof said === 'string' ? said : answer.message.replace(/\. URL: .*/s, '')
  return new TrainerError('hub', `The Hub does not take this for ${named(asked)} (${status}): ${reason}`, {
    fix: reason.includes('README.md')
      ? 'Correct the metadata at the beginning of README.md, and push again.'
      : 'Check the id and the revision.',
    cause: answer,
  })
}

function named({ kind, id }: Asked): string {
  return `${kind} "${id}"`
}

/** Why a connection failed; undefined for an error that is none of a connection. */
export function reasonOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  if (cause.name === 'TimeoutError') return 'it did not answer in time'
  const inner = cause.cause
  if (cause instanceof TypeError && inner instanceof Error)
    return inner.message === '' && 'code' in inner ? String(inner.code) : inner.message
  return undefined
}
