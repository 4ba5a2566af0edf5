// batches without padding: real tokens only, and attention in groups of rows of similar length
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { type PackedGroup, packGroups, type Rounding, roundedUp } from './attentionGroups'
import { declareDistances, localBias } from './distances'
import { declareNeighbours, neighbourInputs } from './neighbours'
import type { FeedDemands } from './FeedLayout'
import type {
  AttentionLayout,
  Geometry,
  GroupLayout,
  KeptTokens,
  MakeTokenLayout,
  TokenLayout,
  TokenValues,
} from './TokenLayout'
import { readTokens, type Tokens } from './tokens'

/** How batches are packed. */
export interface Packing {
  /** Groups that attention is computed in; batches of fewer rows are one. */
  readonly groups: number
  /**
   * Rounds the number of tokens and the length of attention up to multiples of these, in one group: fewer different
   * shapes.
   */
  readonly round?: { readonly tokens: number; readonly length: number } | undefined
}

/**
 * The layout without padding. Rows are sorted by length, and their real tokens come one after the other as [tokens];
 * only attention sees a padded layout, and that in groups of rows of similar length, so that it has little padding too.
 */
export const packedLayout: MakeTokenLayout = (geometry, demands, keep) => packed(geometry, packingFor(demands), keep)

/** The layout without padding, packed as stated; a head that reads padding too keeps it. */
export function packed(geometry: Geometry, wanted: Packing, keep: KeptTokens = 'real'): TokenLayout {
  const packing = keep === 'all' ? { groups: 1 } : wanted // rows of one length, which a head takes as they are
  return {
    usualVariant: variantOf(packing.groups, undefined),
    declare(graph, variant) {
      const [groups, masked] = variant.split(' ')
      return declare(graph, geometry, Number(groups), masked as MaskedTokens)
    },
    feed(batch, rowName) {
      const tokens = readTokens(batch, geometry, keep, rowName)
      const rows = tokens.order.length
      const real = tokens.tokenIds.length
      const count = packing.round === undefined ? real : roundedUp(real, packing.round.tokens)
      const several = rows >= packing.groups && packing.round === undefined
      const groups = packGroups(tokens, several ? packing.groups : 1, geometry, rounding(tokens, packing))
      const ids = { token_ids: tokens.tokenIds, position_ids: tokens.positionIds, token_type_ids: tokens.segmentIds }
      const inputs: Record<string, Tensor> = { first_tokens: new Tensor('int32', tokens.read, [rows]) }
      for (const [name, values] of Object.entries(ids))
        if (values !== undefined) inputs[name] = new Tensor('int32', lengthened(values, count), [count])
      const masked = maskedTokens(geometry, tokens, groups)
      if (masked === 'blind') inputs.real_tokens = new Tensor('float32', realTokens(tokens, count), [count, 1])
      if (geometry.convolution !== undefined)
        Object.assign(inputs, neighbourInputs(geometry.convolution, tokens, count))
      groups.forEach((group, i) => {
        const seen =
          masked === 'hollow' ? { seen: new Tensor('float32', group.seen, [group.seen.length, 1, 1, 1]) } : {}
        for (const [name, tensor] of Object.entries({ ...group.inputs, ...seen }))
          inputs[nameOf(name, i, groups.length)] = tensor
      })
      if (groups.length > 1) {
        inputs.group_tokens = vector(groups.map(group => group.tokens))
        inputs.group_rows = vector(groups.map(group => group.lengths.length))
      }
      const lengths: Record<string, number> = { tokens: count, batch: rows }
      groups.forEach((group, i) => {
        lengths[nameOf('batch', i, groups.length)] = group.lengths.length
        lengths[nameOf('length', i, groups.length)] = group.width
      })
      return {
        variant: variantOf(groups.length, masked),
        inputs,
        places: { order: tokens.order, lengths: tokens.lengths, slots: lengthened(tokens.slots, count, -1), groups },
        lengths,
        size: { elements: batch.input_ids!.size, realTokens: tokens.real },
      }
    },
  }
}

/** Rows of a group share its longest row's length, but many small groups are many small products. */
function packingFor({ rows, fewShapes }: FeedDemands): Packing {
  if (fewShapes) return { groups: 1, round: { tokens: 64, length: 16 } }
  return { groups: rows >= 16 ? 4 : rows >= 8 ? 2 : 1 }
}

// ── the host's half ──

/** Feeds with rows that see nothing, or with blind tokens, are other variants, so that the rest do without a product. */
type MaskedTokens = 'hollow' | 'blind' | undefined

function variantOf(groups: number, masked: MaskedTokens): string {
  return masked === undefined ? String(groups) : `${groups} ${masked}`
}

function maskedTokens({ relative }: Geometry, tokens: Tokens, groups: readonly PackedGroup[]): MaskedTokens {
  if (relative?.blind !== undefined) return tokens.someBlind ? 'blind' : undefined
  return groups.some(({ seen }) => seen.includes(0)) ? 'hollow' : undefined
}

