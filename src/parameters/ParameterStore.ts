import type { EngineValues } from '../engine/Engine'
import type { Feed } from '../feeds/FeedLayout'
import type { Optimizer, ParameterSettings } from '../optim/Optimizer'
import type { UpdateSums } from '../optim/updateSums'
import type { ProcessGroup } from '../processes/ProcessGroup'
import type { GradientOutput, TrainingProgram } from '../programs/TrainingProgram'
import type { Tensor } from '../tensor'

/** What a store is made from. */
export interface StoreOptions extends ParameterSettings {
  /** The weights of all parameters, by name. */
  readonly weights: ReadonlyMap<string, Tensor<'float32'>>
  /** The training program's outputs that are the loss's sum and its count. */
  readonly loss: TrainingProgram['loss']
  /** How the training program gives the gradients; no update changes a parameter without one. */
  readonly gradients: ReadonlyMap<string, GradientOutput>
  /** The outputs that statistics are to be after each run of it, by the names of their parameters; none unless given. */
  readonly moved?: ReadonlyMap<string, string>
  readonly optimizer: Optimizer
}

/** Numbers that one update needs. */
export interface UpdateNumbers {
  /** Counted from 1. */
  readonly step: number
  /** The learning rate. */
  readonly rate: number
  /** What the loss was multiplied by before gradients were made of it; 1 unless given. */
  readonly lossScale?: number | undefined
  /** What the norm of the mean loss's gradient is clipped to; to nothing unless it is above 0. */
  readonly maxNorm?: number
  /** Whether an update whose loss or gradients are not finite is left out, which it is unless this is false. */
  readonly onlyFinite?: boolean
}

/** What an update came to: numbers that are there, or how to read them when a device has computed them. */
export type UpdateResult = UpdateSums | (() => Promise<UpdateSums>)

/** Where a run of the training program writes. */
export interface Targets {
  /** Outputs that are written to a value that is there, by name. */
  readonly into: EngineValues
  /** Outputs that stay where they are computed. */
  readonly keep: readonly string[]
}

/** What can be read out of a store. */
export type StoreContent = 'parameters' | 'gradients' | 'slots'

/**
 * Where the parameters, their gradients and the optimizer's slots live, and how they are updated: in memory that the
 * processor's threads share, or on a device. Nothing above a store knows which.
 *
 * An update is: for each micro-batch a run of the training program into {@link targets}, then {@link add}; when all are
 * added, {@link reduce} and {@link update}.
 */
export interface ParameterStore {
  /** The parameters as inputs of programs, by name. They may be others after each update. */
  readonly inputs: EngineValues
  /** Where the training program is to write when it runs on a micro-batch, counted from 0 in each update. */
  targets(feed: Feed, microBatch: number): Targets
  /** Adds what a run gave to the sums of losses, counts and gradients, and takes what statistics have become. */
  add(outputs: EngineValues, microBatch: number): Promise<void>
  /** Makes the sums those of all processes together, and the statistics those of the first one. */
  reduce(group: ProcessGroup): Promise<void>
  /** The sums so far. */
  sums(): Promise<UpdateSums>
  /**
   * Updates every parameter that has a gradient, by the gradient of the mean loss; the next sums start at zero. Where the
   * update is left out, parameters and slots are as before.
   */
  update(numbers: UpdateNumbers): Promise<UpdateResult>
  /** Lets the next sums start at zero, without an update. */
  discard(): Promise<void>
  /**
   * Tensors one at a time: by a parameter's name, slots by PARAMETER.SLOT. A tensor may be a view that the next update
   * changes.
   */
  read(content: StoreContent): AsyncIterable<readonly [string, Tensor]>
  /**
   * Takes weights; names that are not given stay as they are. Takes slots, all of them.
   * @throws TrainerError ('file') when a slot is missing or has another number of values.
   */
  write(content: 'parameters' | 'slots', tensors: ReadonlyMap<string, Tensor>): Promise<void>
  /** Frees everything that the store has made. */
  dispose(): Promise<void>
}
