// the rows of a packed feed → groups of similar length, which attention is computed for together
import { Tensor } from '../tensor'
import type { GroupPlaces } from './FeedLayout'
import { columnNumbers, distanceInputs } from './distances'
import { absent, type Geometry, lowest } from './TokenLayout'
import type { Tokens } from './tokens'

/** How many tokens are added behind the real ones, and how attention's length is rounded. */
export interface Rounding {
  readonly added: number
  /** What the length of attention is a multiple of. */
  readonly multiple: number
  /** Lengths beyond the longest row: an added token needs a slot without a token, which passes no gradient back. */
  readonly extra: number
}

/** A group of rows, and its inputs: see {@link groupInputs}. */
export interface PackedGroup extends GroupPlaces {
  readonly tokens: number
  readonly inputs: Readonly<Record<string, Tensor>>
  /** For each row 1, or 0 where all its tokens are masked. */
  readonly seen: Float32Array
}

/** The groups of the feed's rows, so many of them. */
export function packGroups(tokens: Tokens, count: number, geometry: Geometry, rounding: Rounding): PackedGroup[] {
  const ends = groupEnds(tokens.lengths, count)
  return ends.map((end, i) => packGroup(tokens, i === 0 ? 0 : ends[i - 1]!, end, geometry, rounding))
}

function packGroup(
  tokens: Tokens,
  firstRow: number,
  end: number,
  { heads, relative, window }: Geometry,
  { added, multiple, extra }: Rounding,
): PackedGroup {
  const counts = tokens.lengths.subarray(firstRow, end)
  const lengths = tokens.extents.subarray(firstRow, end)
  const width = roundedUp(Math.max(...lengths) + extra, multiple)
  const count = counts.reduce((sum, length) => sum + length, 0)
  const first = tokens.firsts[firstRow]!
  const inputs = groupInputs(counts, width, count + added, heads, relative?.blind === undefined ? lowest : absent, {
    isMasked: token => tokens.isMasked(first + token),
    columnOf: (token, at) => tokens.columns?.[first + token] ?? at,
  })
  const distances = {
    ...(relative && distanceInputs(relative, width)),
    ...(window !== undefined && { columns: columnNumbers(width) }),
  }
  const bias = tokens.someBlind && { attention_bias: blindBias(inputs.attention_bias!) }
  const seen = Float32Array.from(lengths, (_, row) => (tokens.isHollow(firstRow + row) ? 0 : 1))
  return { firstRow, lengths, width, tokens: count, inputs: { ...inputs, ...bias, ...distances }, seen }
}

/** What is asked of a group's tokens. */
interface TokensInGroup {
  isMasked(token: number): boolean
  /** The slot of its row that a token takes, the `at`-th of that row. */
  columnOf(token: number, at: number): number
}

/**
 * The indices between a group's tokens and its padded layout in attention: `to_heads` [rows, heads, length] says which
 * head of which token stands in a slot, `from_heads` [tokens, heads] in which slot a token's head stands, `head_mask`
 * in which slots there is a token; `attention_bias` [rows, 1, 1, length] lowers the scores of masked keys, and by `empty`
 * those of slots without a token.
 */
function groupInputs(
  lengths: Int32Array,
  width: number,
  tokens: number,
  heads: number,
  empty: number,
  { isMasked, columnOf }: TokensInGroup,
): PackedGroup['inputs'] {
  const rows = lengths.length
  const slots = rows * heads * width
  const toHeads = new Int32Array(slots)
  // an added token reads the last slot, which is empty: nothing flows back from there
  const fromHeads = new Int32Array(tokens * heads).fill(slots - 1)
  const headMask = new Float32Array(slots)
  const bias = new Float32Array(rows * width).fill(empty)
  let token = 0
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < lengths[row]!; at++, token++) {
      const column = columnOf(token, at)
      bias[row * width + column] = isMasked(token) ? lowest : 0
      for (let head = 0; head < heads; head++) {
        const slot = (row * heads + head) * width + column
        toHeads[slot] = token * heads + head
        fromHeads[token * heads + head] = slot
        headMask[slot] = 1
      }
    }
  }
  return {
    to_heads: new Tensor('int32', toHeads, [rows, heads, width]),
    from_heads: new Tensor('int32', fromHeads, [tokens, heads]),
    head_mask: new Tensor('float32', headMask, [slots, 1]),
    attention_bias: new Tensor('float32', bias, [rows, 1, 1, width]),
  }
}

/**
 * The bias [rows, 1, length, length] of rows whose masked tokens see all tokens alike, from that of the keys, [rows, 1, 1,
 * length].
 */
export function blindBias({ data, dims }: Tensor): Tensor<'float32'> {
  const [rows, , , width] = dims as [number, number, number, number]
  const bias = new Float32Array(rows * width * width)
  for (let query = 0; query < rows * width; query++) {
    const keys = (data as Float32Array).subarray(Math.floor(query / width) * width)
    const isBlind = data[query] === Math.fround(lowest)
    for (let key = 0; key < width; key++) bias[query * width + key] = isBlind && keys[key] === 0 ? lowest : keys[key]!
  }
  return new Tensor('float32', bias, [rows, 1, width, width])
}

export function roundedUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
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
    const next = new Array<number>(rows + 1).fill(Infinity)
    const from = new Int32Array(rows + 1)
    for (let end = group + 1; end <= rows; end++) {
      for (let start = group; start < end; start++) {
        const cost = costs[start]! + (end - start) * lengths[start]! ** 2
        if (cost >= next[end]!) continue
        next[end] = cost
        from[end] = start
      }
    }
    costs = next
    starts.push(from)
  }
  const ends = [rows]
  for (const from of starts.reverse()) ends.unshift(from[ends[0]!]!)
  return ends
}
