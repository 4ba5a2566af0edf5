import { afterAll, describe, expect, it } from 'vitest'
import { type AttentionMask, createFusedEngine, type MaskKey } from '../../../src/engine/fused/FusedEngine'
import { hash32 } from '../../../src/random'

const engine = createFusedEngine({ threads: 2 })
afterAll(() => engine.dispose())

const key: MaskKey = { seed: 42, step: 7, site: 3 }

async function dense(count: number, p: number, of: Partial<MaskKey> = {}, on = engine): Promise<Float32Array> {
  const into = on.arena.allocate(count)
  await on.dropoutMasks([{ into, p, key: { ...key, ...of } }])
  return into
}

async function attention(
  mask: Omit<AttentionMask, 'into' | 'key'>,
  of: Partial<MaskKey> = {},
  on = engine,
): Promise<Float32Array> {
  const into = on.arena.allocate(mask.lengths.length * mask.heads * (mask.queries ?? mask.width) * mask.width).fill(NaN)
  await on.dropoutMasks([{ ...mask, into, key: { ...key, ...of } }])
  return into
}

/** The rule in plain integers: is this element kept? */
function kept(element: number, key1: number, key2: number, p: number): boolean {
  let h = (Math.imul(element, 0x9e3779b9) + key1) | 0
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h ^= key2
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return ((h ^ (h >>> 15)) | 0) + 2 ** 31 >= Math.round(p * 2 ** 32)
}

