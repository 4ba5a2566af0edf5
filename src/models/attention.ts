import type { AttentionLayout, GroupLayout } from '../feeds/TokenLayout'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { ModelGraph } from './Model'

/** What attention is computed of; each is written when it is asked for, in this order. */
export interface AttentionInputs {
  /**
   * [tokens, heads × size], or [batch, heads × size] of each row's first token with `firstOnly`. Whatever the scores are
   * divided by is part of it.
   */
  query(): Value
  /** [tokens, heads × size] */
  key(): Value
  /** [tokens, heads × size] */
  value(): Value
}

/** How attention is computed. */
export interface AttentionOptions {
  readonly heads: number
  /** What the dropout of its probabilities is called, and how often they are dropped. */
  readonly site: string
  readonly dropout: number
  /** Whether each row's first token alone is a query. */
  readonly firstOnly: boolean
  /** What the family makes of the scores; they stay as they are unless given. */
  readonly rule?: ScoreRule | undefined
}

/** The scores of a group of rows, and what they have been made of. */
export interface GroupScores {
  /** [batch, heads, queries, length], before what is masked is left out */
  readonly scores: Value
  /** [batch, heads, queries, size]; one query with `firstOnly` */
  readonly query: Value
  /** [batch, heads, length, size] */
  readonly key: Value
  readonly firstOnly: boolean
  readonly layout: GroupLayout
  /** Which of the groups it is. */
  readonly group: number
}

/** A family's own part of the scores: of distances between tokens, for example. Returns them in the same shape. */
export type ScoreRule = (given: GroupScores) => Value

/**
 * softmax(q kᵀ + masks) v (Vaswani et al. 2017), on tokens only: [tokens, heads × size], or [batch, heads × size] with
 * `firstOnly`. It is computed for groups of rows, whichever layout feeds the model; rows that nothing is seen of get 0.
 */
export function attend(
  model: ModelGraph,
  attention: AttentionLayout,
  inputs: AttentionInputs,
  options: AttentionOptions,
): Value {
  const { firstOnly } = options
  const queries = firstOnly ? attention.rowGroups(inputs.query()) : attention.tokenGroups(inputs.query())
  const keys = attention.tokenGroups(inputs.key())
  const values = attention.tokenGroups(inputs.value())
  const contexts = attention.groups.map((layout, group) =>
    groupAttention(
      model,
      { layout, group, groups: attention.groups.length },
      { query: queries[group]!, key: keys[group]!, value: values[group]! },
      options,
    ),
  )
  return firstOnly ? attention.rows(contexts) : attention.tokens(contexts)
}

/** The same for a group of rows: [its tokens, or its rows, heads × size]. */
function groupAttention(
  { graph, dropout }: ModelGraph,
  { layout, group, groups }: { readonly layout: GroupLayout; readonly group: number; readonly groups: number },
  inputs: { readonly query: Value; readonly key: Value; readonly value: Value },
  { heads, site, dropout: probability, firstOnly, rule = ({ scores }) => scores }: AttentionOptions,
): Value {
  const width = inputs.key.shape.at(-1) as number
  const query = firstOnly ? graph.reshape(inputs.query, [-1, heads, 1, width / heads]) : layout.toHeads(inputs.query)
  const key = layout.toHeads(inputs.key)
  const plain = graph.matMul(query, graph.transposeLast(key))
  const scores = rule({ scores: plain, query, key, firstOnly, layout, group })
  const probabilities = graph.softmax(masked(graph, scores, layout.bias, firstOnly))
  const kept = dropout(site, probabilities, probability, { group, groups })
  const found = graph.matMul(kept, layout.toHeads(inputs.value))
  const context = layout.seen === undefined ? found : graph.mul(found, layout.seen)
  return firstOnly ? graph.reshape(context, [-1, width]) : layout.fromHeads(context, kept !== probabilities)
}

/**
 * The scores with those of masked keys lowered. Where masked tokens see others than the rest, what they see is the bias
 * itself: no gradient goes back from there to their queries and keys.
 */
function masked(graph: GraphBuilder, scores: Value, bias: Value, firstOnly: boolean): Value {
  if (bias.shape[2] === 1) return graph.add(scores, bias)
  const own = firstOnly ? graph.gather(bias, graph.integers([0]), 2) : bias
  return graph.where(graph.equal(own, 0), scores, own)
}
