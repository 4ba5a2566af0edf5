import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'

/** Columns of a batch: padded, [rows, length] each. */
export type Batch = Readonly<Record<string, Tensor>>

/** What packing has to know of a model. */
export interface PackingRules {
  readonly heads: number
  readonly vocabularySize: number
  /** How many positions the model has, and the id of the first: RoBERTa counts from after its padding id. */
  readonly positions: number
  readonly firstPosition: number
  /** RoBERTa numbers the tokens that are not this id; the others number the columns. */
  readonly positionPadding: number | undefined
  /** How many segments the model tells apart; 0 when it takes none. */
  readonly segments: number
}

/** The indices of a packed batch as inputs of a graph; see {@link packBatch} for what is in them. */
export interface PackedInputs {
  readonly tokenIds: Value
  readonly positionIds: Value
  readonly segmentIds: Value | undefined
  readonly toHeads: Value
  readonly fromHeads: Value
  readonly headMask: Value
  readonly attentionBias: Value
  readonly firstTokens: Value
}

/** The lowest float32, which a masked key's score is lowered by, as Hugging Face does. */
const lowest = -3.4028234663852886e38

/** Declares the inputs of a packed batch of `tokens` tokens, in `batch` rows of at most `length`. */
export function packedInputs(graph: GraphBuilder, rules: PackingRules): PackedInputs {
  return {
    tokenIds: graph.input('token_ids', 'int32', ['tokens']),
    positionIds: graph.input('position_ids', 'int32', ['tokens']),
    segmentIds: rules.segments > 0 ? graph.input('token_type_ids', 'int32', ['tokens']) : undefined,
    toHeads: graph.input('to_heads', 'int32', ['batch', rules.heads, 'length']),
    fromHeads: graph.input('from_heads', 'int32', ['tokens', rules.heads]),
    headMask: graph.input('head_mask', 'float32', ['slots', 1]),
    attentionBias: graph.input('attention_bias', 'float32', ['batch', 1, 1, 'length']),
    firstTokens: graph.input('first_tokens', 'int32', ['batch']),
  }
}

/** A packed batch: the feeds of the program, and what the dropout masks need to know of it. */
export interface PackedBatch {
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Columns of each row up to its last token. */
  readonly lengths: Int32Array
  /** Slots (row × width + column) before a row's last token that have none: where padding is on the left, or the mask has gaps. */
  readonly holes: readonly number[]
  /** Columns of the padded layout inside attention. */
  readonly width: number
  readonly tokens: number
}

/**
 * Takes the padding out of a batch. Real tokens come one after the other as [tokens]; only attention sees the padded layout:
 * `to_heads` [rows, heads, length] says which head of which token stands in a slot, `from_heads` [tokens, heads] in which slot a token's head stands.
 *
 * With `padded` every column counts as a token: the same program then computes what a padded model does, number for number.
 * @throws TrainerError naming the row for a token id, a segment or a position that the model does not have.
 */
export function packBatch(batch: Batch, rules: PackingRules, rowName: (row: number) => string = (row) => `row ${row} of the batch`, padded = false): PackedBatch {
  const ids = column(batch, 'input_ids')!
  const [rows, width] = [ids.dims[0]!, ids.dims[1]!]
  const mask = column(batch, 'attention_mask', ids)
  const kept = tokensKept(mask, rows, width, padded)
  const tokens = kept.slots.length
  const { heads } = rules
  const toHeads = new Int32Array(rows * heads * width)
  const fromHeads = new Int32Array(tokens * heads)
  const headMask = new Float32Array(rows * heads * width)
  for (let token = 0; token < tokens; token++) {
    const row = Math.floor(kept.slots[token]! / width)
    for (let head = 0; head < heads; head++) {
      const slot = (row * heads + head) * width + (kept.slots[token]! - row * width)
      toHeads[slot] = token * heads + head
      fromHeads[token * heads + head] = slot
      headMask[slot] = 1
    }
  }
  const bias = new Float32Array(rows * width)
  if (mask !== undefined) for (let i = 0; i < bias.length; i++) bias[i] = Number(mask.data[i]) === 0 ? lowest : 0
  const feeds: Record<string, Tensor> = {
    token_ids: gathered(ids, kept.slots, width, rules.vocabularySize, 'token id', rowName, 'The tokenizer and the model do not belong together.'),
    position_ids: positions(batch, ids, kept.slots, rules, rowName),
    to_heads: new Tensor('int32', toHeads, [rows, heads, width]),
    from_heads: new Tensor('int32', fromHeads, [tokens, heads]),
    head_mask: new Tensor('float32', headMask, [rows * heads * width, 1]),
    attention_bias: new Tensor('float32', bias, [rows, 1, 1, width]),
    first_tokens: new Tensor('int32', kept.firsts, [rows]),
  }
  if (rules.segments > 0) {
    const segments = column(batch, 'token_type_ids', ids) ?? Tensor.zeros('int32', ids.dims)
    feeds.token_type_ids = gathered(segments, kept.slots, width, rules.segments, 'segment id', rowName, 'Leave token_type_ids out, or use the tokenizer that belongs to the model.')
  }
  return { feeds, lengths: kept.lengths, holes: kept.holes, width, tokens }
}

