import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'

/** A parameter as an optimizer sees it. */
export interface OptimizedParameter {
  readonly name: string
  readonly shape: readonly number[]
}

/** What an update does otherwise for some parameters, by name. */
export interface ParameterSettings {
  readonly weightDecay: (name: string) => number
  /** What the learning rate is multiplied by; 1 unless given. */
  readonly rateFactor?: ((name: string) => number) | undefined
}

/**
 * What is kept for a parameter between updates: its shape, and the number that it is filled with at first (default 0).
 */
export interface Slot {
  readonly shape: readonly number[]
  readonly fill?: number
}

/** What the update of one parameter is written from. Scalars are float32 of shape []. */
export interface UpdateSite {
  /** The gradient of the whole update's mean loss, clipped. */
  readonly gradient: Value
  readonly parameter: Value
  readonly slots: Readonly<Record<string, Value>>
  /** `rate`, `weight_decay`, and what {@link Optimizer.scalars} gives. */
  readonly scalars: Readonly<Record<string, Value>>
}

/** What an update returns: the new parameter, and the new slots by their names. */
export interface Updated {
  readonly parameter: Value
  readonly slots: Readonly<Record<string, Value>>
}

/**
 * An optimizer: a pair of pure functions, as in optax, the second of which writes graph code, so that it runs on every
 * device.
 *
 * An update that is elementwise is written once for a flat parameter of any length; on the CPU it is compiled into one
 * loop.
 */
export interface Optimizer {
  readonly name: string
  /** The slots of a parameter, by Hugging Face's (PyTorch's) names. */
  init(parameter: OptimizedParameter): Readonly<Record<string, Slot>>
  /** Numbers that depend on the update (counted from 1) and the learning rate, computed in float64. */
  scalars?(step: number, rate: number): Readonly<Record<string, number>>
  update(graph: GraphBuilder, site: UpdateSite): Updated
}
