import { afterAll, describe, expect, it } from 'vitest'
import { createFusedEngine, type FusedEngine, type Kernel, type RowSet } from '../../../src/engine/fused/FusedEngine'
import { MersenneTwister } from '../../../src/random'
import { adam, allocate, type Arrays, difference, fill, segmentOf } from './adam'

const engines = [1, 2, 3].map(threads => createFusedEngine({ threads }))
const engine = engines[1]!
afterAll(() => Promise.all(engines.map(each => each.dispose())))

describe('table rows', () => {
  // several chunks, the width not a multiple of four
  const rows = 700
  const width = 130
  const setUp = (on: FusedEngine): { arrays: Arrays; set: RowSet; kernel: Kernel } => {
    const arrays = allocate(on, rows * width)
    fill(arrays.parameter, 3)
    return { arrays, set: on.createRowSet(rows, width), kernel: on.compile(adam()) }
  }
  const batch = (seed: number): { index: Int32Array; values: Float32Array } => {
    const generator = new MersenneTwister(seed)
    const index = Int32Array.from({ length: 90 }, () => Math.floor(generator.uniform() ** 3 * rows))
    const values = new Float32Array(90 * width)
    fill(values, seed + 50)
    return { index, values }
  }
  const addPlainly = (table: Float32Array, { index, values }: ReturnType<typeof batch>): void =>
    index.forEach((row, i) => {
      for (let k = 0; k < width; k++) table[row * width + k]! += values[i * width + k]!
    })

  it('are added in their order, whatever the threads, and cleared again', async () => {
    for (const each of engines) {
      const {
        arrays: { gradient },
        set,
      } = setUp(each)
      const expected = new Float32Array(rows * width)
      for (const seed of [1, 2]) {
        const given = batch(seed)
        addPlainly(expected, given)
        const inArena = each.arena.allocate(given.values.length)
        inArena.set(given.values)
        await each.scatterRows({ array: gradient, rows: set }, given.index, seed === 1 ? given.values : inArena)
      }
      expect(difference(gradient, expected)).toBe(-1)
      const touched = new Set([...batch(1).index, ...batch(2).index])
      expect([...set.flags].flatMap((flag, row) => (flag === 3 ? [row] : []))).toEqual(
        [...touched].toSorted((a, b) => a - b),
      )
      const sum = expected.reduce((total, x) => total + x * x, 0)
      expect(Math.abs((await each.sumOfSquares([{ array: gradient, rows: set }]))[0]! / sum - 1)).toBeLessThan(1e-13)
      await each.clear([{ array: gradient, rows: set }])
      expect(gradient.every(x => x === 0)).toBe(true)
      expect(new Set(set.flags)).toEqual(new Set([0, 2]))
    }
  })

  it.each([
    ['without weight decay, leaving out idle rows', 0],
    ['with weight decay, which moves every row', 0.1],
  ])('are updated as the whole table would be: %s', async (_, decay) => {
    const { arrays, set, kernel } = setUp(engine)
    const whole = allocate(engine, rows * width)
    whole.parameter.set(arrays.parameter)
    for (const seed of [4, 5, 6]) {
      const given = batch(seed)
      await engine.scatterRows({ array: arrays.gradient, rows: set }, given.index, given.values)
      whole.gradient.set(arrays.gradient)
      const scalars = { rate: 0.01, scale: 0.5, decay }
      await engine.run(
        kernel,
        [segmentOf(arrays, { rows: { set, zero: ['gradient', 'm', 'v'] } }), segmentOf(whole)],
        scalars,
      )
      await engine.clear([{ array: arrays.gradient, rows: set }])
    }
    for (const name of ['parameter', 'm', 'v'] as const)
      expect([name, difference(arrays[name], whole[name])]).toEqual([name, -1])
    expect(arrays.m.some(x => x !== 0)).toBe(true)
  })

  it('are really left out: an idle row is not read, and is once it is marked', async () => {
    const { arrays, set, kernel } = setUp(engine)
    arrays.m.fill(1, 5 * width, 6 * width) // a slot that the row set knows nothing of
    const before = arrays.parameter.slice()
    const segment = segmentOf(arrays, { rows: { set, zero: ['gradient', 'm', 'v'] } })
    await engine.run(kernel, [segment], { rate: 0.01, scale: 1, decay: 0 })
    expect(difference(arrays.parameter, before)).toBe(-1)
    await engine.markRows(set, [arrays.m, arrays.v])
    expect([...set.flags].flatMap((flag, row) => (flag === 2 ? [row] : []))).toEqual([5])
    await engine.run(kernel, [segment], { rate: 0.01, scale: 1, decay: 0 })
    expect(
      [...arrays.parameter].flatMap((x, i) => (x === before[i] ? [] : [Math.floor(i / width)])).every(row => row === 5),
    ).toBe(true)
    expect(arrays.parameter[5 * width]).not.toBe(before[5 * width])
  })

  it("are all updated when the gradient's scale is not finite", async () => {
    const { arrays, set, kernel } = setUp(engine)
    await engine.run(kernel, [segmentOf(arrays, { rows: { set, zero: ['gradient', 'm', 'v'] } })], {
      rate: 0.01,
      scale: NaN,
      decay: 0,
    })
    expect(arrays.parameter.every(Number.isNaN)).toBe(true)
  })

  it('outside the table are refused', async () => {
    const { arrays, set } = setUp(engine)
    const table = { array: arrays.gradient, rows: set }
    await expect(engine.scatterRows(table, Int32Array.of(3, 700), new Float32Array(260))).rejects.toThrow(
      /Row 700 \(at position 1\) lies outside a table of 700 rows/,
    )
    await expect(engine.scatterRows(table, Int32Array.of(3), new Float32Array(260))).rejects.toThrow(
      /1 rows of 130 .* 260 elements/,
    )
  })
})
