import type { Places, RowName } from '../feeds/FeedLayout'
import type { Loss } from '../losses/loss'
import type { LossName } from '../losses/lossNames'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Batch, Tensor } from '../tensor'
import type { OwnHead } from './OwnHead'

/** What a model is trained for, in Hugging Face's words. */
export type Task =
  | 'sequence-classification'
  | 'token-classification'
  | 'question-answering'
  | 'multiple-choice'
  | 'masked-lm'
  | 'feature-extraction'

/** What a head is for: a task, or what a head of the user's own is for. */
export type HeadTask = Task | 'custom-outputs'

/** Values of a graph by name. */
export type Values = Readonly<Record<string, Value>>

/** What a model predicts for a batch, by Python's names: `logits`, or several. */
export type Predictions = Readonly<Record<string, Tensor>>

/** Options of the losses that a head computes itself. */
export interface LossOptions {
  /** See `CrossEntropyOptions`. */
  readonly labelSmoothing?: number | undefined
  readonly classWeights?: readonly number[] | undefined
}

/** The labels of a batch as the inputs of a program. */
export interface LabelFeed {
  readonly inputs: Readonly<Record<string, Tensor>>
  /** Labels that are not -100: Python's `num_items_in_batch`, by which a custom loss divides. */
  readonly count: number
  /** Those of each of several losses, by the column of its labels: see `Loss.terms`. Their sum is `count` then. */
  readonly counts?: Readonly<Record<string, number>> | undefined
}

/** What a head of the user's own is written as, and the layers that it has by that. */
export interface OwnLayers extends Pick<OwnHead, 'name' | 'outputs'> {
  /** Their names: those of their parameters without `.weight` and `.bias`. */
  readonly layers: readonly string[]
}

/** The tokens of a feed whose labels count, which are few: the graph's half and the host's. */
export interface CountedTokens {
  /** Declares them as inputs of a graph; returns how their encodings are taken out of those of all tokens. */
  declare(graph: GraphBuilder): (encoded: Value) => Value
  /** Labels of all tokens as those of the ones that count, and where these stand. */
  feed(labels: LabelFeed): LabelFeed
}

/**
 * What a model's outputs and labels mean: the graph's half and the host's half of one convention. What is still open in
 * a head is decided by the first labels, see {@link Head.decided}.
 */
export interface Head {
  readonly task: HeadTask
  /** The tokens whose encodings it reads: each row's first, all, or padding too, as 'columns' of a batch. */
  readonly reads: 'first' | 'all' | 'columns'
  /** The model's outputs that predictions are made of, where they are other than `logits`; some may be missing. */
  readonly outputNames?: readonly string[]
  /** How many numbers it gives for each thing that it judges; 0 where that is not known before a graph runs. */
  readonly width: number
  /** Names of the axes of what it judges, before that of tokens: the batch's alone unless given. */
  readonly axes?: readonly string[]
  /** The columns of a batch that are its labels, under Python's names. */
  readonly labelNames: readonly string[]
  /**
   * Of a head of the user's own what it is written as; it has layers of its own, and predictions and labels by name.
   */
  readonly own?: OwnLayers
  /** False where outputs and labels of a feed are in no shape for a custom loss. */
  readonly takesCustomLoss?: false
  /** What a model's config says of the head, under Python's names. */
  readonly configFields: Readonly<Record<string, unknown>>
  /**
   * The head with what is open in it decided by a batch's labels; itself where nothing is open, or the batch has no
   * labels.
   */
  decided(batch: Batch): Head
  /** The head with a loss chosen by name. @throws TrainerError ('argument') when it cannot have that one. */
  withLoss(name: LossName): Head
  /** Declares the labels of a model's outputs as inputs of their graph. */
  declare(graph: GraphBuilder, outputs: Values): Values
  /**
   * The loss of outputs against labels.
   * @throws TrainerError ('argument') for options that it does not have.
   */
  loss(graph: GraphBuilder, outputs: Values, labels: Values, options: LossOptions): Loss
  /**
   * A batch's labels as inputs, in the order of its feed; undefined where it has none.
   * @param lengths what names of lengths in the program stand for, as far as its feed knows.
   * @throws TrainerError ('data') naming the row of a label that does not fit.
   */
  feed(
    batch: Batch,
    places: Places,
    rowName: RowName,
    lengths?: Readonly<Record<string, number>>,
  ): LabelFeed | undefined
  /** Where a loss is computed of the tokens alone whose labels count, because each costs the head much. */
  readonly counted?: CountedTokens
  /**
   * A batch as rows of tokens, for a head that judges several rows together; as it is unless given.
   * @throws TrainerError ('data') for columns of another shape.
   */
  rows?(batch: Batch): Batch
  /**
   * What a program's outputs predict for a batch, in the batch's order, under Python's names: `logits`, or several.
   * @param shape that of the batch's main input.
   */
  predictions(outputs: Readonly<Record<string, Tensor>>, places: Places, shape: readonly number[]): Predictions
  /**
   * The outputs of an exported model, which has no feed: the model's own unless given.
   * @param inputIds the ids as the file takes them.
   */
  exported?(graph: GraphBuilder, outputs: Values, inputIds: Value): Values
}
