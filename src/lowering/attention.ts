import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { merged, placesAlong } from './axes'
import type { LoweringTable, Site } from './Lowering'
import { refusals, unfused } from './refused'
import { rotary } from './rotary'

/** Attention as graph optimizers leave it. What is masked is added to the scores, as a large negative number. */
export const attention: LoweringTable = {
  'com.microsoft.Attention': { how: 'softmax(q kᵀ / √d + mask) v', lower: selfAttention },
  'com.microsoft.MultiHeadAttention': { how: 'softmax(q kᵀ / √d + mask) v', lower: multiHeadAttention },
  'com.microsoft.RotaryEmbedding': { how: 'pairs of elements turned by cos and sin', carries: [0], lower: rotary },
  ...refusals(
    [
      'GroupQueryAttention',
      'DecoderMaskedMultiHeadAttention',
      'DecoderMaskedSelfAttention',
      'SparseAttention',
      'DecoderAttention',
      'PagedAttention',
    ],
    'it keeps the keys and values of earlier tokens, as only text generation does',
    unfused,
  ),
  ...refusals(
    [
      'PackedAttention',
      'PackedMultiHeadAttention',
      'LongformerAttention',
      'GatedRelativePositionBias',
      'RelativePositionBias',
      'RemovePadding',
      'RestorePadding',
      'QAttention',
      'QOrderedAttention',
    ],
    'only some inference builds have it',
    unfused,
  ),
}

/** Queries, keys and values, each [batch, heads, tokens, size]. */
interface Projected {
  readonly query: Value
  readonly key: Value
  readonly value: Value
}

/** What is added to the scores: [batch or 1, heads or 1, queries or 1, keys]; nothing if it is empty. */
type Biases = readonly Value[]

function selfAttention(site: Site): readonly (Value | undefined)[] {
  const { graph: g, input, inputs, attributes } = site
  refusePast(site, [4, 6])
  if (attributes.int('do_rotary', 0) !== 0)
    throw new TrainerError('graph', 'do_rotary is not written.', { fix: unfused })
  attributes.ignore('rotary_embedding_dim', 'past_present_share_buffer')
  const [x, weight, bias] = [input(0), input(1), inputs[2]]
  const heads = headsOf(site)
  const whole = weight.shape[1]
  if (typeof whole !== 'number') throw new TrainerError('graph', 'the width of its weight is not known.')
  const sizes = attributes.numbers('qkv_hidden_sizes') ?? [whole / 3, whole / 3, whole / 3]
  const product = g.matMul(x, weight)
  const parts = g.split(bias === undefined ? product : g.add(product, bias), 2, sizes)
  const [query, key, value] = parts.map((part, i) => apart(g, part, heads, sizes[i]! / heads))
  const projected = { query: query!, key: key!, value: value! }
  return attended(site, projected, maskBiases(site, projected, inputs[3], inputs[5]))
}

function multiHeadAttention(site: Site): readonly (Value | undefined)[] {
  const { inputs } = site
  refusePast(site, [6, 7, 8, 9])
  const projected = projections(site, headsOf(site))
  const [result] = attended(site, projected, maskBiases(site, projected, inputs[4], inputs[5]))
  return [result, ...(site.isRead(1) || site.isRead(2) ? [projected.key, projected.value] : [])]
}

/** The three, each from an input of its own, or two or all three packed in one. */
function projections({ graph: g, input, inputs }: Site, heads: number): Projected {
  const [query, key, value, bias] = [input(0), inputs[1], inputs[2], inputs[3]]
  const packed = query.shape.length === 5 ? unpacked(g, query, 3) : undefined
  const pair = key?.shape.length === 5 ? unpacked(g, key, 2) : undefined
  const flat = packed ?? [query, ...(pair ?? [key ?? query, value ?? key ?? query])]
  const isPacked = packed !== undefined || pair !== undefined
  // the heads of a part that was packed stand side by side again, for the bias
  const rows = flat.map(part => (isPacked && part.shape.length === 4 ? merged(g, part, 2) : part))
  const widths = rows.map(part => (part.shape.length === 3 ? Number(part.shape[2]) : 0))
  const whole = bias === undefined ? undefined : Number(bias.shape[0])
  const shares = whole === undefined ? undefined : widthsOfBias(widths, whole)
  const biases = bias === undefined ? [] : g.split(bias, 0, shares!)
  const [q, k, v] = rows.map((part, i) => {
    if (part.shape.length === 4) return part
    const shifted = biases[i] === undefined ? part : g.add(part, biases[i])
    return apart(g, shifted, heads, widths[i]! / heads)
  })
  return { query: q!, key: k!, value: v! }
}

