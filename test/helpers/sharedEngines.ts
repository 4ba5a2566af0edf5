import { afterAll, beforeAll } from 'vitest'
import { createEngines, type Engines } from '../../src/training/engines'

/** An engine and its worker threads for all the runners of a file, in place of new ones for each; read it in a test. */
export function sharedEngines(): { readonly engines: Engines } {
  const shared = { engines: undefined as unknown as Engines }
  let made: Engines
  beforeAll(async () => {
    made = await createEngines({ engine: { threads: 1 } })
    shared.engines = { ...made, dispose: () => Promise.resolve() }
  })
  afterAll(() => made.dispose())
  return shared
}