/** Pearson's correlation of what is kept, times the square root of the count: a standard normal if there is none. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>, count: number): number {
  let both = 0
  let ofA = 0
  let ofB = 0
  for (let i = 0; i < count; i++) {
    const x = a[i] === 0 ? 0 : 1
    const y = b[i] === 0 ? 0 : 1
    both += x * y
    ofA += x
    ofB += y
  }
  const meanA = ofA / count
  const meanB = ofB / count
  return ((both / count - meanA * meanB) / Math.sqrt(meanA * (1 - meanA) * meanB * (1 - meanB))) * Math.sqrt(count)
}

describe('dense masks', () => {
  it('follow the rule, also behind a chunk and at odd lengths', async () => {
    for (const [count, p] of [
      [1, 0.5],
      [7, 0.1],
      [70_003, 0.3],
    ] as const) {
      const key1 = hash32(42, 7, 0, 3, 1)
      const key2 = hash32(42, 7, 0, 3, 2)
      const wrong = (await dense(count, p)).findIndex(
        (value, i) => value !== (kept(i, key1, key2, p) ? Math.fround(1 / (1 - p)) : 0),
      )
      expect([count, wrong]).toEqual([count, -1])
    }
  })

  it('begin alike whatever their length, and end where they should', async () => {
    const long = await dense(1000, 0.2)
    const array = engine.arena.allocate(40).fill(9)
    await engine.dropoutMasks([{ into: array.subarray(5, 32), p: 0.2, key }])
    expect(array.subarray(5, 32)).toEqual(long.subarray(0, 27))
    expect([...array.subarray(0, 5), ...array.subarray(32)].every(x => x === 9)).toBe(true)
  })

  it('are the same in parts, wherever a part begins', async () => {
    const whole = await dense(70_003, 0.2)
    for (const [first, count] of [
      [1, 40],
      [65_530, 100],
      [12, 69_991],
    ] as const) {
      const into = engine.arena.allocate(count)
      await engine.dropoutMasks([{ into, first, p: 0.2, key }])
      expect(into, `from ${first}`).toEqual(whole.subarray(first, first + count))
    }
  })

  it.each([1e-6, 1e-4, 0.003, 0.1, 0.25, 0.5, 0.9, 0.9999])('drop a share of p = %d, and keep the mean', async p => {
    const count = 2 ** 20
    const mask = await dense(count, p, { step: 11 })
    let dropped = 0
    let sum = 0
    for (const value of mask) {
      if (value === 0) dropped++
      sum += value
    }
    const deviation = Math.sqrt((p * (1 - p)) / count)
    expect(Math.abs(dropped / count - p)).toBeLessThan(3 * deviation)
    expect(Math.abs(sum / count - 1)).toBeLessThan((3 * deviation) / (1 - p) + 1e-7)
  })

  it('are independent of neighbouring steps, sites, seeds, rows and columns', async () => {
    const count = 2 ** 20
    const base = await dense(count + 16384, 0.1)
    const scores: [string, number][] = []
    for (const other of [
      { step: 8 },
      { step: 6 },
      { site: 4 },
      { site: 2 },
      { seed: 43 },
      { step: 8, site: 4 },
      { step: 3, site: 7 },
    ]) {
      const mask = await dense(count, 0.1, other)
      scores.push([JSON.stringify(other), correlation(base, mask, count)])
      expect(mask).not.toEqual(base.subarray(0, count))
    }
    for (const shift of [1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 128, 255, 256, 384, 512, 768, 1024, 2048, 4096, 8192, 16384])
      scores.push([`shifted by ${shift}`, correlation(base, base.subarray(shift), count)])
    expect(scores.filter(([, score]) => !(Math.abs(score) < 4))).toEqual([])
    expect(Math.sqrt(scores.reduce((sum, [, score]) => sum + score * score, 0) / scores.length)).toBeLessThan(1.5)
  })

  it('drop rows and columns evenly: sums over 384 columns and over rows vary as they should', async () => {
    const rows = 2048
    const columns = 384
    const p = 0.1
    const mask = await dense(rows * columns, p)
    const ofRows = new Float64Array(rows)
    const ofColumns = new Float64Array(columns)
    mask.forEach((value, i) => {
      if (value !== 0) return
      ofRows[Math.floor(i / columns)]! += 1
      ofColumns[i % columns]! += 1
    })
    // the sum of squared deviations over its expectation has a standard deviation of √(2 / n)
    const spread = (sums: Float64Array, of: number): number =>
      sums.reduce((sum, x) => sum + (x - of * p) ** 2, 0) / (sums.length * of * p * (1 - p))
    expect(Math.abs(spread(ofRows, columns) - 1)).toBeLessThan(3 * Math.sqrt(2 / rows))
    expect(Math.abs(spread(ofColumns, rows) - 1)).toBeLessThan(3 * Math.sqrt(2 / columns))
  })

  it('follow one another without a trace: the dropped share of 200 steps is spread as it should be', async () => {
    const count = 4096
    const p = 0.1
    let sum = 0
    for (let step = 0; step < 200; step++) {
      const dropped = (await dense(count, p, { step })).reduce((n, value) => n + (value === 0 ? 1 : 0), 0)
      sum += (dropped - count * p) ** 2 / (count * p * (1 - p))
    }
    expect(Math.abs(sum / 200 - 1)).toBeLessThan(3 * Math.sqrt(2 / 200))
  })
})

describe('attention masks', () => {
  const shape = { p: 0.25, heads: 3, width: 21, lengths: Int32Array.of(21, 5, 0, 16) }

  it('follow the rule, and are zero where there is padding', async () => {
    const mask = await attention(shape)
    const wrong = mask.findIndex((value, i) => {
      const k = i % 21
      const q = Math.floor(i / 21) % 21
      const plane = Math.floor(i / 441)
      const length = shape.lengths[Math.floor(plane / 3)]!
      const key1 = hash32(hash32(42, 7, 0, 3, 1), plane)
      const key2 = hash32(hash32(42, 7, 0, 3, 2), plane)
      return value !== (q < length && k < length && kept(65536 * q + k, key1, key2, 0.25) ? Math.fround(1 / 0.75) : 0)
    })
    expect(wrong).toBe(-1)
  })

  it('do not depend on the padded length or on how many queries there are', async () => {
    const mask = await attention(shape)
    const wider = await attention({ ...shape, width: 32 })
    const first = await attention({ ...shape, queries: 1 })
    for (let plane = 0; plane < 12; plane++) {
      for (let q = 0; q < 21; q++) {
        const row = mask.subarray((plane * 21 + q) * 21, (plane * 21 + q + 1) * 21)
        expect(wider.subarray((plane * 32 + q) * 32, (plane * 32 + q) * 32 + 21)).toEqual(row)
        if (q === 0) expect(first.subarray(plane * 21, plane * 21 + 21)).toEqual(row)
      }
    }
  })

  it('belong to the numbers of their rows, whatever rows stand beside them', async () => {
    const mask = await attention(shape)
    const rows = [3, 0, 1]
    const chosen = await attention({ ...shape, lengths: rows.map(row => shape.lengths[row]!), rows })
    const size = 3 * 21 * 21
    rows.forEach((row, i) =>
      expect(chosen.subarray(i * size, (i + 1) * size)).toEqual(mask.subarray(row * size, (row + 1) * size)),
    )
  })

  it('drop a share of p, independently of neighbouring rows, heads and steps', async () => {
    const heads = 12
    const width = 128
    const p = 0.1
    const plane = width * width
    const of = { p, heads, width, lengths: new Int32Array(4).fill(width) }
    const mask = await attention(of)
    const next = await attention(of, { step: 8 })
    const count = mask.length - plane
    const dropped = mask.reduce((n, value) => n + (value === 0 ? 1 : 0), 0) / mask.length
    expect(Math.abs(dropped - p)).toBeLessThan(3 * Math.sqrt((p * (1 - p)) / mask.length))
    const scores = [
      correlation(mask, next, count),
      ...[1, 2, 4, width, width + 1, plane].map(shift => correlation(mask, mask.subarray(shift), count)),
    ]
    expect(scores.filter(score => !(Math.abs(score) < 4))).toEqual([])
  })
})

it('is the same on one thread and on three', async () => {
  const single = createFusedEngine({ threads: 1 })
  const many = createFusedEngine({ threads: 3 })
  const of = { p: 0.1, heads: 4, width: 40, lengths: [40, 17, 3] }
  const one = await dense(200_001, 0.1, {}, single)
  const three = await dense(200_001, 0.1, {}, many)
  expect(one.findIndex((x, i) => x !== three[i])).toBe(-1)
  expect(await attention(of, {}, single)).toEqual(await attention(of, {}, many))
  await Promise.all([single.dispose(), many.dispose()])
})

it('refuses what makes no mask', async () => {
  const into = engine.arena.allocate(16)
  await expect(engine.dropoutMasks([{ into, p: 0, key }])).rejects.toThrow(/p = 0 .* Leave the dropout out/)
  await expect(engine.dropoutMasks([{ into, p: 1, key }])).rejects.toThrow(/p = 1/)
  await expect(engine.dropoutMasks([{ into: new Float32Array(4), p: 0.1, key }])).rejects.toThrow(
    /does not lie in the arena/,
  )
  await expect(engine.dropoutMasks([{ into, p: 0.1, key, heads: 1, width: 5, lengths: [5] }])).rejects.toThrow(
    /\[1, 1, 5, 5\] has 25 elements, but its array has 16/,
  )
  await expect(engine.dropoutMasks([{ into, p: 0.1, key, heads: 1, width: 4, lengths: [5] }])).rejects.toThrow(
    /Row 0 .* length 5/,
  )
})

describe('masks of bytes', () => {
  it('are 1 where those of numbers are not 0, in whole and in parts, with padding and without', async () => {
    for (const count of [1, 2, 3, 4, 7, 70_003]) {
      const numbers = await dense(count, 0.3)
      const around = engine.arena.allocate(count + 2, 'uint8').fill(9)
      await engine.dropoutMasks([{ into: around.subarray(1, count + 1), p: 0.3, key }])
      expect(Array.from(around)).toEqual([9, ...Array.from(numbers, v => (v === 0 ? 0 : 1)), 9])
    }
    const shape = { heads: 3, width: 9, queries: 5, lengths: [9, 4, 0, 1] }
    const numbers = await attention({ ...shape, p: 0.3 })
    const bytes = engine.arena.allocate(numbers.length, 'uint8').fill(9)
    await engine.dropoutMasks([{ ...shape, into: bytes, p: 0.3, key }])
    expect(Array.from(bytes)).toEqual(Array.from(numbers, v => (v === 0 ? 0 : 1)))
  })
})