/** The slots (row × width + column) of the tokens that are computed: the real ones, and a row's first, which the head reads. */
function tokensKept(mask: Tensor | undefined, rows: number, width: number, padded: boolean): { slots: Int32Array; firsts: Int32Array; lengths: Int32Array; holes: number[] } {
  const slots = new Int32Array(rows * width)
  const firsts = new Int32Array(rows)
  const lengths = new Int32Array(rows)
  const holes: number[] = []
  let count = 0
  for (let row = 0; row < rows; row++) {
    firsts[row] = count
    for (let at = 0; at < width; at++) {
      const slot = row * width + at
      if (!padded && at > 0 && mask !== undefined && Number(mask.data[slot]) === 0) continue
      for (let hole = row * width + lengths[row]!; hole < slot; hole++) holes.push(hole)
      slots[count++] = slot
      lengths[row] = at + 1
    }
  }
  return { slots: slots.slice(0, count), firsts, lengths, holes }
}

/** A batch's column as it is, checked against the shape of the ids; undefined when it is not there. */
function column(batch: Batch, name: string, like?: Tensor): Tensor | undefined {
  const tensor = batch[name]
  if (tensor === undefined) {
    if (like !== undefined) return undefined
    throw new TrainerError('data', `The batch has no "${name}", only ${Object.keys(batch).map((key) => `"${key}"`).join(', ') || 'nothing'}.`, { fix: 'Tokenize the dataset with map() before training.' })
  }
  if (tensor.dims.length !== 2) throw new TrainerError('data', `"${name}" has to be [rows, length], but its shape is [${tensor.dims.join(', ')}].`)
  if (like !== undefined && (tensor.dims[0] !== like.dims[0] || tensor.dims[1] !== like.dims[1])) {
    throw new TrainerError('data', `"${name}" has the shape [${tensor.dims.join(', ')}], but "input_ids" has [${like.dims.join(', ')}].`)
  }
  return tensor
}

function gathered(source: Tensor, slots: Int32Array, width: number, limit: number, what: string, rowName: (row: number) => string, fix: string): Tensor {
  const result = new Int32Array(slots.length)
  for (let i = 0; i < slots.length; i++) {
    const id = Number(source.data[slots[i]!])
    if (id < 0 || id >= limit) {
      throw new TrainerError('data', `The ${what} ${id} in ${rowName(Math.floor(slots[i]! / width))}, column ${slots[i]! % width}, is unknown: the model knows only 0 to ${limit - 1}.`, { fix })
    }
    result[i] = id
  }
  return new Tensor('int32', result, [result.length])
}

/** Given position ids; or the column (BERT); or the count of the row's tokens that are not padding, after the padding id (RoBERTa). */
function positions(batch: Batch, ids: Tensor, slots: Int32Array, rules: PackingRules, rowName: (row: number) => string): Tensor {
  const width = ids.dims[1]!
  const given = column(batch, 'position_ids', ids)
  const last = rules.firstPosition + rules.positions
  if (given !== undefined) return gathered(given, slots, width, last, 'position', rowName, 'Check position_ids.')
  const result = new Int32Array(slots.length)
  let [row, at, counted] = [-1, 0, 0]
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    if (Math.floor(slot / width) !== row) [row, at, counted] = [Math.floor(slot / width), Math.floor(slot / width) * width, 0]
    if (rules.positionPadding === undefined) {
      result[i] = slot - row * width
    } else {
      for (; at <= slot; at++) if (Number(ids.data[at]) !== rules.positionPadding) counted++
      result[i] = Number(ids.data[slot]) === rules.positionPadding ? rules.positionPadding : counted + rules.positionPadding
    }
    if (result[i]! >= last) {
      throw new TrainerError('data', `The text of ${rowName(row)} has more than ${rules.positions} tokens, which is as many positions as the model has.`, {
        fix: 'Tokenize with { truncation: true }, or a smaller maxLength.',
      })
    }
  }
  return new Tensor('int32', result, [result.length])
}
