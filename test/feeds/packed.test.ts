import { describe, expect, it } from 'vitest'
import { groupEnds } from '../../src/feeds/attentionGroups'
import type { Feed } from '../../src/feeds/FeedLayout'
import { packed, type Packing } from '../../src/feeds/packed'
import { MersenneTwister } from '../../src/random'
import type { Batch } from '../../src/tensor'
import { classes, randomBatch } from '../helpers/batches'
import { geometry } from './geometry'
import { tokenBatches } from './tokens.case'

function pack(batch: Batch, packing: Packing): Feed {
  return packed(geometry, packing).feed(batch, String)
}

describe('rounding', () => {
  it('adds tokens behind the real ones that read an empty slot, in one group', () => {
    const batch = tokenBatches['rows of all lengths']! // 25 tokens, 10 at most
    const feed = pack(batch, { groups: 3, round: { tokens: 16, length: 8 } })
    expect(feed).toMatchObject({
      lengths: { tokens: 32 },
      size: { realTokens: 25 },
      places: { groups: [{ width: 16 }] },
    })
    expect(feed.inputs.token_ids!.dims).toEqual([32])
    const empty = feed.inputs.head_mask!.data
    const read = feed.inputs.from_heads!.data as Int32Array
    expect(Array.from(read.subarray(25 * 2), slot => empty[slot])).toEqual(Array.from({ length: 7 * 2 }, () => 0))
    // rows that are as long as the rounded length leave no slot empty: one more length makes some
    const full = pack(randomBatch([4, 4], classes(0, 1), { seed: 1 }), { groups: 1, round: { tokens: 16, length: 4 } })
    expect(full).toMatchObject({ lengths: { tokens: 16 }, size: { realTokens: 8 }, places: { groups: [{ width: 8 }] } })
    // and none is needed where no token is added
    const even = pack(randomBatch([4, 4, 4, 4], classes(0, 1, 0, 1), { seed: 1 }), {
      groups: 1,
      round: { tokens: 16, length: 4 },
    })
    expect(even).toMatchObject({
      lengths: { tokens: 16 },
      size: { realTokens: 16 },
      places: { groups: [{ width: 4 }] },
    })
  })
})

describe('groupEnds', () => {
  it('splits sorted rows so that attention costs the least', () => {
    const cost = (lengths: readonly number[], ends: readonly number[]): number =>
      ends.reduce((sum, end, i) => sum + (end - (ends[i - 1] ?? 0)) * lengths[ends[i - 1] ?? 0]! ** 2, 0)
    const random = new MersenneTwister(1)
    for (let trial = 0; trial < 50; trial++) {
      const lengths = Array.from({ length: 4 + (random.next32() % 5) }, () => 1 + (random.next32() % 12)).toSorted(
        (a, b) => b - a,
      )
      const rows = lengths.length
      let best = Infinity
      for (let first = 1; first < rows - 1; first++)
        for (let second = first + 1; second < rows; second++)
          best = Math.min(best, cost(lengths, [first, second, rows]))
      const ends = groupEnds(lengths, 3)
      expect(ends).toHaveLength(3)
      expect(ends.at(-1)).toBe(rows)
      expect(cost(lengths, ends), lengths.join()).toBe(best)
    }
    expect(groupEnds([5, 4, 3], 1)).toEqual([3])
    expect(groupEnds([5, 4, 3], 3)).toEqual([1, 2, 3])
  })
})
