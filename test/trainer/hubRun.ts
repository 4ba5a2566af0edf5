import { afterEach, beforeEach, vi } from 'vitest'
import { setFirstWait } from '../../src/hub/connection'
import { type HubServer, startHub } from '../helpers/hubServer'
import { temporaryFolder } from '../helpers/temporaryFolder'

/** A Hub for each test, whose address and token the environment names; `hub()` is the present one. */
export function withHub(): () => HubServer {
  let hub: HubServer
  let before: number
  beforeEach(async () => {
    hub = await startHub()
    before = setFirstWait(1)
    const home = temporaryFolder()
    const environment = { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_loopback', HF_HOME: home, HF_HUB_CACHE: `${home}/hub` }
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE']) vi.stubEnv(name, undefined)
  })
  afterEach(async () => {
    setFirstWait(before)
    vi.unstubAllEnvs()
    await hub.close()
  })
  return () => hub
}
