import type { Value } from '../onnx/types'
import type { FeedDemands, FeedLayout } from './FeedLayout'

/** The sizes of a model of tokens that its feeds depend on. */
export interface Geometry {
  /** Attention heads, and the width of one. */
  readonly heads: number
  readonly headSize: number
  readonly vocabularySize: number
  /** How many positions the model has, and the id of the first: RoBERTa counts from after its padding id. */
  readonly positions: number
  readonly firstPosition: number
  /** RoBERTa numbers the tokens that are not this id; the others number the columns. */
  readonly positionPadding: number | undefined
  /** How many segments the model tells apart; 0 when it takes none. */
  readonly segments: number
  /** Whether a row's first token is its first that is not masked, and not its first column. Default false. */
  readonly firstReal?: boolean | undefined
  /** How many columns a token sees to each side where attention is local; no attention is unless given. */
  readonly window?: number | undefined
  /** What attention is told of the distances between tokens; nothing unless given. */
  readonly relative?: RelativeGeometry | undefined
  /** The width of a convolution over columns, an odd number; none unless given. Only with `relative`. */
  readonly convolution?: number | undefined
}

/** What attention knows of the distances between tokens: the query's column in its row minus the key's. */
export interface RelativeGeometry {
  /** What a distance is to the model: the row of a table, or a kind of distance. */
  bucket(distance: number): number
  /**
   * What sees all columns of its row alike, padding too, as PyTorch's attention without a fused kernel has it: rows all
   * of whose tokens are masked, or each masked token. Such rows keep their padding, which is then part of the result.
   * Where it is not given, rows all of whose tokens are masked see nothing.
   */
  readonly blind?: 'rows' | 'tokens' | undefined
}

/** A layout of the feeds of models of tokens. */
export type TokenLayout = FeedLayout<TokenValues>

/** Which tokens are computed: the real ones, and every row's first, which a head may read; or all columns. */
export type KeptTokens = 'real' | 'all'

/** Makes a layout for a model's geometry. */
export type MakeTokenLayout = (geometry: Geometry, demands: FeedDemands, keep: KeptTokens) => TokenLayout

/** What a feed is to a model of tokens that is written into a graph. */
export interface TokenValues {
  /** [tokens] each */
  readonly tokenIds: Value
  readonly positionIds: Value
  readonly segmentIds: Value | undefined
  /** [tokens, 1]: 0 for a masked token, else 1; undefined where no token is masked, or the model does not ask. */
  readonly real?: Value | undefined
  /** The tokens beside each; where the geometry has a convolution. */
  readonly neighbours?: NeighbouringTokens | undefined
  readonly attention: AttentionLayout
  /** The ids as an exported model takes them, [batch, length] or [batch, choices, length]; undefined in a feed. */
  readonly inputIds?: Value
}

/** [tokens, width] → of each token what the one in the column that many behind it has, or zeros where there is none. */
export type NeighbouringTokens = (x: Value, offset: number) => Value

/**
 * The way between tokens and attention, which is computed for groups of rows of similar length: by indices in a packed
 * feed, by reshapes (and for one group) in a padded one.
 */
export interface AttentionLayout {
  /** [tokens, width] → each group's */
  readonly tokenGroups: (x: Value) => readonly Value[]
  /** [batch, width] → each group's */
  readonly rowGroups: (x: Value) => readonly Value[]
  /** Each group's [tokens, width] → that of all */
  readonly tokens: (groups: readonly Value[]) => Value
  /** Each group's [batch, width] → that of all */
  readonly rows: (groups: readonly Value[]) => Value
  /** [tokens, width] → [batch, width]: each row's first token */
  readonly first: (x: Value) => Value
  readonly groups: readonly GroupLayout[]
}

/** The padded layout that a group of rows has in attention. */
export interface GroupLayout {
  /** [tokens, heads × size] → [batch, heads, length, size] */
  readonly toHeads: (x: Value) => Value
  /**
   * [batch, heads, length, size] → [tokens, heads × size]; `masked` says that slots without a token pass no gradient
   * back anyway.
   */
  readonly fromHeads: (x: Value, masked: boolean) => Value
  /** [batch, 1, 1, length], added to the scores; [batch, 1, length, length] where masked tokens see other keys than the rest */
  readonly bias: Value
  /** Where the geometry has a window: [batch, 1, length, length], added to the scores of local attention in the place of `bias`. */
  readonly localBias?: Value | undefined
  /** Where the geometry asks for them: how far tokens are from each other. */
  readonly distances?: GroupDistances | undefined
  /**
   * [batch, 1, 1, 1], which attention's result is multiplied by: 0 for a row all of whose tokens are masked, as in
   * PyTorch's scaled_dot_product_attention, else 1; undefined where there is no such row.
   */
  readonly seen: Value | undefined
}

/**
 * The distances between the tokens of a group, which stand in attention as they do in their columns, so that one table
 * serves all rows.
 */
export interface GroupDistances {
  /** [2 × length − 1] int32: the bucket of each distance, from that of the last query to the first key down. */
  readonly all: Value
  /** [length] int32: the bucket of the distance from a row's first token to each key. */
  readonly first: Value
  /** What each query has for each distance, [..., length, 2 × length − 1] → for each key, [..., length, length] */
  readonly toKeys: (x: Value) => Value
}

/**
 * What a masked key's score is lowered by: the lowest bfloat16. The lowest float32, Hugging Face's choice, is -Infinity
 * in bfloat16, and a softmax of such NaN.
 */
export const lowest = -3.3895313892515355e38

/** What the score of a slot without a token is lowered by, where masked tokens are seen: the lowest float32. */
export const absent = -3.4028234663852886e38
