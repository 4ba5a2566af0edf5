// batches as a collator makes them: every row as long as the longest
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import { blindBias } from './attentionGroups'
import { columnDistances, columnNumbers, declareDistances, distanceInputs, localBias, mostColumns } from './distances'
import type { Feed, RowName } from './FeedLayout'
import { columnNeighbours, declareNeighbours, neighbourInputs } from './neighbours'
import {
  type AttentionLayout,
  type Geometry,
  type GroupLayout,
  lowest,
  type MakeTokenLayout,
  type TokenValues,
} from './TokenLayout'
import { readTokens } from './tokens'

/** The layout that keeps the padding: each column of a batch is a token. It computes more, and gives the same numbers. */
export const paddedLayout: MakeTokenLayout = geometry => ({
  usualVariant: 'padded',
  declare: (graph, variant) => declare(graph, geometry, variant),
  feed: (batch, rowName) => feed(batch, geometry, rowName),
})

/** Of feeds with rows that see nothing, and of those with masked tokens that see all. */
const hollowVariant = 'padded hollow'
const blindVariant = 'padded blind'

// ── the host's half ──

function feed(batch: Batch, geometry: Geometry, rowName: RowName): Feed {
  const tokens = readTokens(batch, geometry, 'all', rowName)
  const rows = tokens.order.length
  const width = tokens.lengths[0]!
  const bias = Float32Array.from({ length: rows * width }, (_, token) => (tokens.isMasked(token) ? lowest : 0))
  const seen = Float32Array.from({ length: rows }, (_, row) => (tokens.isHollow(row) ? 0 : 1))
  const { relative } = geometry
  const isHollow = relative?.blind === undefined && seen.includes(0)
  const keys = new Tensor('float32', bias, [rows, 1, 1, width])
  const inputs: Record<string, Tensor> = {
    ...(relative && distanceInputs(relative, width)),
    ...(geometry.window !== undefined && { columns: columnNumbers(width) }),
    ...(geometry.firstReal === true && { first_tokens: new Tensor('int32', tokens.read, [rows]) }),
    ...(geometry.convolution && neighbourInputs(geometry.convolution, tokens, rows * width)),
    token_ids: new Tensor('int32', tokens.tokenIds, [rows, width]),
    position_ids: new Tensor('int32', tokens.positionIds, [rows, width]),
    attention_bias: tokens.someBlind ? blindBias(keys) : keys,
  }
  if (tokens.segmentIds !== undefined) inputs.token_type_ids = new Tensor('int32', tokens.segmentIds, [rows, width])
  if (isHollow) inputs.seen = new Tensor('float32', seen, [rows, 1, 1, 1])
  if (tokens.someBlind)
    inputs.real_tokens = new Tensor(
      'float32',
      bias.map(lowered => (lowered === 0 ? 1 : 0)),
      [rows, width],
    )
  return {
    variant: isHollow ? hollowVariant : tokens.someBlind ? blindVariant : 'padded',
    inputs,
    places: {
      order: tokens.order,
      lengths: tokens.lengths,
      slots: tokens.slots,
      groups: [{ firstRow: 0, lengths: tokens.lengths, width }],
    },
    lengths: { tokens: rows * width, batch: rows, length: width },
    size: { elements: batch.input_ids!.size, realTokens: tokens.real },
  }
}

// ── the graph's half ──

function declare(graph: GraphBuilder, geometry: Geometry, variant: string): TokenValues {
  const shape = ['batch', 'length']
  const ids = (name: string): Value => graph.input(name, 'int32', shape)
  const tokenIds = ids('token_ids')
  const flat = (value: Value): Value => graph.assume(graph.reshape(value, [-1]), ['tokens'])
  const isBlind = variant === blindVariant
  const bias = graph.input('attention_bias', 'float32', ['batch', 1, isBlind ? 'length' : 1, 'length'])
  const seen = variant === hollowVariant ? graph.input('seen', 'float32', ['batch', 1, 1, 1]) : undefined
  const distances = geometry.relative && declareDistances(graph, name => name)
  const { window } = geometry
  const local =
    window === undefined ? undefined : localBias(graph, graph.input('columns', 'float32', ['length']), bias, window)
  const masks = { bias, seen, distances, localBias: local }
  const firstTokens = geometry.firstReal === true ? graph.input('first_tokens', 'int32', ['batch']) : undefined
  const attention = attentionOf(graph, geometry, tokenIds, masks)
  return {
    tokenIds: flat(tokenIds),
    positionIds: flat(ids('position_ids')),
    segmentIds: geometry.segments > 0 ? flat(ids('token_type_ids')) : undefined,
    real: isBlind ? tokenColumn(graph, graph.input('real_tokens', 'float32', shape)) : undefined,
    neighbours: geometry.convolution === undefined ? undefined : declareNeighbours(graph, geometry.convolution),
    attention: firstTokens === undefined ? attention : { ...attention, first: x => graph.gather(x, firstTokens) },
  }
}

