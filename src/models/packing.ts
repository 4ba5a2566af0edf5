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
  readonly firstTokens: Value
  /** How many tokens and rows each group has; undefined where there is one group. */
  readonly groupTokens: Value | undefined
  readonly groupRows: Value | undefined
  readonly groups: readonly GroupInputs[]
}

/** Rows of similar length, which attention is computed for together. */
export interface GroupInputs {
  readonly toHeads: Value
  readonly fromHeads: Value
  readonly headMask: Value
  readonly attentionBias: Value
}

/**
 * What a masked key's score is lowered by: the lowest bfloat16. The lowest float32, Hugging Face's choice, is -Infinity
 * in bfloat16, and a softmax of such NaN.
 */
export const lowest = -3.3895313892515355e38

/**
 * Declares the inputs of a packed batch of `tokens` tokens in `batch` rows, which attention sees in groups of rows of
 * similar length.
 */
export function packedInputs(graph: GraphBuilder, rules: PackingRules, groups: number): PackedInputs {
  const of = (name: string, group: number): string => (groups === 1 ? name : `${name}.${group}`)
  const counts = (name: string): Value | undefined => (groups === 1 ? undefined : graph.input(name, 'int64', [groups]))
  return {
    tokenIds: graph.input('token_ids', 'int32', ['tokens']),
    positionIds: graph.input('position_ids', 'int32', ['tokens']),
    segmentIds: rules.segments > 0 ? graph.input('token_type_ids', 'int32', ['tokens']) : undefined,
    firstTokens: graph.input('first_tokens', 'int32', ['batch']),
    groupTokens: counts('group_tokens'),
    groupRows: counts('group_rows'),
    groups: Array.from({ length: groups }, (_, i) => ({
      toHeads: graph.input(of('to_heads', i), 'int32', [of('batch', i), rules.heads, of('length', i)]),
      fromHeads: graph.input(of('from_heads', i), 'int32', [of('tokens', i), rules.heads]),
      headMask: graph.input(of('head_mask', i), 'float32', [of('slots', i), 1]),
      attentionBias: graph.input(of('attention_bias', i), 'float32', [of('batch', i), 1, 1, of('length', i)]),
    })),
  }
}

/** A packed batch: the feeds of the program, and what the dropout masks need to know of it. */
export interface PackedBatch {
  readonly feeds: Readonly<Record<string, Tensor>>
  /** The batch's row that each packed row is: the longest come first. */
  readonly order: Int32Array
  /** Tokens that are computed: the real ones, and after them those that were added to round their number. */
  readonly tokens: number
  readonly realTokens: number
  readonly groups: readonly PackedGroup[]
}

/** Rows of similar length in a packed batch. */
export interface PackedGroup {
  /** Tokens of each of its rows. */
  readonly lengths: Int32Array
  /** How many rows of the packed batch come before it. */
  readonly firstRow: number
  /** Lengths of attention: the most of the rows' tokens, or more where they are rounded. */
  readonly width: number
  readonly tokens: number
}

/** How a batch is packed. */
export interface PackingOptions {
  /** Groups that attention is computed in; 1 unless given, and at most one per row. */
  readonly groups?: number
  /** Every column counts as a token: the same program then computes what a padded model does, number for number. */
  readonly padded?: boolean
  /**
   * Round the number of tokens and the length of attention up to multiples of these, in one group: the same numbers, by
   * fewer different shapes.
   */
  readonly round?: { readonly tokens: number; readonly length: number } | undefined
  /** What errors call a row of the batch. */
  readonly rowName?: (row: number) => string
}

/**
 * Takes the padding out of a batch. Rows are sorted by length, and their real tokens come one after the other as
 * [tokens]; only attention sees a padded layout, and that in groups of rows of similar length, so that it has little
 * padding too. In a group, `to_heads` [rows, heads, length] says which head of which of the group's tokens stands in a
 * slot, `from_heads` [tokens, heads] in which slot a token's head stands.
 * @throws TrainerError naming the row for a token id, a segment or a position that the model does not have.
 */
