import type { GraphBuilder } from '../onnx/builder'
import type { Batch, Tensor } from '../tensor'

/** Names a row of a batch as the user knows it: by its place in the dataset. */
export type RowName = (row: number) => string

/**
 * How batches become the inputs of a program: the host's half and the graph's half of one convention.
 *
 * `Values` is what the inputs are to a model that is written into a graph.
 */
export interface FeedLayout<Values = unknown> {
  /** The variant of most feeds, whose program is made first. */
  readonly usualVariant: string
  /** Declares the inputs of a variant's feeds. */
  declare(graph: GraphBuilder, variant: string): Values
  /**
   * The feed of a batch.
   * @throws TrainerError ('data') naming the row of what the model does not know.
   */
  feed(batch: Batch, rowName: RowName): Feed
}

/** A batch as the inputs of a program. */
export interface Feed {
  /** Whose program takes it: of those that the layout declares. */
  readonly variant: string
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly places: Places
  /** What the names of lengths in the program stand for, as far as they are known before it runs. */
  readonly lengths: Readonly<Record<string, number>>
  /** Elements of the batch's main input, padding included, and the real tokens among them. */
  readonly size: { readonly elements: number; readonly realTokens: number }
}

/** Where the rows and tokens of a batch stand in its feed. Tokens come row after row. */
export interface Places {
  /** The batch's row that each row of the feed is. */
  readonly order: Int32Array
  /** How many tokens each row of the feed has; none where rows have no tokens. */
  readonly lengths: Int32Array
  /** Where each token of the feed stands in the batch: row × width + column; those added to round their number last, as -1. */
  readonly slots: Int32Array
  /** The rows that attention is computed for together, group by group; none where there is no attention. */
  readonly groups: readonly GroupPlaces[]
}

/** Rows of a feed that attention is computed for together. */
export interface GroupPlaces {
  /** The rows of the feed before it. */
  readonly firstRow: number
  /** Tokens of each of its rows. */
  readonly lengths: Int32Array
  /** The length that its rows are padded to in attention. */
  readonly width: number
}

/** What is known of the batches to come, and of the engine that they are computed on. */
export interface FeedDemands {
  /** Rows that most batches have. */
  readonly rows: number
  /** Whether each new shape costs time and memory, so that few different ones are better. */
  readonly fewShapes: boolean
}
