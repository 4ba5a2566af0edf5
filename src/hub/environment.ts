// where the Hub, its cache and the token are: what Python's huggingface_hub reads from the environment
import { homedir } from 'node:os'
import { join } from 'node:path'

import { TrainerError } from '../errors'
import { readText } from '../files/readFile'
import { errorCode } from '../files/systemErrors'

/** The variables of an environment. */
export type Variables = Readonly<Record<string, string | undefined>>

/** What the environment says of the Hub. */
export interface HubEnvironment {
  /** The Hub's address, without a slash at its end: HF_ENDPOINT, else https://huggingface.co. */
  readonly endpoint: string
  /** The folder that holds `models--ORG--NAME`. */
  readonly cacheDir: string
  /** The file that a login writes the token to. */
  readonly tokenPath: string
  /** The token of HF_TOKEN or its older name; undefined where the file decides. */
  readonly token: string | undefined
  /** Whether a token is sent only where a caller gives one: HF_HUB_DISABLE_IMPLICIT_TOKEN. */
  readonly explicitTokenOnly: boolean
  /** Whether nothing may be fetched: HF_HUB_OFFLINE, or TRANSFORMERS_OFFLINE. */
  readonly offline: boolean
  /** How long a download may stand still, in milliseconds: HF_HUB_DOWNLOAD_TIMEOUT, in seconds, else 10 of them. */
  readonly downloadTimeout: number
  /** Whether the cache's snapshots are links: HF_HUB_DISABLE_SYMLINKS makes them files. */
  readonly usesLinks: boolean
  /** Whether bars show how downloads proceed: HF_HUB_DISABLE_PROGRESS_BARS turns them off. */
  readonly showsProgress: boolean
}

/**
 * Reads the variables that huggingface_hub reads, in its order; an empty variable is an unset one. Paths may begin with
 * `~` and hold `$NAME`.
 * @param variables default: those of the process.
 */
export function hubEnvironment(variables: Variables = process.env): HubEnvironment {
  const valueOf = (name: string): string | undefined => variables[name]?.trim() || undefined
  const pathOf = (name: string): string | undefined => {
    const path = valueOf(name)
    return path === undefined ? undefined : expanded(path, variables)
  }
  const cache = pathOf('XDG_CACHE_HOME') ?? join(variables['HOME'] ?? homedir(), '.cache')
  const home = pathOf('HF_HOME') ?? join(cache, 'huggingface')
  return {
    endpoint: (valueOf('HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, ''),
    cacheDir: pathOf('HF_HUB_CACHE') ?? pathOf('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub'),
    tokenPath: pathOf('HF_TOKEN_PATH') ?? join(home, 'token'),
    token: valueOf('HF_TOKEN') ?? (variables['HF_TOKEN'] ? undefined : valueOf('HUGGING_FACE_HUB_TOKEN')),
    explicitTokenOnly: isTrue(variables['HF_HUB_DISABLE_IMPLICIT_TOKEN']),
    offline: isTrue(variables['HF_HUB_OFFLINE']) || isTrue(variables['TRANSFORMERS_OFFLINE']),
    downloadTimeout: (Number(valueOf('HF_HUB_DOWNLOAD_TIMEOUT')) || 10) * 1000,
    usesLinks: !isTrue(variables['HF_HUB_DISABLE_SYMLINKS']),
    showsProgress: !isTrue(variables['HF_HUB_DISABLE_PROGRESS_BARS']),
  }
}

/** The token that is sent when nobody gives one: of the environment, else of the file; undefined when there is none. */
export async function storedToken(environment: HubEnvironment): Promise<string | undefined> {
  if (environment.token !== undefined) return environment.token
  try {
    return (await readText(environment.tokenPath))?.trim() || undefined
  } catch (error) {
    throw pathError(error)
  }
}

/** The error for HF_HOME that is no folder, or HF_TOKEN_PATH that is no file; any other as it is. */
export function pathError(error: unknown, variables: Variables = process.env): unknown {
  if (!(error instanceof TrainerError) || !['ENOTDIR', 'EEXIST', 'EISDIR'].includes(errorCode(error.cause) ?? ''))
    return error
  const name = ['HF_TOKEN_PATH', 'HF_HOME', 'XDG_CACHE_HOME'].find(variable => variables[variable]?.trim())
  const given = name === undefined ? '~/.cache/huggingface' : `${name} (${variables[name]})`
  const expected = name === 'HF_TOKEN_PATH' ? 'the path of a file' : 'a folder'
  return new TrainerError('file', error.problem, {
    fix: `${given} is not ${expected}, as was expected: set ${name ?? 'HF_HOME'} to another${name === undefined ? '' : ', or unset it'}.`,
    cause: error.cause,
  })
}

function expanded(path: string, variables: Variables): string {
  const home = variables['HOME'] ?? homedir()
  const named = path.replace(
    /\$(\w+)|\$\{(\w+)\}/g,
    (written, plain?: string, braced?: string) => variables[plain ?? braced ?? ''] ?? written,
  )
  return named.replace(/^~(?=[\\/]|$)/, home).replace(/(?<=.)[\\/]+$/, '')
}

/** As huggingface_hub reads a flag. */
function isTrue(value: string | undefined): boolean {
  return /^(1|ON|YES|TRUE)$/i.test(value ?? '')
}