/** [batch, length] → [tokens, 1] */
function tokenColumn(graph: GraphBuilder, x: Value): Value {
  return graph.assume(graph.reshape(x, [-1, 1]), ['tokens', 1])
}

/**
 * The inputs of an exported model: `input_ids, attention_mask(, token_type_ids)`, int64 [batch, sequence]. What the host
 * computes for a feed is part of the graph.
 * @param axes names of the axes of what the head judges, before that of its tokens: the batch's alone unless given.
 */
export function declareColumns(
  graph: GraphBuilder,
  geometry: Geometry,
  axes: readonly string[] = ['batch_size'],
): TokenValues {
  const given = (name: string): Value => graph.input(name, 'int64', [...axes, 'sequence_length'])
  const inputs = given('input_ids')
  const inRows = (value: Value): Value =>
    axes.length === 1 ? value : graph.assume(graph.reshape(value, rowShape(graph, value)), ['rows', 'sequence_length'])
  const column = (name: string): Value => inRows(given(name))
  const inputIds = inRows(inputs)
  const real = graph.cast(graph.cast(column('attention_mask'), 'bool'), 'float32') // any number but 0 is a real token
  const attention = attentionOf(graph, geometry, inputIds, columnMasks(graph, geometry, inputIds, real))
  // RoBERTa has one segment, and its tokenizer gives none
  const segments =
    geometry.segments > 1
      ? column('token_type_ids')
      : geometry.segments === 1
        ? graph.sub(inputIds, inputIds)
        : undefined
  return {
    tokenIds: graph.reshape(inputIds, [-1]),
    positionIds: graph.reshape(columnPositions(graph, geometry, inputIds), [-1]),
    segmentIds: segments && graph.reshape(segments, [-1]),
    real: geometry.relative?.blind === 'tokens' ? tokenColumn(graph, real) : undefined,
    neighbours: geometry.convolution === undefined ? undefined : columnNeighbours(graph, inputIds),
    attention:
      geometry.firstReal === true ? { ...attention, first: firstSeen(graph, geometry, inputIds, real) } : attention,
    inputIds: inputs,
  }
}

/** What attention is told of the columns: `real` [batch, length] is 1 where a token is not masked, else 0. */
function columnMasks(
  graph: GraphBuilder,
  geometry: Geometry,
  inputIds: Value,
  real: Value,
): Pick<GroupLayout, 'bias' | 'seen' | 'distances' | 'localBias'> {
  const { relative, positions, window } = geometry
  const blind = relative?.blind
  const isSeen = blind === 'tokens' ? graph.mul(graph.unsqueeze(real, [2]), graph.unsqueeze(real, [1])) : real
  const masked = graph.mul(graph.sub(1, isSeen), lowest)
  const bias = graph.unsqueeze(masked, blind === 'tokens' ? [1] : [1, 2])
  const columns = (): Value => columnsOf(graph, positions, inputIds)
  return {
    bias,
    localBias: window === undefined ? undefined : localBias(graph, graph.cast(columns(), 'float32'), bias, window),
    seen: blind === undefined ? graph.unsqueeze(graph.reduceMax(real, [1], true), [1, 2]) : undefined,
    distances: relative && columnDistances(graph, columns(), relative, positions),
  }
}

