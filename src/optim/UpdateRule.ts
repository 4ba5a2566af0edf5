import type { Tensor } from '../tensor'
import type { Optimizer } from './Optimizer'

/** An update rule that a model comes with, in place of the training arguments'. */
export interface UpdateRule {
  /** What says so, for errors: a file. */
  readonly source: string
  readonly optimizer: Optimizer
  /** The weight decay of every parameter that is trained. */
  readonly weightDecay: number
  /** The gradients' norm that they are clipped to; 0 where they are not clipped. */
  readonly maxGradNorm: number
  /**
   * The training arguments that it decides, by their names, with its values; the optimizer's own name stands for
   * `optim`.
   */
  readonly decides: Readonly<Record<string, number>>
}

/** What an optimizer has come to: how many updates it has made, and its slots by PARAMETER.SLOT. */
export interface OptimizerState {
  readonly step: number
  readonly slots: ReadonlyMap<string, Tensor>
}

/** Where a model that comes with an optimizer's state keeps it: a run starts from it, and leaves it there. */
export interface OptimizerMemory {
  /**
   * What there is for the parameters that are trained; undefined before the first update.
   * @throws TrainerError ('file') when it is the state of another optimizer.
   */
  read(optimizer: Optimizer, trained: readonly string[]): OptimizerState | undefined
  /** Keeps copies. @throws TrainerError ('argument') for slots that it has no place for. */
  write(optimizer: Optimizer, trained: readonly string[], state: OptimizerState): void
  /** Gives what brings the state back that there is now. */
  keep(): () => void
}
