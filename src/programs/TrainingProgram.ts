import type { DropoutSite } from '../models/Model'
import type { Dimension, Graph } from '../onnx/types'

/** A graph with what it takes to train it. What it computes are sums over labels, never means. */
export interface TrainingProgram {
  /** feed, labels, masks, parameters → loss, count, gradients */
  readonly graph: Graph
  /** The outputs that are the loss's sum and its count. */
  readonly loss: { readonly sum: string; readonly count: string }
  /** Of the trainable parameters that the loss depends on, by name. */
  readonly gradients: ReadonlyMap<string, GradientOutput>
  readonly dropout: readonly DropoutSite[]
  /** The outputs that statistics are to be after a run, by the names of their parameters. */
  readonly moved: ReadonlyMap<string, string>
}

/** How a program gives a gradient of the loss's sum. */
export type GradientOutput =
  /** An output of the parameter's shape. */
  | { readonly kind: 'dense'; readonly output: string }
  /** Of a table, the rows that were read: what is to be added up at rows, in one part per place that reads it. */
  | { readonly kind: 'rows'; readonly parts: readonly GradientRows[] }

/** Rows of a table's gradient: `values` [n, width] belong to the table's rows `index` [n] (int32), which may repeat. */
export interface GradientRows {
  /** The names of both outputs. */
  readonly index: string
  readonly values: string
  /** n */
  readonly count: Dimension
}
