import type { TrainableModel } from '../auto/TrainableModel'
import type { Objective } from '../programs/loss'
import type { EnginesOptions } from './engines'
import type { Profile } from './profile'

/** How a runner computes. */
export interface RunnerSettings {
  readonly model: TrainableModel
  /** What the model is trained by; the loss of its head unless given. */
  readonly objective?: Objective
  /** Rows that most batches have; 8 unless given. */
  readonly batchSize?: number
  /** Computes layers again in the backward pass, in place of keeping what they computed. */
  readonly gradientCheckpointing?: boolean
  /** Takes note of where the time goes. */
  readonly profile?: Profile | undefined
}

/** How a runner computes, and on what. */
export interface RunnerOptions extends RunnerSettings, EnginesOptions {}
