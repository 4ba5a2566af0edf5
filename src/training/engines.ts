import { createEngine, type Engine, type EngineOptions } from '../engine/Engine'
import { createFusedEngine, type FusedEngine } from '../engine/fused/FusedEngine'
import { type Profile, profiledEngine } from './profile'

/** What a program is run for. */
export type Use = 'training' | 'evaluation'

/** Where each program runs; one engine may do for all. */
export interface Engines extends Readonly<Record<Use, Engine>> {
  /** For what is never computed in bfloat16: updates that are not a fused loop. */
  readonly float32: Engine
  /** Worker threads over memory that they share with ONNX Runtime, started when they are first asked for. */
  workers(): FusedEngine
  dispose(): Promise<void>
}

/** How engines are made. */
export interface EnginesOptions {
  readonly engine: EngineOptions
  /** Which programs are computed in bfloat16, on an engine of their own; none unless given. */
  readonly bfloat16?: { readonly training: boolean; readonly evaluation: boolean }
  /** Takes note of where the time goes. */
  readonly profile?: Profile | undefined
}

/** @throws TrainerError when an engine cannot be had. */
export async function createEngines({ engine, bfloat16, profile }: EnginesOptions): Promise<Engines> {
  const create = async (options: EngineOptions): Promise<Engine> => {
    const made = await createEngine(options)
    return profile === undefined ? made : profiledEngine(made, profile)
  }
  if (bfloat16 === undefined) {
    const one = await create(engine)
    return withWorkers({ float32: one, training: one, evaluation: one })
  }
  const { pluginLibrary: _plugin, providerOptions: _options, ...rest } = engine // these are of the other one
  const reduced = await create({ ...engine, precision: 'bfloat16' }) // the one that may not be there is made first
  const float32 = await create(rest)
  return withWorkers({
    float32,
    training: bfloat16.training ? reduced : float32,
    evaluation: bfloat16.evaluation ? reduced : float32,
  })
}

/** Engines that are there, with worker threads beside them. */
export function withWorkers(engines: Omit<Engines, 'workers' | 'dispose'>): Engines {
  let started: FusedEngine | undefined
  return {
    ...engines,
    workers: () => (started ??= createFusedEngine({ threads: engines.float32.threads })),
    async dispose() {
      await started?.dispose()
      for (const engine of new Set(Object.values(engines))) engine.dispose()
    },
  }
}
