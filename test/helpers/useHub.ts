/** A loopback Hub of a test's own, which the environment names, with an empty cache and without a token. */
import { afterEach, beforeEach, vi } from 'vitest'
import { join } from 'node:path'
import { setFirstWait } from '../../src/hub/connection'
import { type HubServer, startHub } from './hubServer'
import { temporaryFolder } from './temporaryFolder'

/** Variables of the environment that say where the Hub, its cache and the token are. */
const variables = [
  ...['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH'],
  ...['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_HUB_DISABLE_IMPLICIT_TOKEN', 'HF_HUB_DISABLE_SYMLINKS'],
  ...['HF_HUB_DOWNLOAD_TIMEOUT', 'HF_HUB_DISABLE_PROGRESS_BARS'],
]

/** What a test may look at. */
export interface UsedHub {
  readonly hub: HubServer
  /** HF_HOME. */
  readonly home: string
  /** The folder that holds `models--ORG--NAME`. */
  readonly cache: string
}

/** How the Hub is used. */
export interface HubUse {
  /** The accounts that the Hub knows. */
  readonly tokens?: NonNullable<Parameters<typeof startHub>[0]>['tokens']
  /** The token that HF_TOKEN has. Default: none. */
  readonly token?: string
}

/** Starts a Hub that the environment names; a further try follows at once. `close` takes all of it down. */
export async function openHub({ tokens, token }: HubUse = {}): Promise<UsedHub & { close(): Promise<void> }> {
  const hub = await startHub(tokens === undefined ? {} : { tokens })
  const home = temporaryFolder()
  for (const name of variables) vi.stubEnv(name, undefined)
  vi.stubEnv('HF_HOME', home)
  vi.stubEnv('HF_ENDPOINT', hub.url)
  if (token !== undefined) vi.stubEnv('HF_TOKEN', token)
  const wait = setFirstWait(1)
  const close = async (): Promise<void> => {
    setFirstWait(wait)
    vi.unstubAllEnvs()
    await hub.close()
  }
  return { hub, home, cache: join(home, 'hub'), close }
}

/** Sets it up before each test of a file, or of a describe, and takes it down. */
export function useHub(options: HubUse = {}): UsedHub {
  const used = { hub: undefined as unknown as HubServer, home: '', cache: '' }
  let close = (): Promise<void> => Promise.resolve()
  beforeEach(async () => {
    const opened = await openHub(options)
    Object.assign(used, opened)
    close = opened.close
  })
  afterEach(() => close())
  return used
}
