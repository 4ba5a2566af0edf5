// the token columns of a batch, checked → the tokens that are computed
import { quoted, TrainerError } from '../errors'
import { type Batch, Tensor } from '../tensor'
import type { RowName } from './FeedLayout'
import type { Geometry, KeptTokens, RelativeGeometry } from './TokenLayout'

/** The tokens of a batch that are computed, row after row, the longest row first. */
export interface Tokens {
  /** The batch's row that each row is. */
  readonly order: Int32Array
  /** How many tokens each row has, and which of all tokens is its first. */
  readonly lengths: Int32Array
  readonly firsts: Int32Array
  /** Which of all tokens a head reads that reads one of each row. */
  readonly read: Int32Array
  /**
   * The column of each token, where tokens stand in their columns in attention, with gaps where there is none; undefined
   * where they stand one after the other.
   */
  readonly columns: Int32Array | undefined
  /** How many slots each row takes in attention: its tokens, or its columns up to the last token. */
  readonly extents: Int32Array
  /** Where each token stands in the batch: row × width + column. */
  readonly slots: Int32Array
  /** The ids of each token; undefined where the model has no segments. */
  readonly tokenIds: Int32Array
  readonly positionIds: Int32Array
  readonly segmentIds: Int32Array | undefined
  /** How many of the batch's tokens are no padding; a row's first token counts as real. */
  readonly real: number
  /** Whether there are tokens that are masked, and yet computed, and see other keys than the rest. */
  readonly someBlind: boolean
  /** Whether attention is to look past a token. */
  isMasked(token: number): boolean
  /** Whether all tokens of a row are masked. */
  isHollow(row: number): boolean
}

/**
 * The tokens of a batch, of its columns `input_ids`, `attention_mask`, `token_type_ids` and `position_ids`.
 * @throws TrainerError ('data') naming the row for a token id, a segment or a position that the model does not have.
 */
export function readTokens(batch: Batch, geometry: Geometry, keep: KeptTokens, rowName: RowName): Tokens {
  const ids = mainColumn(batch, rowName)
  const mask = column(batch, 'attention_mask', ids)
  const places = placesOf(mask, ids, keep, geometry)
  const { slots, firsts, lengths } = places
  const isSpaced = geometry.relative !== undefined || geometry.window !== undefined
  const columns = isSpaced ? slots.map(slot => slot % ids.dims[1]!) : undefined
  const gather = (source: Tensor, limit: number, what: string, fix: Advice): Int32Array =>
    gathered(source, slots, limit, what, rowName, fix)
  const segments = column(batch, 'token_type_ids', ids)
  const positions = column(batch, 'position_ids', ids)
  const end = geometry.firstPosition + geometry.positions
  const isMasked = (token: number): boolean => mask !== undefined && Number(mask.data[slots[token]!]) === 0
  return {
    ...places,
    columns,
    extents: columns ? lengths.map((count, row) => columns[firsts[row]! + count - 1]! + 1) : lengths,
    tokenIds: gather(ids, geometry.vocabularySize, 'token id', id => foreignToken(id, geometry.vocabularySize)),
    positionIds:
      positions === undefined
        ? countedPositions(ids, slots, geometry, rowName)
        : gather(positions, end, 'position', () => 'Check position_ids.'),
    segmentIds:
      geometry.segments === 0
        ? undefined
        : gather(
            segments ?? Tensor.zeros('int32', ids.dims),
            geometry.segments,
            'segment id',
            () => 'Leave token_type_ids out, or use the tokenizer that belongs to the model.',
          ),
    someBlind: geometry.relative?.blind === 'tokens' && slots.some((_, token) => isMasked(token)),
    isMasked,
    isHollow(row) {
      for (let i = 0; i < lengths[row]!; i++) if (!isMasked(firsts[row]! + i)) return false
      return true
    },
  }
}

/** What to do about a number that the model does not have. */
type Advice = (id: number) => string

/** As many tokens as people add to a tokenizer; ids far behind the table are those of another one. */
const mostAdded = 1000

function foreignToken(id: number, size: number): string {
  const advice = 'The tokenizer and the model do not belong together.'
  const isJustBehind = id >= size && id < size + mostAdded
  const resize = ' If tokens were added to it, call model.resizeTokenEmbeddings(tokenizer.length).'
  return isJustBehind ? advice + resize : advice
}

function mainColumn(batch: Batch, rowName: RowName): Tensor {
  const ids = column(batch, 'input_ids')
  if (ids === undefined) {
    throw new TrainerError('data', `The batch has no "input_ids", only ${quoted(Object.keys(batch)) || 'nothing'}.`, {
      fix: 'Tokenize the dataset with map() before training.',
    })
  }
  if (ids.size > 0) return ids
  const problem = ids.dims[0] === 0 ? 'The batch has no rows.' : `The text of ${rowName(0)} has no tokens.`
  throw new TrainerError('data', problem, { fix: 'Leave empty rows out, or tokenize with special tokens.' })
}

