import type { Value } from '../onnx/types'
import type { ModelConfig } from './config'
import type { Layout } from './encoder'
import type { ModelGraph } from './layers'
import type { PackingRules } from './packing'

/** The ids of the tokens that a model computes, [tokens] each. */
export interface TokenInputs {
  readonly tokenIds: Value
  readonly positionIds: Value
  readonly segmentIds: Value | undefined
}

/** A family of models: how a config becomes a graph. */
export interface Family {
  /** The head's class in Python, which `architectures` in the config names. */
  readonly sequenceClassifierName: string
  /** What the names of the encoder's parameters begin with when there is a head. */
  readonly baseModelPrefix: string
  /** The columns that the model takes beside labels. */
  readonly inputNames: readonly string[]
  readonly packing: (config: ModelConfig) => PackingRules
  /** The size of an attention head. */
  readonly headSize: (config: ModelConfig) => number
  /** Logits [batch, labels]. */
  readonly sequenceClassifier: (
    model: ModelGraph,
    config: ModelConfig,
    tokens: TokenInputs,
    layout: Layout,
    labels: number,
  ) => Value
}
