import { afterAll, beforeAll } from 'vitest'
import type { Engine } from '../../src/engine/Engine'
import { createEngines, type Engines, type Precisions, withWorkers } from '../../src/training/engines'

/** One engine for every program; it ends with them. */
export function enginesOn(engine: Engine, reduced: Precisions = {}): Engines {
  return withWorkers({ float32: engine, training: engine, evaluation: engine, reduced })
}

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
