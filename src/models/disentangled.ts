// DeBERTa's attention: what contents have for distances, and distances for contents, beside what contents have for contents
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { GroupScores, ScoreRule } from './attention'
import { bertSettings, hiddenDropout } from './bertEncoder'
import { type ModelConfig, numberField, sizeField, textField } from './config'
import { createLayers } from './layers'
import type { ModelGraph } from './Model'

/** The table of distances of a model, [2 × span, width], and what its attention makes of it. */
export interface DistanceTable {
  /** Undefined where distances count for nothing. */
  readonly rows: Value | undefined
  /** 1 / √(size × parts of the scores) */
  readonly scale: number
  /** Whether queries are multiplied with the distance to each key ('c2p'), and keys with that from each query ('p2c'). */
  readonly ofQueries: boolean
  readonly ofKeys: boolean
}

/** The table, normalized where `norm_rel_ebd` says so. */
export function distanceTable(model: ModelGraph, config: ModelConfig): DistanceTable {
  const { layerNorm } = createLayers(model, bertSettings(config))
  const width = sizeField(config, 'hidden_size')
  const types = attentionTypes(config)
  const ofQueries = types.includes('c2p')
  const ofKeys = types.includes('p2c')
  const parts = 1 + Number(ofQueries) + Number(ofKeys)
  // Python takes the root in float32
  const scale = 1 / Math.fround(Math.sqrt((width / sizeField(config, 'num_attention_heads')) * parts))
  const isNormed = textField(config, 'norm_rel_ebd')
    .toLowerCase()
    .split('|')
    .some(part => part.trim() === 'layer_norm')
  const name = 'deberta.encoder.LayerNorm'
  const rows = model.graph.scope('distances', () => {
    const table =
      config.relative_attention === true
        ? model.parameter('deberta.encoder.rel_embeddings.weight', {
            shape: [2 * spanOf(config), width],
            initialization: { kind: 'normal', deviation: bertSettings(config).deviation },
          })
        : undefined
    if (!isNormed) return table
    // Python makes the layer without a table too
    model.parameter(`${name}.weight`, { shape: [width], initialization: { kind: 'ones' } })
    model.parameter(`${name}.bias`, { shape: [width], initialization: { kind: 'zeros' } })
    return table && layerNorm(name, table)
  })
  return { rows, scale, ofQueries, ofKeys }
}

/** `pos_att_type`: a list, or a text of several. */
function attentionTypes({ pos_att_type: types }: ModelConfig): readonly string[] {
  if (typeof types === 'string')
    return types
      .toLowerCase()
      .split('|')
      .map(type => type.trim())
  return (types as readonly string[] | null) ?? []
}

/** How many rows the table has to each side. */
function spanOf(config: ModelConfig): number {
  const buckets = numberField(config, 'position_buckets')
  return buckets > 0 ? buckets : reachOf(config)
}

function reachOf(config: ModelConfig): number {
  const reach = numberField(config, 'max_relative_positions')
  return reach > 0 ? reach : sizeField(config, 'max_position_embeddings')
}

/** Which row of the table belongs to a distance. */
export function distanceIndex(config: ModelConfig): (distance: number) => number {
  if (config.relative_attention !== true) return () => 0
  const span = spanOf(config)
  const buckets = numberField(config, 'position_buckets')
  const place = buckets > 0 ? logBucket(buckets, reachOf(config)) : (distance: number) => distance
  return distance => {
    const bucket = place(distance)
    return Number.isFinite(bucket) ? Math.min(Math.max(bucket + span, 0), 2 * span - 1) : 0
  }
}

/**
 * Distances up to half of the buckets have one each, the others by their logarithm: `make_log_bucket_position` of
 * transformers, in float32 as PyTorch computes it.
 */
function logBucket(buckets: number, reach: number): (distance: number) => number {
  const middle = Math.floor(buckets / 2)
  const log = (x: number): number => Math.fround(Math.log(Math.fround(x)))
  const whole = log((reach - 1) / middle)
  return distance => {
    const length = Math.abs(distance)
    if (length <= middle) return distance
    const grown = Math.fround(Math.fround(log(length / middle) / whole) * (middle - 1))
    return Math.sign(distance) * (Math.ceil(grown) + middle)
  }
}

/**
 * The rule of a layer's scores: q kᵀ + q · the key's product with the distance + k · the query's. The scale is part of
 * both queries.
 * @param name of the layer's attention in a checkpoint.
 */
export function disentangled(
  model: ModelGraph,
  config: ModelConfig,
  table: DistanceTable,
  name: string,
  site: string,
): ScoreRule | undefined {
  const { rows, ofQueries, ofKeys, scale } = table
  if (rows === undefined || !(ofQueries || ofKeys)) return undefined
  const { graph } = model
  const { linear } = createLayers(model, bertSettings(config))
  const isShared = config.share_att_key === true
  const dropped = model.dropout(site, rows, hiddenDropout(config), 'table')
  const product = (shared: string, own: string, by?: number): Value =>
    linear(`${name}.${isShared ? shared : own}`, dropped, sizeField(config, 'hidden_size'), by)
  const keys = ofQueries ? product('key_proj', 'pos_key_proj') : undefined
  const queries = ofKeys ? product('query_proj', 'pos_query_proj', scale) : undefined
  return given => {
    const first = keys === undefined ? given.scores : graph.add(given.scores, toDistances(graph, given, keys))
    return queries === undefined ? first : graph.add(first, fromDistances(graph, given, queries))
  }
}

/** What each query has for the distance to each key: [batch, heads, queries, length]. */
function toDistances(graph: GraphBuilder, { query, layout, firstOnly }: GroupScores, keys: Value): Value {
  const { all, first, toKeys } = layout.distances!
  const found = graph.matMul(query, ofHeads(graph, keys, firstOnly ? first : all, query, [1, 2, 0]))
  return firstOnly ? found : toKeys(found)
}

/** What each key has for the distance from each query: [batch, heads, queries, length]. */
function fromDistances(graph: GraphBuilder, { key, layout, firstOnly }: GroupScores, queries: Value): Value {
  const { all, first, toKeys } = layout.distances!
  if (firstOnly) {
    const each = graph.mul(key, ofHeads(graph, queries, first, key, [1, 0, 2]))
    return graph.unsqueeze(graph.reduceSum(each, [3]), [2])
  }
  const last = graph.integers([-1])
  const end = graph.integers([-(2 ** 31) + 1])
  // as float32, which has every distance: WebGPU has no kernel that slices int32
  const rising = graph.node('Slice', [graph.cast(all, 'float32'), last, end, graph.integers([0]), last], {})[0]!
  const index = { ...graph.cast(rising, 'int32'), shape: all.shape }
  return graph.transposeLast(toKeys(graph.matMul(key, ofHeads(graph, queries, index, key, [1, 2, 0]))))
}

/** Rows of a table [rows, heads × size] at an index, by heads: [distances, heads, size] in another order. */
function ofHeads(graph: GraphBuilder, table: Value, index: Value, like: Value, perm: readonly number[]): Value {
  const [, heads, , size] = like.shape as readonly [unknown, number, unknown, number]
  return graph.transpose(graph.reshape(graph.gather(table, index), [-1, heads, size]), perm)
}