/** [tokens, width] → [batch, width]: each row's first token that is not masked, or its first column; as a product with 0 and 1. */
function firstSeen(
  graph: GraphBuilder,
  { positions, heads, headSize }: Geometry,
  inputIds: Value,
  real: Value,
): (x: Value) => Value {
  const most = Math.min(positions, mostColumns)
  // the earlier the higher, and those that are not masked above all others
  const rank = graph.sub(graph.mul(real, most), graph.cast(columnsOf(graph, positions, inputIds), 'float32'))
  const isFirst = graph.cast(graph.equal(rank, graph.reduceMax(rank, [1], true)), 'float32')
  const shape = graph.concat([graph.shape(inputIds), graph.integers([heads * headSize])], 0)
  return x => {
    const found = graph.matMul(graph.unsqueeze(isFirst, [1]), graph.reshape(x, shape)) // [batch, 1, width]
    return graph.assume(graph.squeeze(found, [1]), [inputIds.shape[0]!, heads * headSize])
  }
}

/** [-1, the last length] */
function rowShape(graph: GraphBuilder, value: Value): Value {
  return graph.concat([graph.integers([-1]), graph.node('Shape', [value], { start: -1 })[0]!], 0)
}

/** Position ids of `input_ids` (int64 [batch, length]), of the same shape. */
function columnPositions(graph: GraphBuilder, { positions, positionPadding }: Geometry, inputIds: Value): Value {
  const column = columnsOf(graph, positions, inputIds)
  return positionPadding === undefined
    ? graph.node('Expand', [column, graph.shape(inputIds)], {})[0]!
    : countedPositions(graph, inputIds, column, positionPadding)
}

/** The columns of `input_ids` [batch, length], int64 [length]. */
function columnsOf(graph: GraphBuilder, positions: number, inputIds: Value): Value {
  const columns = graph.constant(
    Tensor.from(
      'int64',
      Array.from({ length: Math.min(positions, mostColumns) }, (_, i) => i),
    ),
  )
  const width = graph.node('Shape', [inputIds], { start: 1, end: 2 })[0]!
  return graph.node('Slice', [columns, graph.integers([0]), width, graph.integers([0])], {})[0]!
}

/** RoBERTa's rule: the count of tokens that are not padding so far, after the padding id; as a product with a triangle of ones. */
function countedPositions(graph: GraphBuilder, inputIds: Value, column: Value, padding: number): Value {
  const isPadding = graph.equal(inputIds, graph.constant(Tensor.from('int64', padding)))
  const real = graph.cast(graph.not(isPadding), 'float32') // [batch, length]
  const upTo = graph.node('LessOrEqual', [graph.unsqueeze(column, [1]), graph.unsqueeze(column, [0])], {})[0]! // [length, length]
  const counted = graph.mul(graph.matMul(real, graph.cast(upTo, 'float32')), real)
  return graph.cast(graph.add(counted, padding), 'int64')
}

/** Between tokens and attention by reshapes and transpositions; `like` [batch, length] has the shape. */
function attentionOf(
  graph: GraphBuilder,
  { heads, headSize }: Geometry,
  like: Value,
  masks: Pick<GroupLayout, 'bias' | 'seen' | 'distances' | 'localBias'>,
): AttentionLayout {
  const shape = graph.shape(like)
  const headShape = graph.concat([shape, graph.integers([heads, headSize])], 0)
  const rowShape = graph.concat([shape, graph.integers([heads * headSize])], 0)
  const reshaped = (x: Value, to: Value, axes: readonly Dimension[]): Value =>
    graph.assume(graph.reshape(x, to), [...like.shape, ...axes])
  return {
    tokenGroups: x => [x],
    rowGroups: x => [x],
    tokens: ([x]) => x!,
    rows: ([x]) => x!,
    first: x => graph.gather(reshaped(x, rowShape, [heads * headSize]), graph.constant(Tensor.from('int64', 0)), 1),
    groups: [
      {
        toHeads: x => graph.transpose(reshaped(x, headShape, [heads, headSize]), [0, 2, 1, 3]),
        fromHeads: x =>
          graph.assume(graph.reshape(graph.transpose(x, [0, 2, 1, 3]), [-1, heads * headSize]), [
            'tokens',
            heads * headSize,
          ]),
        ...masks,
      },
    ],
  }
}
