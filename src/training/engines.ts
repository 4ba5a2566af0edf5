import { createEngine, type Engine, type EngineOptions } from '../engine/Engine'
import { checkComputes } from '../engine/reducedTypes'
import { createFusedEngine, type FusedEngine } from '../engine/fused/FusedEngine'
import { log } from '../logging'
import type { ReducedType } from '../tensor'
import { type Profile, profiledEngine } from './profile'

/** What a program is run for. */
export type Use = 'training' | 'evaluation'

/** Where each program runs; one engine may do for all. */
export interface Engines extends Readonly<Record<Use, Engine>> {
  /** For what is never computed in 16 bits: updates that are not a fused loop. */
  readonly float32: Engine
  /** The type that programs' products are written in, where the engine does not choose it itself. */
  readonly reduced: Precisions
  /** Worker threads over memory that they share with ONNX Runtime, started when they are first asked for. */
  workers(): FusedEngine
  dispose(): Promise<void>
}

/** Which programs are computed in 16 bits; the others are in float32. */
export type Precisions = Readonly<Partial<Record<Use, ReducedType | undefined>>>

/** How engines are made. */
export interface EnginesOptions {
  readonly engine: EngineOptions
  /** Which programs are computed in 16 bits; none unless given. On the processor, bfloat16 is an engine of its own. */
  readonly precision?: Precisions
  /** Takes note of where the time goes. */
  readonly profile?: Profile | undefined
}

/** @throws TrainerError when an engine cannot be had, or does not compute in a type that is asked for. */
export async function createEngines({ engine, precision = {}, profile }: EnginesOptions): Promise<Engines> {
  const create = async (options: EngineOptions, types: readonly (ReducedType | undefined)[] = []): Promise<Engine> => {
    const made = await createEngine(options)
    if (options.device === 'auto') log('info', `Device ${made.reason}.`)
    for (const type of new Set(types)) if (type !== undefined) await checkComputes(made, type)
    return profile === undefined ? made : profiledEngine(made, profile)
  }
  const uses = ['training', 'evaluation'] as const
  const onOpenvino = uses.filter(use => precision[use] === 'bfloat16' && (engine.device ?? 'cpu') === 'cpu')
  const { pluginLibrary: _plugin, providerOptions: _options, ...rest } = engine // these are of the other one
  // the one that may not be there is made first
  const bfloat16 = onOpenvino.length === 0 ? undefined : await create({ ...engine, precision: 'bfloat16' })
  const reduced = Object.fromEntries(uses.map(use => [use, onOpenvino.includes(use) ? undefined : precision[use]]))
  const float32 = await create(bfloat16 === undefined ? engine : rest, Object.values(reduced))
  const engineOf = (use: Use): Engine => (bfloat16 !== undefined && onOpenvino.includes(use) ? bfloat16 : float32)
  return withWorkers({ float32, training: engineOf('training'), evaluation: engineOf('evaluation'), reduced })
}

/** Engines that are there, with worker threads beside them. */
export function withWorkers({
  reduced = {},
  ...engines
}: Omit<Engines, 'workers' | 'dispose' | 'reduced'> & Partial<Pick<Engines, 'reduced'>>): Engines {
  let started: FusedEngine | undefined
  return {
    ...engines,
    reduced,
    workers: () => (started ??= createFusedEngine({ threads: engines.float32.threads })),
    async dispose() {
      await started?.dispose()
      for (const engine of new Set(Object.values(engines))) engine.dispose()
    },
  }
}
