import type { GraphBuilder } from '../onnx/builder'
import type { RawNode } from '../onnx/RawModel'
import type { Dimension, Value } from '../onnx/types'
import type { Tensor } from '../tensor'
import type { NodeAttributes } from './NodeAttributes'

/**
 * How an operator of other programs is written in ours. Rules stand in tables by `operatorName`; an operator of our own
 * table that has no row there is written as it is.
 */
export interface Lowering {
  /** How, in a few words or as a formula: docs/operators.md has it. */
  readonly how: string
  /**
   * Writes a node. One value for each output; undefined for one that it cannot give, which is an error where it is read.
   * A rule reads every attribute that it honours: one that is left unread is refused.
   */
  readonly lower: (site: Site) => Value | readonly (Value | undefined)[]
  /** The inputs that a gradient goes back to; all of floating-point type unless given. */
  readonly carries?: readonly number[]
  /** The inputs that are statistics, which training moves itself: no optimizer does. */
  readonly statistics?: readonly number[]
}

export type LoweringTable = Readonly<Record<string, Lowering>>

/** What a graph of another program is written into, beside its operators. */
export interface Target {
  readonly graph: GraphBuilder
  /** Whether it is written for training; dropout and statistics are at rest otherwise. */
  readonly isTraining: boolean
  /**
   * The mask of a dropout: 0 or 1 / (1 - probability) for each element of x; undefined outside of training and at
   * probability 0.
   */
  dropoutMask(place: string, x: Value, probability: number): Value | undefined
  /** Takes note of what a statistic is to be after this forward pass. */
  moves(statistic: Value, next: Value): void
}

/** What a rule is given. */
export interface Site extends Target {
  readonly node: RawNode
  /** The version of the operators of the node's domain. */
  readonly opset: number
  /** Undefined for one that is not given. Further ones than the node has are undefined too. */
  readonly inputs: readonly (Value | undefined)[]
  readonly attributes: NodeAttributes
  /** How many outputs the node names; of those between that are not named, `isRead` is false. */
  readonly outputs: number
  isRead(output: number): boolean
  /** An input that has to be there. @throws TrainerError naming the node. */
  input(at: number): Value
  /** The tensor that a value is, if it is known without running the graph. */
  constant(value: Value | undefined): Tensor | undefined
  /** The numbers of a constant. @throws TrainerError naming the node, if it is none. */
  numbers(at: number, what: string): readonly number[]
  /**
   * What an integer vector holds, as far as it is known: numbers, names of lengths, undefined for what is not known;
   * undefined where nothing is known of it.
   */
  lengths(value: Value | undefined): readonly (Dimension | undefined)[] | undefined
}
