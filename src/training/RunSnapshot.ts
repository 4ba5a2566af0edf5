import type { TrainerState } from '../callbacks/TrainerState'
import type { JsonObject } from '../json'
import type { Tensor } from '../tensor'

/** Numbers of a run by name, under which a checkpoint keeps them. */
export type RunNumbers = Readonly<Record<string, number | boolean | string | undefined>>

/** What a checkpoint keeps of a run, beside the state that callbacks see and the tensors. */
export interface RunSnapshot {
  /** Undefined in a checkpoint that is not ours. */
  readonly numbers: RunNumbers | undefined
  /** The optimizer's name, and the updates that it has made; undefined where only the model was saved. */
  readonly optimizer: { readonly name: string; readonly step: number } | undefined
  readonly scheduler: JsonObject | undefined
}

/** A checkpoint that a run resumes. */
export interface Resumed {
  readonly state: TrainerState
  readonly snapshot: RunSnapshot
  /**
   * What the checkpoint kept for an optimizer of that name; undefined, with a warning, where only the model was saved.
   * @throws TrainerError ('file') when it is the state of another optimizer.
   */
  optimizerFor(name: string): { readonly step: number; readonly slots: ReadonlyMap<string, Tensor> } | undefined
}

/** Where in the data a run begins. */
export interface Start {
  readonly firstEpoch: number
  /** Micro-batches of that epoch that are skipped. */
  readonly firstBatch: number
  /** The checkpoint was saved at the epoch's last update, before what comes at its end: that is done now. */
  readonly endIsDue: boolean
  /** The checkpoint was saved while an evaluation was ended by a stop request: that is made first. */
  readonly evaluationIsDue: boolean
}
