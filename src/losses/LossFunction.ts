import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Loss } from './loss'

/** What a loss is computed from: graph values, never numbers. */
export interface ModelOutputs {
  readonly logits: Value
  readonly [output: string]: Value
}

/**
 * A custom loss, called once while the graph is built: it writes operators on `graph`, and returns either a sum and a
 * count, or one scalar that is already divided by `count`, the number of labels in the whole update that are not -100.
 */
export type LossFunction = (outputs: ModelOutputs, labels: Value, count: Value, graph: GraphBuilder) => Value | Loss