/** How a bias of a width is shared; keys and values that come transposed take what is left, and are not shifted. */
function widthsOfBias(widths: readonly number[], whole: number): readonly number[] {
  const [q, k, v] = widths as [number, number, number]
  return k > 0 && v > 0 ? [q, k, v] : [q, q, whole - 2 * q]
}

/** [batch, tokens, heads, n, size] → n of [batch, tokens, heads, size]. */
function unpacked(g: GraphBuilder, x: Value, n: number): readonly Value[] {
  return g
    .split(
      x,
      3,
      Array.from({ length: n }, () => 1),
    )
    .map(part => g.squeeze(part, [3]))
}

/** [batch, tokens, heads × size] → [batch, heads, tokens, size] */
function apart(g: GraphBuilder, x: Value, heads: number, size: number): Value {
  if (!Number.isInteger(size)) throw new TrainerError('file', `its width is not a multiple of its ${heads} heads.`)
  return g.transpose(g.reshape(x, [0, 0, heads, size]), [0, 2, 1, 3])
}

function headsOf({ attributes }: Site): number {
  const heads = attributes.int('num_heads')
  if (heads === undefined || heads < 1) throw new TrainerError('file', 'it does not say how many heads it has.')
  return heads
}

/** softmax(q kᵀ · scale + biases) v, with the heads side by side again: [batch, tokens, heads × size]. */
function attended(
  { graph: g, attributes, isRead, node }: Site,
  { query, key, value }: Projected,
  biases: Biases,
): Value[] {
  const size = Number(query.shape[3])
  const scale = attributes.float('scale', 0) || 1 / Math.sqrt(size)
  if (node.op === 'Attention' && isRead(1))
    throw new TrainerError('graph', 'its second output, the keys and values for later tokens, is read.', {
      fix: unfused,
    })
  const scores = g.matMul(g.mul(query, scale), g.transpose(key, [0, 1, 3, 2]))
  const weights = g.softmax(biases.reduce((sum, bias) => g.add(sum, bias), scores))
  return [merged(g, g.transpose(g.matMul(weights, value), [0, 2, 1, 3]), 2)]
}

/** The lowest float32. */
const lowest = -3.4028234663852886e38

/**
 * What is added to the scores.
 * @param mask [batch, keys] or [batch, queries, keys], 0 where a key is not seen; or how many keys of each row are seen,
 * [batch], with the first ones behind, [2 × batch]
 * @param bias added as it is
 */
function maskBiases(site: Site, { query, key }: Projected, mask: Value | undefined, bias: Value | undefined): Biases {
  const { graph: g, attributes } = site
  const filter = attributes.float('mask_filter_value', -10_000)
  const found: Value[] = bias === undefined ? [] : [bias]
  const zero = g.constant(0, query.dtype)
  if (mask !== undefined) found.push(g.where(seen(g, mask, key), zero, filter))
  if (attributes.int('unidirectional', 0) !== 0) {
    const [queries, keys] = [query, key].map(x => placesAlong(g, x, 2, 0, 'int32')) as [Value, Value]
    found.push(g.where(g.less(g.unsqueeze(queries, [1]), keys), lowest, zero))
  }
  return found
}

/** Which keys are seen: [batch, 1, queries or 1, keys]. */
function seen(g: GraphBuilder, mask: Value, key: Value): Value {
  if (mask.shape.length === 2) return g.greater(g.unsqueeze(mask, [1, 2]), 0)
  if (mask.shape.length === 3) return g.greater(g.unsqueeze(mask, [1]), 0)
  if (mask.shape.length !== 1)
    throw new TrainerError('graph', `a mask of ${mask.shape.length} axes, as Megatron has it, is not written.`, {
      fix: unfused,
    })
  const [rows, listed] = [key.shape[0]!, mask.shape[0]!]
  const places = placesAlong(g, key, 2, 0, 'int32')
  const before = (ends: Value): Value => g.less(places, g.unsqueeze(ends, [1, 2, 3]))
  if (listed === rows || typeof rows !== 'number' || typeof listed !== 'number') return before(g.cast(mask, 'int32'))
  if (listed !== 2 * rows)
    throw new TrainerError('graph', `a mask of ${listed} numbers for ${rows} rows, of packed tokens, is not written.`, {
      fix: unfused,
    })
  const [ends, starts] = g.split(g.cast(mask, 'int32'), 0, [rows, rows])
  return g.and(before(ends!), g.not(before(starts!)))
}

function refusePast({ inputs, node }: Site, at: readonly number[]): void {
  const given = at.find(i => inputs[i] !== undefined)
  if (given === undefined) return
  throw new TrainerError(
    'graph',
    `its input ${given} ("${node.inputs[given]}") is of the keys and values of earlier tokens.`,
    {
      fix: 'Export the model without them (use_cache false).',
    },
  )
}
