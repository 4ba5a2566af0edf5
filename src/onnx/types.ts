import type { DataType, Tensor } from '../tensor'
import type { Attributes, OpName } from './operators'

/**
 * A length: a number, or a name for a length that is known only when the graph runs. Equal names mean equal lengths.
 */
export type Dimension = number | string

/** What a value is: its element type and its shape. */
export interface ValueType {
  readonly dtype: DataType
  readonly shape: readonly Dimension[]
}

/** A value of a graph, made once: by an input, an initializer or a node. */
export interface Value extends ValueType {
  readonly name: string
}

/**
 * One application of an operator. An optional input that is not given, or an output that nothing reads, is undefined.
 */
export interface Node<Op extends OpName = OpName> {
  readonly op: Op
  readonly name: string
  readonly inputs: readonly (Value | undefined)[]
  readonly outputs: readonly (Value | undefined)[]
  readonly attributes: Readonly<Attributes[Op]>
  readonly hint?: GatherHint | undefined
}

/** What differentiation is told of a Gather: it is not part of ONNX and is not written to files. */
export interface GatherHint {
  readonly inverse?: Inverse
  /** Along axis 0, a row that no gradient goes back to, wherever it was read: PyTorch's `padding_idx`. */
  readonly frozenRow?: number
}

/**
 * What undoes a Gather whose places along its axis are all different where a gradient flows. The gradient is then a
 * Gather too, instead of a scatter.
 */
export interface Inverse {
  /** int32, one per place of the data along the axis: the place of the (flattened) output that it went to. */
  readonly index: Value
  /**
   * Multiplied with the gradient, for places that went nowhere (0) or somewhere (1); without it each went somewhere.
   */
  readonly mask?: Value | undefined
}

/** A graph in static single assignment form; its nodes are in an order in which they can run. */
export interface Graph {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly initializers: ReadonlyMap<string, Initializer>
  readonly nodes: readonly Node[]
  /**
   * Whether the names of lengths promise nothing, as in graphs of other programs: a name may then stand for 1 when the
   * graph runs, and be broadcast. In graphs that are written here no axis with a name is broadcast, and two names that meet in
   * a broadcast are one length. Default false.
   */
  readonly openLengths?: boolean | undefined
}

/** A constant of the graph. */
export interface Initializer {
  readonly value: Value
  readonly tensor: Tensor
}
