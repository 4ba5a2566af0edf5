// a token → who it belongs to; kept where Python keeps it
import type { whoAmI } from '@huggingface/hub'
import { TrainerError } from '../errors'
import { log } from '../logging'
import { checkOptions, refuseArguments } from '../options'
import { connect, type Connection } from './connection'
import { type HubEnvironment, hubEnvironment, pathError, storedToken } from './environment'
import { HubRefusal, reasonOf } from './errors'
import { hubLibrary } from './library'
import { removeSecret, writeSecret } from './secretFile'
import { storedTokensPath, storeToken } from './storedTokens'

/** An account of the Hub, as a token shows it; names as in Python's `whoami()`. */
export interface HubAccount {
  readonly type: 'user' | 'org' | 'app'
  readonly name: string
  readonly fullname: string
  /** The organizations that it is in. */
  readonly orgs: readonly { readonly name: string }[]
  readonly auth: {
    /** How the token was made: `access_token`, `oauth`. */
    readonly type: string
    /** What the token is called on the page of settings, and what it may do: `read`, `write`, `fineGrained`. */
    readonly accessToken: { readonly displayName: string; readonly role: string } | undefined
  }
}

/** A token that is given to a function. */
export interface TokenOptions {
  /** Default: HF_TOKEN, else the one that a login has kept. */
  readonly token?: string | undefined
}

const tokenOptions = Object.keys({ token: 1 } satisfies Record<keyof TokenOptions, 1>)

/**
 * Keeps a token for this machine, once the Hub has said whose it is: in the file that Python's huggingface_hub reads
 * (HF_TOKEN_PATH, else `token` in HF_HOME), which only its owner may read. HF_TOKEN, where it is set, wins over it.
 *
 * Without a token, the one that is there is checked, and stays; `npx ts-trainer login` asks for one.
 * @returns the account.
 * @throws TrainerError ('argument') for what cannot be a token; ('hub') when the Hub does not know it or cannot be
 * reached, or when there is none; ('file') when it cannot be written.
 *
 * @example
 * const { name } = await login({ token: await readMySecret() })
 */
export async function login(options: TokenOptions = {}): Promise<HubAccount> {
  checkOptions(options, tokenOptions, 'login()')
  const environment = hubEnvironment()
  const token = cleaned(options.token)
  if (token === undefined) return whoami()
  const account = await accountOf(environment, token, 'that was given')
  const { name, auth } = account
  try {
    await storeToken(environment, auth.accessToken?.displayName || `oauth-${name}`, token)
    await writeSecret(environment.tokenPath, token)
  } catch (error) {
    throw pathError(error)
  }
  if (environment.token !== undefined && environment.token !== token)
    log('warning', 'HF_TOKEN is set, and wins over the token that was kept: unset it to use that.')
  return account
}

/**
 * Removes the token that a login has kept, and all that Python's `hf auth list` lists.
 * @returns whether there was one.
 * @throws TrainerError ('file') when it cannot be removed.
 *
 * @example await logout()
 */
export async function logout(...extra: readonly never[]): Promise<boolean> {
  refuseArguments(extra, 'logout()')
  const environment = hubEnvironment()
  const removed = (
    await Promise.all([environment.tokenPath, storedTokensPath(environment)].map(removeSecret))
  ).includes(true)
  if (environment.token !== undefined)
    log(
      'warning',
      `${removed ? 'The token that was kept is removed' : 'No token was kept here'}; HF_TOKEN (or HUGGING_FACE_HUB_TOKEN) is ` +
        'set, and is still used until you unset it.',
    )
  return removed
}

/**
 * Asks the Hub whose the token is: the one given, HF_TOKEN, or the one that a login has kept.
 * @throws TrainerError ('hub') when there is none, when the Hub does not know it, or when it cannot be reached.
 *
 * @example
 * const { name, orgs } = await whoami()
 */
export async function whoami(options: TokenOptions = {}): Promise<HubAccount> {
  checkOptions(options, tokenOptions, 'whoami()')
  const environment = hubEnvironment()
  const given = cleaned(options.token)
  const token = given ?? (await storedToken(environment))
  if (token === undefined)
    throw new TrainerError('hub', 'Not logged in to the Hub.', {
      fix: 'Log in by npx ts-trainer login, or set HF_TOKEN.',
    })
  const kept = environment.token === undefined ? `in ${environment.tokenPath}` : 'in HF_TOKEN'
  return accountOf(environment, token, given === undefined ? kept : 'that was given')
}

/** As Python cleans a token: what was copied with the end of its line is one. */
function cleaned(token: unknown): string | undefined {
  if (token === undefined) return undefined
  if (typeof token !== 'string') throw new TrainerError('argument', `The token is a ${typeof token}, not a text.`)
  return token.replace(/[\r\n]/g, '').trim()
}

/** @param place where the token is from, for the error. */
async function accountOf(environment: HubEnvironment, token: string, place: string): Promise<HubAccount> {
  if (environment.offline)
    throw new TrainerError('hub', 'The Hub is not asked whose the token is: HF_HUB_OFFLINE is set.', {
      fix: 'Unset it.',
    })
  if (token === '') throw new TrainerError('argument', `The token ${place} is empty.`)
  const connection = await connect({ token }, environment)
  const library = await hubLibrary()
  try {
    return readAccount(await library.whoAmI(credentialsOf(connection, token)))
  } catch (cause) {
    throw accountError(cause, connection.hubUrl, place)
  }
}

type Credentials = Pick<Connection, 'hubUrl' | 'fetch'> & { readonly accessToken: string }

function credentialsOf({ hubUrl, fetch }: Connection, accessToken: string): Credentials {
  return { hubUrl, fetch, accessToken }
}

function readAccount(answer: Awaited<ReturnType<typeof whoAmI>>): HubAccount {
  const { type, name, auth } = answer
  const token = auth?.accessToken
  return {
    type,
    name: plain(name),
    fullname: plain('fullname' in answer ? answer.fullname : name),
    orgs: 'orgs' in answer ? answer.orgs.map(org => ({ name: plain(org.name) })) : [],
    auth: {
      type: auth?.type,
      accessToken: token && { displayName: plain(token.displayName), role: plain(token.role) },
    },
  }
}

/** A text of the Hub's without what a terminal would obey. */
function plain(text: unknown): string {
  return String(text ?? '').replace(/\p{Cc}/gu, ' ')
}

function accountError(cause: unknown, hubUrl: string, place: string): unknown {
  const reason = reasonOf(cause)
  if (reason !== undefined)
    return new TrainerError('hub', `Cannot reach the Hub (${hubUrl}): ${reason}.`, {
      fix: 'Check the connection, and HF_ENDPOINT.',
      cause,
    })
  if (!(cause instanceof HubRefusal)) return cause
  if (cause.status !== 401 && cause.status !== 403)
    return new TrainerError(
      'hub',
      `The Hub (${hubUrl}) answered ${cause.status} when it was asked whose the token is.`,
      {
        fix: 'Try again later.',
        cause,
      },
    )
  const fix = place === 'in HF_TOKEN' ? 'Set HF_TOKEN to another, or unset it' : 'Then: npx ts-trainer login'
  return new TrainerError('hub', `The Hub does not know the token ${place}.`, {
    fix: `It may have been revoked: make one on ${hubUrl}/settings/tokens. ${fix}.`,
    cause,
  })
}