/** 0 for a masked token, else 1. */
function realTokens({ tokenIds, isMasked }: Tokens, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, token) => (token < tokenIds.length && isMasked(token) ? 0 : 1))
}

function vector(numbers: readonly number[]): Tensor {
  return Tensor.from('int64', numbers)
}

function rounding({ extents, tokenIds }: Tokens, { round }: Packing): Rounding {
  if (round === undefined) return { added: 0, multiple: 1, extra: 0 }
  const added = roundedUp(tokenIds.length, round.tokens) - tokenIds.length
  const isFull = extents.at(-1) === roundedUp(Math.max(...extents), round.length)
  return { added, multiple: round.length, extra: isFull && added > 0 ? 1 : 0 }
}

/** Ids with others behind them, zeros unless given. */
function lengthened(ids: Int32Array, length: number, filler = 0): Int32Array {
  if (ids.length === length) return ids
  const longer = new Int32Array(length).fill(filler)
  longer.set(ids)
  return longer
}

// ── the graph's half ──

function declare(graph: GraphBuilder, geometry: Geometry, groups: number, masked: MaskedTokens): TokenValues {
  const ids = (name: string): Value => graph.input(name, 'int32', ['tokens'])
  const tokenIds = ids('token_ids')
  const positionIds = ids('position_ids')
  const segmentIds = geometry.segments > 0 ? ids('token_type_ids') : undefined
  const real = masked === 'blind' ? graph.input('real_tokens', 'float32', ['tokens', 1]) : undefined
  const neighbours = geometry.convolution === undefined ? undefined : declareNeighbours(graph, geometry.convolution)
  return {
    tokenIds,
    positionIds,
    segmentIds,
    real,
    neighbours,
    attention: attentionOf(graph, geometry, groups, masked),
  }
}

/**
 * Between packed tokens and the padded layouts of attention: one Gather each way, which is transposition and padding at
 * once, and whose gradient is the other Gather.
 */
function attentionOf(graph: GraphBuilder, geometry: Geometry, groups: number, masked: MaskedTokens): AttentionLayout {
  const { heads, headSize, relative, window } = geometry
  const firstTokens = graph.input('first_tokens', 'int32', ['batch'])
  const counts = (name: string): Value | undefined => (groups === 1 ? undefined : graph.input(name, 'int64', [groups]))
  const groupTokens = counts('group_tokens')
  const groupRows = counts('group_rows')
  const parts = (x: Value, sizes: Value | undefined): readonly Value[] =>
    sizes === undefined ? [x] : graph.node('Split', [x, sizes], { axis: 0 }, groups)
  const whole = (values: readonly Value[], length: string): Value =>
    values.length === 1 ? values[0]! : graph.assume(graph.concat(values, 0), [length, heads * headSize])
  return {
    tokenGroups: x => parts(x, groupTokens),
    rowGroups: x => parts(x, groupRows),
    tokens: values => whole(values, 'tokens'),
    rows: values => whole(values, 'batch'),
    first: x => graph.gather(x, firstTokens),
    groups: Array.from({ length: groups }, (_, i) => {
      const named = (name: string): string => nameOf(name, i, groups)
      const seen = masked === 'hollow' ? graph.input(named('seen'), 'float32', [named('batch'), 1, 1, 1]) : undefined
      const group = groupOf(graph, named, geometry, masked)
      const local =
        window === undefined
          ? undefined
          : localBias(graph, graph.input(named('columns'), 'float32', [named('length')]), group.bias, window)
      return { ...group, seen, localBias: local, distances: relative && declareDistances(graph, named) }
    }),
  }
}

function groupOf(
  graph: GraphBuilder,
  named: (name: string) => string,
  { heads, headSize: size }: Geometry,
  masked: MaskedTokens,
): Omit<GroupLayout, 'seen'> {
  const queries = masked === 'blind' ? named('length') : 1
  const toHeads = graph.input(named('to_heads'), 'int32', [named('batch'), heads, named('length')])
  const fromHeads = graph.input(named('from_heads'), 'int32', [named('tokens'), heads])
  const headMask = graph.input(named('head_mask'), 'float32', [named('slots'), 1])
  const bias = graph.input(named('attention_bias'), 'float32', [named('batch'), 1, queries, named('length')])
  const intoTokens = graph.reshape(fromHeads, [-1])
  const intoSlots = graph.reshape(toHeads, [-1])
  return {
    toHeads: x => graph.gather(graph.reshape(x, [-1, size]), toHeads, 0, { inverse: { index: intoTokens } }),
    fromHeads: (x, masked) => {
      const inverse = masked ? { index: intoSlots } : { index: intoSlots, mask: headMask }
      return graph.reshape(graph.gather(graph.reshape(x, [-1, size]), fromHeads, 0, { inverse }), [-1, heads * size])
    },
    bias,
  }
}

/** The name of an input or a length of one group: its own where there are several. */
function nameOf(name: string, group: number, groups: number): string {
  return groups === 1 ? name : `${name}.${group}`
}
