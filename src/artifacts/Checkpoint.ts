import type { Tensor } from '../tensor'
import type { MomentName } from './names'

/** What a checkpoint of ONNX Runtime Training holds. */
export interface Checkpoint {
  /** The parameters that are trained, by name. Of a nominal checkpoint they have no elements and the shape [0]. */
  readonly trained: ReadonlyMap<string, Tensor>
  /** The parameters that are not. */
  readonly frozen: ReadonlyMap<string, Tensor>
  /** Whether the file only names the parameters, whose values are given later. */
  readonly isNominal: boolean
  /** Undefined where the file has none: an optimizer then starts at zero. */
  readonly optimizer?: OptimizerState | undefined
  /** What a program has noted: integers are bigints, floating-point numbers numbers. */
  readonly properties: ReadonlyMap<string, bigint | number | string>
}

/** What an optimizer has come to. */
export interface OptimizerState {
  /** The updates made so far. */
  readonly step: number
  readonly initialLearningRate: number
  /** The moments of each parameter, of its type and shape: 'momentum0' is the first, 'momentum1' the second. */
  readonly states: ReadonlyMap<string, ReadonlyMap<MomentName, Tensor>>
}
