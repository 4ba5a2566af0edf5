import { TrainerError } from '../../errors'
import { hash32 } from '../../random'
import { sizeOf } from '../../tensor'
import type { Place } from './arena'

/** What a mask is a function of, all whole numbers of 32 bits. */
export interface MaskKey {
  readonly seed: number
  /** The update step. */
  readonly step: number
  /** The place in the model: every dropout has its own number. */
  readonly site: number
}

/**
 * A mask over packed values: the element at flat index i is draw `first` + i. So a mask can be drawn in parts, and one
 * of fewer elements is the beginning of a longer one.
 */
export interface DenseMask {
  /** Numbers, 0 or 1 / (1 - p); or bytes, 0 or 1. */
  readonly into: Float32Array | Uint8Array
  /** 0 unless given. */
  readonly first?: number
  /** The share to drop, between 0 and 1, both excluded. */
  readonly p: number
  readonly key: MaskKey
}

/**
 * A mask over attention weights [B, A, L, L], or [B, A, Q, L] where only the first Q queries are computed: the entry
 * (b, a, q, k) is draw 65536 q + k under a key of its plane rows[b] A + a, so that it depends neither on the padded
 * length L nor on Q. Where q or k is not below `lengths[b]` the mask is 0.
 */
export interface AttentionMask extends DenseMask {
  /** A */
  readonly heads: number
  /** L, at most 65536 */
  readonly width: number
  /** Q, at most L; L unless given */
  readonly queries?: number
  /** One per row, each at most L. */
  readonly lengths: ArrayLike<number>
  /** The number of each row; 0, 1, … unless given. */
  readonly rows?: ArrayLike<number>
}

const chunkElements = 65536
const mostWidth = 65536

/** The arguments of `maskRow`, chunk by chunk. */
export function* denseChunks({ into, first = 0, p, key }: DenseMask, place: Place): Iterable<number[]> {
  const [key1, key2] = keysOf(key)
  const { threshold, scale } = decision(p)
  for (let from = 0; from < into.length; from += chunkElements) {
    const count = Math.min(chunkElements, into.length - from)
    const header = [place.memory, 0, 0, 0] // no row set
    yield [...header, place.at + into.BYTES_PER_ELEMENT * from, count, first + from, key1, key2, threshold, scale]
  }
}

/** The arguments of `maskPlane`, plane by plane. */
export function* attentionChunks(mask: AttentionMask, place: Place): Iterable<number[]> {
  const { width, heads, lengths, queries = width, rows, into } = mask
  const [key1, key2] = keysOf(mask.key)
  const { threshold, scale } = decision(mask.p)
  for (let plane = 0; plane < lengths.length * heads; plane++) {
    const row = Math.floor(plane / heads)
    const length = lengths[row]!
    const at = place.at + into.BYTES_PER_ELEMENT * plane * queries * width
    const number = (rows?.[row] ?? row) * heads + (plane % heads)
    const keys = [hash32(key1, number), hash32(key2, number)]
    const header = [place.memory, 0, 0, 0] // no row set
    yield [...header, at, queries, width, Math.min(queries, length), length, ...keys, threshold, scale]
  }
}

export function isAttention(mask: DenseMask | AttentionMask): mask is AttentionMask {
  return 'lengths' in mask
}

/** @throws TrainerError ('engine') for a mask that cannot be drawn. */
export function checkMask(mask: DenseMask | AttentionMask): void {
  decision(mask.p)
  if (isAttention(mask)) checkAttention(mask)
}

function checkAttention({ into, heads, width, lengths, queries = width }: AttentionMask): void {
  const dims = [lengths.length, heads, queries, width]
  const size = sizeOf(dims)
  if (into.length !== size)
    throw refusal(
      `An attention mask of shape [${dims.join(', ')}] has ${size} elements, but its array has ${into.length}.`,
    )
  if (width > mostWidth || queries > width)
    throw refusal(
      `An attention mask has ${queries} queries and ${width} keys, more than ${mostWidth} or more queries than keys.`,
    )
  const wrong = Array.from(lengths).findIndex(length => !(Number.isInteger(length) && length >= 0 && length <= width))
  if (wrong >= 0)
    throw refusal(
      `Row ${wrong} of an attention mask has the length ${lengths[wrong]}, which is not between 0 and the padded length ${width}.`,
    )
}

/** Two keys of 32 bits. The 0 was a micro-batch's number in version 0.1: without it, runs of then could not be resumed. */
function keysOf({ seed, step, site }: MaskKey): readonly [number, number] {
  return [hash32(seed, step, 0, site, 1), hash32(seed, step, 0, site, 2)]
}

/**
 * Kept are the draws above the threshold, as signed numbers of 32 bits: all but round(2³² p) of them; they become 1 /
 * (1 - p).
 */
function decision(p: number): { threshold: number; scale: number } {
  if (!(p > 0 && p < 1))
    throw refusal(
      `A dropout mask for p = ${p} was asked for; p has to lie between 0 and 1.`,
      'Leave the dropout out where p is 0.',
    )
  const dropped = Math.min(Math.max(Math.round(p * 2 ** 32), 1), 2 ** 32 - 1)
  return { threshold: dropped - 2 ** 31 - 1, scale: 1 / (1 - p) }
}

function refusal(message: string, fix?: string): TrainerError {
  return new TrainerError('engine', message, fix === undefined ? {} : { fix })
}
