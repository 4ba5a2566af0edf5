import type { Value } from '../onnx/types'
import { activation, layerNorm, linear, type ModelGraph } from './layers'

/**
 * The sizes and probabilities of a stack of post-normalised transformer layers (Vaswani et al. 2017, as BERT uses
 * them).
 */
export interface EncoderShape {
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly innerWidth: number
  readonly activation: string
  readonly epsilon: number
  readonly deviation: number
  readonly attentionDropout: number
  /** After the attention's output product; DistilBERT has none. */
  readonly attentionOutputDropout: number
  readonly outputDropout: number
}

/** What the parts of a layer are called in a checkpoint. */
export interface EncoderNames {
  readonly layer: (index: number) => string
  readonly query: string
  readonly key: string
  readonly value: string
  readonly attentionOutput: string
  readonly attentionNorm: string
  readonly inner: string
  readonly output: string
  readonly outputNorm: string
}

/**
 * The way between tokens and attention, which is computed for groups of rows of similar length: by indices when
 * training, by reshapes (and for one group) in an exported model.
 */
export interface Layout {
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

/** The padded layout of a group of rows. */
export interface GroupLayout {
  /** [tokens, heads × size] → [batch, heads, length, size] */
  readonly toHeads: (x: Value) => Value
  /**
   * [batch, heads, length, size] → [tokens, heads × size]; `masked` says that slots without a token pass no gradient
   * back anyway.
   */
  readonly fromHeads: (x: Value, masked: boolean) => Value
  /** [batch, 1, 1, length], added to the scores */
  readonly bias: Value
}

/**
 * The stack, on tokens only: [tokens, width] → [tokens, width], or each row's first token, [batch, width], if that is
 * all the head reads.
 *
 * For a head that reads only the first token, the last layer computes its query, output and feed-forward for that one
 * alone.
 */
export function encode(
  model: ModelGraph,
  shape: EncoderShape,
  names: EncoderNames,
  layout: Layout,
  x: Value,
  reads: 'first' | 'all',
): Value {
  let hidden = x
  for (let i = 0; i < shape.layers; i++) {
    const firstOnly = reads === 'first' && i === shape.layers - 1
    model.checkpoints.push(hidden)
    hidden = model.graph.scope(`layer.${i}`, () => encoderLayer(model, shape, names, layout, hidden, i, firstOnly))
  }
  return hidden
}

function encoderLayer(
  model: ModelGraph,
  shape: EncoderShape,
  names: EncoderNames,
  layout: Layout,
  x: Value,
  index: number,
  firstOnly: boolean,
): Value {
  const { graph } = model
  const at = names.layer(index)
  const site = `layer.${index}`
  const rows = firstOnly ? layout.first(x) : x
  const context = attention(model, shape, names, layout, x, rows, at, site, firstOnly)
  const projected = linear(model, `${at}.${names.attentionOutput}`, context, shape.width, shape.deviation)
  const attended = model.dropout(`${site}.attention.output`, projected, shape.attentionOutputDropout)
  const middle = layerNorm(model, `${at}.${names.attentionNorm}`, graph.add(attended, rows), shape.epsilon)
  const inner = activation(
    graph,
    shape.activation,
    linear(model, `${at}.${names.inner}`, middle, shape.innerWidth, shape.deviation),
  )
  const output = model.dropout(
    `${site}.output`,
    linear(model, `${at}.${names.output}`, inner, shape.width, shape.deviation),
    shape.outputDropout,
  )
  return layerNorm(model, `${at}.${names.outputNorm}`, graph.add(output, middle), shape.epsilon)
}

/** Keys and values from all tokens `x`, queries from `rows`; the scale of the scores is part of the query's product. */
function attention(
  model: ModelGraph,
  shape: EncoderShape,
  names: EncoderNames,
  layout: Layout,
  x: Value,
  rows: Value,
  at: string,
  site: string,
  firstOnly: boolean,
): Value {
  const project = (name: string, from: Value, scale = 1): Value =>
    linear(model, `${at}.${name}`, from, shape.width, shape.deviation, scale)
  const query = project(names.query, rows, 1 / Math.sqrt(shape.width / shape.heads))
  const queries = firstOnly ? layout.rowGroups(query) : layout.tokenGroups(query)
  const keys = layout.tokenGroups(project(names.key, x))
  const values = layout.tokenGroups(project(names.value, x))
  const contexts = layout.groups.map((group, i) => {
    const place = layout.groups.length === 1 ? site : `${site}.${i}`
    return groupAttention(
      model,
      shape,
      group,
      { query: queries[i]!, key: keys[i]!, value: values[i]! },
      place,
      firstOnly,
    )
  })
  return firstOnly ? layout.rows(contexts) : layout.tokens(contexts)
}

/** softmax(q kᵀ + bias) v for a group of rows: [its tokens, or its rows, width]. */
function groupAttention(
  model: ModelGraph,
  shape: EncoderShape,
  group: GroupLayout,
  { query, key, value }: { query: Value; key: Value; value: Value },
  site: string,
  firstOnly: boolean,
): Value {
  const { graph } = model
  const size = shape.width / shape.heads
  const q = firstOnly ? graph.reshape(query, [-1, shape.heads, 1, size]) : group.toHeads(query) // [batch, heads, length or 1, size]
  const scores = graph.add(graph.matMul(q, graph.transposeLast(group.toHeads(key))), group.bias)
  const probabilities = graph.softmax(scores)
  const kept = model.dropout(`${site}.attention`, probabilities, shape.attentionDropout)
  const context = graph.matMul(kept, group.toHeads(value))
  return firstOnly ? graph.reshape(context, [-1, shape.width]) : group.fromHeads(context, kept !== probabilities)
}
