// heads of the user's own: what they are written with
import type { Loss } from '../losses/loss'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Tensor } from '../tensor'

/** What a column of labels has, for each row of a batch unless it is `of: 'tokens'`. */
export type OwnLabels =
  /** A class each: a whole number from 0 to classes - 1, or -100, which does not count. In the graph int32 [rows]. */
  | { readonly classes: number; readonly of?: 'rows' | 'tokens' | undefined }
  /** So many numbers each, finite ones. In the graph float32 [rows, numbers]; of tokens without any they are -100. */
  | { readonly numbers: number; readonly of?: 'rows' | 'tokens' | undefined }

/** What an encoder makes of a batch; only what is asked for is computed. */
export interface Encodings {
  /** Of each row's first token: [rows, width]. */
  first(): Value
  /**
   * What the pooler of the family makes of each row's first token: [rows, width]. @throws TrainerError where it has
   * none.
   */
  pooled(): Value
  /** Of each token: [tokens, width]. */
  tokens(): Value
}

/** Layers with parameters of their own, under Hugging Face's names: `NAME.weight` and `NAME.bias`. */
export interface HeadLayers {
  /** For whatever needs no parameters: `graph.tanh(x)`, `graph.add(x, y)`. */
  readonly graph: GraphBuilder
  /** x Wᵀ + b, of `outputs` numbers; W starts as in the model's family, b at 0. */
  linear(name: string, x: Value, outputs: number): Value
  /** Layer normalization over the last axis. */
  layerNorm(name: string, x: Value): Value
  /** In training, x with a share of its elements set to 0 and the others enlarged. */
  dropout(x: Value, probability: number): Value
}

/** What `loss` may return: one loss, or one for each of several columns of labels, by their names. */
export type OwnLoss<Labels extends string = string> = Loss | Readonly<Partial<Record<Labels, Loss>>>

/** A head of the user's own: graph code for its outputs and its loss. `ownHead()` checks one. */
export interface OwnHead<Outputs extends string = string, Labels extends string = string> {
  /** The model's class, which `architectures` in config.json names: 'BertForTriage'. */
  readonly name: string
  /** The columns of a batch that are labels. */
  readonly labels: Readonly<Record<Labels, OwnLabels>>
  /** The outputs by name, float32: their first axis is that of rows, or of tokens. */
  outputs(encoded: Encodings, layers: HeadLayers): Readonly<Record<Outputs, Value>>
  /**
   * The loss, a sum and a count. Of several by the names of their columns each is divided by how many labels of its column
   * count in the whole update, as `mean` does in PyTorch, and added.
   */
  loss(
    outputs: Readonly<Record<Outputs, Value>>,
    labels: Readonly<Record<Labels, Value>>,
    graph: GraphBuilder,
  ): OwnLoss<Labels>
  /** What losses are multiplied by, by their columns, before they are added; 1 unless given. */
  readonly weights?: Readonly<Partial<Record<Labels, number>>> | undefined
}

/** Where the type of predictions carries the names of the labels. */
declare const labelNames: unique symbol

/** What a head of the user's own predicts: a tensor for each output, by name. */
export type OwnPredictions<Outputs extends string = string, Labels extends string = string> = Readonly<
  Record<Outputs, Tensor>
> & { readonly [labelNames]?: Labels }

/** The labels that go with predictions: as many tensors, or those of the columns that a head of the user's own has. */
export type LabelsOf<Prediction> = typeof labelNames extends keyof Prediction
  ? Readonly<Record<NonNullable<Prediction[typeof labelNames]> & string, Tensor>>
  : Prediction
