import type { EngineValue, EngineValues } from '../engine/Engine'
import type { Tensor } from '../tensor'

/** Numbers that one update needs. */
export interface UpdateNumbers {
  /** Counted from 1. */
  readonly step: number
  /** The learning rate. */
  readonly rate: number
  /** What the gradients' sums are multiplied by: the clipping coefficient over the count. */
  readonly scale: number
}

/** An optimizer's memory: parameter → slot → values. */
export type Slots = ReadonlyMap<string, Readonly<Record<string, Tensor>>>

/**
 * Where the parameters, their gradients and the optimizer's slots live, and how they are updated: in memory that the
 * processor's threads share, or on a device.
 */
export interface ParameterState {
  /** The parameters, as feeds of a program. */
  readonly parameters: EngineValues
  /** Where the training program is to write the gradients of a micro-batch of so many tokens, by output name. */
  targets(microBatch: number, tokens: number): EngineValues
  /** Outputs of the training program that are to stay where they are computed. */
  readonly keep: readonly string[]
  /** Adds what a micro-batch's run left to the sums of the update. */
  collect(outputs: Readonly<Record<string, EngineValue>>, microBatch: number): Promise<void>
  /** The L2 norm of all gradients' sums together. */
  norm(): Promise<number>
  /** Updates every parameter, and forgets the gradients. */
  update(numbers: UpdateNumbers): Promise<void>
  /** Forgets the gradients without an update: the next one's begin anew. */
  forget(): Promise<void>
  /** The gradients' sums as they are before the update, for checks. */
  gradients(): Promise<ReadonlyMap<string, Tensor>>
  slots(): Promise<Slots>
  /** @throws TrainerError when a slot is missing or has another shape. */
  loadSlots(slots: Slots): Promise<void>
  /** Takes new weights; names that are not given stay as they are. */
  loadParameters(weights: ReadonlyMap<string, Tensor>): Promise<void>
  /** Brings the model's tensors up to date, where they are copies. */
  synchronise(): Promise<void>
  dispose(): Promise<void>
}
