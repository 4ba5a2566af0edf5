import { afterAll, describe, expect, it } from 'vitest'
import { createFusedEngine } from '../../../src/engine/fused/FusedEngine'
import { adam, allocate, segmentOf } from './adam'

const engine = createFusedEngine({ threads: 2 })
afterAll(() => engine.dispose())

describe('an arena of several memories', () => {
  it('adds rows of one memory to a table in another, by way of an array beside the table', async () => {
    const small = createFusedEngine({ threads: 2, pages: 16 }) // 1 MiB each
    const rows = 100
    const wide = 2000
    const [table, staging] = small.arena.allocateGroup([rows * wide, 3 * wide]) as [Float32Array, Float32Array]
    small.arena.allocateGroup([Math.floor((2 ** 20 - 4 * (rows + 3) * wide) / 4) - 600], table) // nothing is left there
    const set = small.createRowSet(rows, wide)
    const given = small.arena.allocate(7 * wide)
    for (let i = 0; i < given.length; i++) given[i] = 1 + Math.floor(i / wide)
    await small.scatterRows({ array: table, rows: set, staging }, Int32Array.of(5, 99, 5, 0, 1, 2, 5), given)
    expect([0, 1, 2, 5, 99, 3].map(row => [table[row * wide], table[(row + 1) * wide - 1]])).toEqual([
      [4, 4],
      [5, 5],
      [6, 6],
      [11, 11],
      [2, 2],
      [0, 0],
    ])
    await small.dispose()
  })

  it('is worked on like one, also after it has grown', async () => {
    const small = createFusedEngine({ threads: 2, pages: 48 }) // 3 MiB each
    const kernel = small.compile(adam())
    const all = Array.from({ length: 8 }, () => allocate(small, 100_000))
    expect(small.arena.memories.length).toBeGreaterThan(3)
    for (const { gradient } of all) gradient.fill(1)
    await small.run(
      kernel,
      all.map(arrays => segmentOf(arrays)),
      { rate: 1, scale: 1, decay: 0 },
    )
    expect(new Set(all.flatMap(({ m }) => [m[0], m[99_999]]))).toEqual(new Set([Math.fround(0.1)]))
    const later = small.arena.allocate(500_000).fill(2)
    expect(await small.sumOfSquares([later, all[0]!.gradient])).toEqual(Float64Array.of(2_000_000, 100_000))
    await expect(small.accumulate([{ sum: all[0]!.gradient, term: all.at(-1)!.gradient }])).rejects.toThrow(
      /different memories.*allocateGroup/,
    )
    await small.dispose()
  })

  it('whose memory grows under running workers stays right', async () => {
    const array = engine.arena.allocate(3_000_000).fill(1)
    const sums: Promise<Float64Array>[] = []
    for (let i = 0; i < 5; i++) {
      sums.push(engine.sumOfSquares([array]))
      engine.arena.free(engine.arena.allocate(10_000_000))
      sums.push(engine.sumOfSquares([engine.arena.allocate(12_000_000).fill(2)]))
    }
    expect((await Promise.all(sums)).map(([sum]) => sum)).toEqual([
      3e6, 4.8e7, 3e6, 4.8e7, 3e6, 4.8e7, 3e6, 4.8e7, 3e6, 4.8e7,
    ])
  })
})