export function packBatch(batch: Batch, rules: PackingRules, options: PackingOptions = {}): PackedBatch {
  const { padded = false, rowName = row => `row ${row} of the batch` } = options
  const ids = column(batch, 'input_ids')!
  const [rows, width] = [ids.dims[0]!, ids.dims[1]!]
  if (ids.size === 0) {
    throw new TrainerError('data', rows === 0 ? 'The batch has no rows.' : `The text of ${rowName(0)} has no tokens.`, {
      fix: 'Leave empty rows out, or tokenize with special tokens.',
    })
  }
  const mask = column(batch, 'attention_mask', ids)
  const kept = tokensKept(mask, rows, width, padded)
  const count = options.round === undefined ? Math.min(options.groups ?? 1, rows) : 1
  const ends = groupEnds(kept.lengths, count)
  const feeds: Record<string, Tensor> = {
    token_ids: gathered(
      ids,
      kept.slots,
      width,
      rules.vocabularySize,
      'token id',
      rowName,
      'The tokenizer and the model do not belong together.',
    ),
    position_ids: positions(batch, ids, kept.slots, rules, rowName),
    first_tokens: new Tensor('int32', kept.firsts, [rows]),
  }
  if (rules.segments > 0) {
    const segments = column(batch, 'token_type_ids', ids) ?? Tensor.zeros('int32', ids.dims)
    const fix = 'Leave token_type_ids out, or use the tokenizer that belongs to the model.'
    feeds.token_type_ids = gathered(segments, kept.slots, width, rules.segments, 'segment id', rowName, fix)
  }
  const masked = (token: number): boolean => mask !== undefined && Number(mask.data[kept.slots[token]!]) === 0
  const room = roomFor(kept, options.round)
  for (const name of ['token_ids', 'position_ids', 'token_type_ids'])
    if (feeds[name] !== undefined) feeds[name] = lengthened(feeds[name], room.tokens)
  const groups = ends.map((end, i) =>
    packGroup(feeds, count === 1 ? '' : `.${i}`, kept, i === 0 ? 0 : ends[i - 1]!, end, rules.heads, masked, room),
  )
  if (count > 1) {
    feeds.group_tokens = Tensor.from(
      'int64',
      groups.map(group => group.tokens),
    )
    feeds.group_rows = Tensor.from(
      'int64',
      groups.map(group => group.lengths.length),
    )
  }
  return { feeds, order: kept.order, tokens: room.tokens, realTokens: kept.slots.length, groups }
}

/** How many tokens are added, and what the length of attention is to be a multiple of. */
interface Room {
  readonly tokens: number
  readonly added: number
  readonly multiple: number
  /** Lengths beyond the longest row: an added token needs a slot without a token, which passes no gradient back. */
  readonly extra: number
}

function roomFor({ slots, lengths }: KeptTokens, round: PackingOptions['round']): Room {
  if (round === undefined) return { tokens: slots.length, added: 0, multiple: 1, extra: 0 }
  const tokens = roundedUp(slots.length, round.tokens)
  const full = lengths.at(-1) === roundedUp(lengths[0]!, round.length)
  return { tokens, added: tokens - slots.length, multiple: round.length, extra: full && tokens > slots.length ? 1 : 0 }
}

function roundedUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}

/** Ids with zeros behind them. */
function lengthened(ids: Tensor, length: number): Tensor {
  if (ids.size === length) return ids
  const data = new Int32Array(length)
  data.set(ids.data as Int32Array)
  return new Tensor('int32', data, [length])
}

/** Adds the indices of a group of packed rows to the feeds. */
function packGroup(
  feeds: Record<string, Tensor>,
  suffix: string,
  kept: KeptTokens,
  begin: number,
  end: number,
  heads: number,
  masked: (token: number) => boolean,
  { added, multiple, extra }: Room,
): PackedGroup {
  const lengths = kept.lengths.subarray(begin, end)
  const [rows, width, tokens] = [
    lengths.length,
    roundedUp(Math.max(...lengths) + extra, multiple),
    lengths.reduce((sum, length) => sum + length, 0),
  ]
  const toHeads = new Int32Array(rows * heads * width)
  // an added token reads the last slot, which is empty: nothing flows back from there
  const fromHeads = new Int32Array((tokens + added) * heads).fill(rows * heads * width - 1)
  const headMask = new Float32Array(rows * heads * width)
  const bias = new Float32Array(rows * width).fill(lowest)
  let token = 0
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < lengths[row]!; at++, token++) {
      // a row without real tokens has its first one alone, which sees itself: else it would see slots that belong to no
      // row
      if (lengths[row] === 1 || !masked(kept.firsts[begin]! + token)) bias[row * width + at] = 0
      for (let head = 0; head < heads; head++) {
        const slot = (row * heads + head) * width + at
        toHeads[slot] = token * heads + head
        fromHeads[token * heads + head] = slot
        headMask[slot] = 1
      }
    }
  }
  feeds[`to_heads${suffix}`] = new Tensor('int32', toHeads, [rows, heads, width])
  feeds[`from_heads${suffix}`] = new Tensor('int32', fromHeads, [tokens + added, heads])
  feeds[`head_mask${suffix}`] = new Tensor('float32', headMask, [rows * heads * width, 1])
  feeds[`attention_bias${suffix}`] = new Tensor('float32', bias, [rows, 1, 1, width])
  return { lengths, firstRow: begin, width, tokens }
}

/**
 * Where the groups of rows, sorted by length, end: so that Σ rows × width², which attention costs, is least. By dynamic
 * programming over the rows.
 */
export function groupEnds(lengths: ArrayLike<number>, groups: number): number[] {
  const rows = lengths.length
  let costs = Array.from({ length: rows + 1 }, (_, end) => (end === 0 ? 0 : end * lengths[0]! ** 2))
  const starts: Int32Array[] = []
  for (let group = 1; group < groups; group++) {
    const [next, from] = [new Array<number>(rows + 1).fill(Infinity), new Int32Array(rows + 1)]
    for (let end = group + 1; end <= rows; end++) {
      for (let start = group; start < end; start++) {
        const cost = costs[start]! + (end - start) * lengths[start]! ** 2
        if (cost < next[end]!) [next[end], from[end]] = [cost, start]
      }
    }
    costs = next
    starts.push(from)
  }
  const ends = [rows]
  for (const from of starts.reverse()) ends.unshift(from[ends[0]!]!)
  return ends
}

