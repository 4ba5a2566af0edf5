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

/** Sets it up before each test of a file, and takes it down; a further try follows at once. */
export function useHub(options: Parameters<typeof startHub>[0] = {}): UsedHub {
  const used = { hub: undefined as unknown as HubServer, home: '', cache: '' }
  let wait = 0
  beforeEach(async () => {
    used.hub = await startHub(options)
    used.home = temporaryFolder()
    used.cache = join(used.home, 'hub')
    for (const name of variables) vi.stubEnv(name, undefined)
    vi.stubEnv('HF_HOME', used.home)
    vi.stubEnv('HF_ENDPOINT', used.hub.url)
    wait = setFirstWait(1)
  })
  afterEach(async () => {
    setFirstWait(wait)
    vi.unstubAllEnvs()
    await used.hub.close()
  })
  return used
}