/** A batch's column as it is, checked against the shape of the ids; undefined when it is not there. */
function column(batch: Batch, name: string, ids?: Tensor): Tensor | undefined {
  const tensor = batch[name]
  if (tensor === undefined) return undefined
  const shape = tensor.dims.join(', ')
  if (tensor.dims.length !== 2)
    throw new TrainerError('data', `"${name}" has to be [rows, length], but its shape is [${shape}].`)
  if (ids !== undefined && (tensor.dims[0] !== ids.dims[0] || tensor.dims[1] !== ids.dims[1])) {
    const expected = ids.dims.join(', ')
    throw new TrainerError('data', `"${name}" has the shape [${shape}], but "input_ids" has [${expected}].`)
  }
  return tensor
}

/** Which tokens are computed, in their order; `slots` says where each stands in the batch: row × width + column. */
function placesOf(
  mask: Tensor | undefined,
  { dims }: Tensor,
  keep: KeptTokens,
  { firstReal = false, relative }: Geometry,
): Pick<Tokens, 'order' | 'lengths' | 'firsts' | 'read' | 'slots' | 'real'> {
  const rows = dims[0]!
  const width = dims[1]!
  const isSeen = (slot: number): boolean => mask === undefined || Number(mask.data[slot]) !== 0
  const readAt = firstReal ? firstSeen(rows, width, isSeen) : undefined
  const isReal = (slot: number): boolean =>
    isSeen(slot) || slot % width === (readAt === undefined ? 0 : readAt[Math.floor(slot / width)])
  const whole = keep === 'all' ? undefined : wholeRows(rows, width, isSeen, relative?.blind)
  const keeps = (slot: number): boolean => keep === 'all' || isReal(slot) || whole?.[Math.floor(slot / width)] === true
  const counts = new Int32Array(rows)
  let real = 0
  for (let slot = 0; slot < rows * width; slot++) {
    if (isReal(slot)) real++
    if (keeps(slot)) counts[Math.floor(slot / width)]!++
  }
  const order = Int32Array.from({ length: rows }, (_, row) => row).sort((a, b) => counts[b]! - counts[a]! || a - b)
  const slots = new Int32Array(counts.reduce((sum, count) => sum + count, 0))
  const firsts = new Int32Array(rows)
  const read = new Int32Array(rows)
  let count = 0
  order.forEach((row, i) => {
    firsts[i] = count
    read[i] = count + (keep === 'all' ? (readAt?.[row] ?? 0) : 0)
    for (let slot = row * width; slot < (row + 1) * width; slot++) if (keeps(slot)) slots[count++] = slot
  })
  return { slots, firsts, read, lengths: Int32Array.from(order, row => counts[row]!), order, real }
}

/** The column of each row's first token that is not masked; 0 where all are. */
function firstSeen(rows: number, width: number, isSeen: (slot: number) => boolean): Int32Array {
  const columns = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    let column = 0
    while (column < width && !isSeen(row * width + column)) column++
    columns[row] = column % width
  }
  return columns
}

/** Rows that keep their padding, because a token that is computed sees it: see `RelativeGeometry.blind`. */
function wholeRows(
  rows: number,
  width: number,
  isSeen: (slot: number) => boolean,
  blind: RelativeGeometry['blind'],
): readonly boolean[] | undefined {
  if (blind === undefined) return undefined
  return Array.from({ length: rows }, (_, row) => {
    const first = row * width
    for (let slot = first; slot < first + (blind === 'tokens' ? 1 : width); slot++) if (isSeen(slot)) return false
    return true
  })
}

/** What a column has in the given slots. @throws TrainerError for what is not a whole number below the limit. */
function gathered(
  { data, dims }: Tensor,
  slots: Int32Array,
  limit: number,
  what: string,
  rowName: RowName,
  fix: Advice,
): Int32Array {
  const width = dims[1]!
  return slots.map(slot => {
    const id = Number(data[slot])
    if (Number.isInteger(id) && id >= 0 && id < limit) return id
    const place = `${rowName(Math.floor(slot / width))}, column ${slot % width}`
    throw new TrainerError(
      'data',
      `The ${what} ${id} in ${place}, is unknown: the model knows only 0 to ${limit - 1}.`,
      { fix: fix(id) },
    )
  })
}

/** The column of each token (BERT), or the count of its row's tokens that are not padding, after the padding id (RoBERTa). */
function countedPositions(
  { data, dims }: Tensor,
  slots: Int32Array,
  { firstPosition, positions, positionPadding: padding }: Geometry,
  rowName: RowName,
): Int32Array {
  const width = dims[1]!
  let row = -1
  let next = 0 // the first slot that has not been counted
  let counted = 0
  const position = (slot: number): number => {
    if (padding === undefined) return slot - row * width
    for (; next <= slot; next++) if (Number(data[next]) !== padding) counted++
    return Number(data[slot]) === padding ? padding : counted + padding
  }
  return slots.map(slot => {
    if (Math.floor(slot / width) !== row) {
      row = Math.floor(slot / width)
      next = row * width
      counted = 0
    }
    const found = position(slot)
    if (found < firstPosition + positions) return found
    const given = `The text of ${rowName(row)} has more than ${positions} tokens`
    throw new TrainerError('data', `${given}, which is as many positions as the model has.`, {
      fix: `Tokenize with { truncation: true, maxLength: ${positions} }, or less.`,
    })
  })
}