/** The tokens that are computed, row after row, the longest row first. */
interface KeptTokens {
  /** Where each stands in the batch: row × width + column. */
  readonly slots: Int32Array
  /** Each packed row's first token. */
  readonly firsts: Int32Array
  readonly lengths: Int32Array
  readonly order: Int32Array
}

/** The real tokens, and every row's first, which the head reads. */
function tokensKept(mask: Tensor | undefined, rows: number, width: number, padded: boolean): KeptTokens {
  const keeps = (slot: number): boolean =>
    padded || mask === undefined || slot % width === 0 || Number(mask.data[slot]) !== 0
  const counts = new Int32Array(rows)
  for (let slot = 0; slot < rows * width; slot++) if (keeps(slot)) counts[Math.floor(slot / width)]!++
  const order = Int32Array.from({ length: rows }, (_, row) => row).sort((a, b) => counts[b]! - counts[a]! || a - b)
  const slots = new Int32Array(counts.reduce((sum, count) => sum + count, 0))
  const firsts = new Int32Array(rows)
  let count = 0
  order.forEach((row, i) => {
    firsts[i] = count
    for (let slot = row * width; slot < (row + 1) * width; slot++) if (keeps(slot)) slots[count++] = slot
  })
  return { slots, firsts, lengths: Int32Array.from(order, row => counts[row]!), order }
}

/** A batch's column as it is, checked against the shape of the ids; undefined when it is not there. */
function column(batch: Batch, name: string, like?: Tensor): Tensor | undefined {
  const tensor = batch[name]
  if (tensor === undefined) {
    if (like !== undefined) return undefined
    const there =
      Object.keys(batch)
        .map(key => `"${key}"`)
        .join(', ') || 'nothing'
    throw new TrainerError('data', `The batch has no "${name}", only ${there}.`, {
      fix: 'Tokenize the dataset with map() before training.',
    })
  }
  if (tensor.dims.length !== 2)
    throw new TrainerError('data', `"${name}" has to be [rows, length], but its shape is [${tensor.dims.join(', ')}].`)
  if (like !== undefined && (tensor.dims[0] !== like.dims[0] || tensor.dims[1] !== like.dims[1])) {
    throw new TrainerError(
      'data',
      `"${name}" has the shape [${tensor.dims.join(', ')}], but "input_ids" has [${like.dims.join(', ')}].`,
    )
  }
  return tensor
}

function gathered(
  source: Tensor,
  slots: Int32Array,
  width: number,
  limit: number,
  what: string,
  rowName: (row: number) => string,
  fix: string,
): Tensor {
  const result = new Int32Array(slots.length)
  for (let i = 0; i < slots.length; i++) {
    const id = Number(source.data[slots[i]!])
    if (!(Number.isInteger(id) && id >= 0 && id < limit)) {
      const place = `${rowName(Math.floor(slots[i]! / width))}, column ${slots[i]! % width}`
      throw new TrainerError(
        'data',
        `The ${what} ${id} in ${place}, is unknown: the model knows only 0 to ${limit - 1}.`,
        { fix },
      )
    }
    result[i] = id
  }
  return new Tensor('int32', result, [result.length])
}

/**
 * Given position ids; or the column (BERT); or the count of the row's tokens that are not padding, after the padding id
 * (RoBERTa).
 */
function positions(
  batch: Batch,
  ids: Tensor,
  slots: Int32Array,
  rules: PackingRules,
  rowName: (row: number) => string,
): Tensor {
  const width = ids.dims[1]!
  const given = column(batch, 'position_ids', ids)
  const last = rules.firstPosition + rules.positions
  if (given !== undefined) return gathered(given, slots, width, last, 'position', rowName, 'Check position_ids.')
  const result = new Int32Array(slots.length)
  let [row, at, counted] = [-1, 0, 0]
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    if (Math.floor(slot / width) !== row)
      [row, at, counted] = [Math.floor(slot / width), Math.floor(slot / width) * width, 0]
    if (rules.positionPadding === undefined) {
      result[i] = slot - row * width
    } else {
      for (; at <= slot; at++) if (Number(ids.data[at]) !== rules.positionPadding) counted++
      result[i] =
        Number(ids.data[slot]) === rules.positionPadding ? rules.positionPadding : counted + rules.positionPadding
    }
    if (result[i]! >= last) {
      throw new TrainerError(
        'data',
        `The text of ${rowName(row)} has more than ${rules.positions} tokens, which is as many positions as the model has.`,
        {
          fix: 'Tokenize with { truncation: true }, or a smaller maxLength.',
        },
      )
    }
  }
  return new Tensor('int32', result, [result.length])
}
