import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  createFusedEngine,
  type FusedEngine,
  type Kernel,
  type RowSet,
  type Segment,
} from '../../../src/engine/fused/FusedEngine'
import { TrainerError } from '../../../src/errors'
import { GraphBuilder } from '../../../src/onnx/builder'
import type { Graph } from '../../../src/onnx/types'
import { MersenneTwister } from '../../../src/random'

const engines = [1, 2, 3].map(threads => createFusedEngine({ threads }))
const engine = engines[1]!
afterAll(() => Promise.all(engines.map(each => each.dispose())))

/** Adam with decoupled weight decay, without bias correction. */
function adam(): Graph {
  const b = new GraphBuilder('adam')
  const [gradient, parameter, m, v] = ['gradient', 'parameter', 'm', 'v'].map(name => b.input(name, 'float32', ['n']))
  const [rate, decay, scale] = ['rate', 'decay', 'scale'].map(name => b.input(name, 'float32', []))
  const g = b.mul(gradient!, scale!)
  const first = b.add(b.mul(m!, 0.9), b.mul(g, 0.1))
  const second = b.add(b.mul(v!, 0.999), b.mul(b.mul(g, g), 0.001))
  const decayed = b.mul(parameter!, b.sub(1, b.mul(rate!, decay!)))
  return b.build({
    parameter_out: b.sub(decayed, b.mul(rate!, b.div(first, b.add(b.sqrt(second), 1e-8)))),
    m_out: first,
    v_out: second,
  })
}

interface Arrays {
  readonly gradient: Float32Array
  readonly parameter: Float32Array
  readonly m: Float32Array
  readonly v: Float32Array
}

function allocate(on: FusedEngine, count: number): Arrays {
  const [gradient, parameter, m, v] = on.arena.allocateGroup([count, count, count, count]) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  return { gradient, parameter, m, v }
}

function fill(array: Float32Array, seed: number): void {
  const generator = new MersenneTwister(seed)
  for (let i = 0; i < array.length; i++) array[i] = generator.uniform() - 0.5
}

/** The first index at which two arrays differ, or -1. */
const difference = (a: Float32Array, b: Float32Array): number => a.findIndex((x, i) => !Object.is(x, b[i]))

const segmentOf = (arrays: Arrays, rest: Partial<Segment> = {}): Segment => ({
  inputs: { ...arrays },
  outputs: { parameter_out: arrays.parameter, m_out: arrays.m, v_out: arrays.v },
  ...rest,
})

describe('whatever the number of threads', () => {
  const sizes = [300_000, 5, 65_536, 1, 131_073]

  it('updates and sums are the same, bit for bit', async () => {
    const results = await Promise.all(
      engines.map(async each => {
        const kernel = each.compile(adam())
        const all = sizes.map(size => allocate(each, size))
        all.forEach((arrays, i) => {
          fill(arrays.gradient, i)
          fill(arrays.parameter, i + 100)
        })
        for (const rate of [0.1, 0.01])
          await each.run(
            kernel,
            all.map((arrays, i) => segmentOf(arrays, { scalars: { decay: i % 2 === 0 ? 0.1 : 0 } })),
            { rate, scale: 0.5 },
          )
        return {
          arrays: all.flatMap(({ parameter, m, v }) => [parameter, m, v]),
          sums: await each.sumOfSquares(all.map(({ v }) => v)),
        }
      }),
    )
    for (const result of results.slice(1)) {
      expect(result.arrays.map((array, i) => difference(array, results[0]!.arrays[i]!))).toEqual(
        result.arrays.map(() => -1),
      )
      expect(result.sums).toEqual(results[0]!.sums)
    }
  })
})

describe('sums, additions and zeros', () => {
  it('sum of squares in float64', async () => {
    const arrays = [1, 3, 4, 1000, 200_003].map(count => engine.arena.allocate(count))
    arrays.forEach(fill)
    const sums = await engine.sumOfSquares(arrays)
    arrays.forEach((array, i) => {
      const expected = array.reduce((sum, x) => sum + x * x, 0)
      expect(Math.abs(sums[i]! / expected - 1)).toBeLessThan(1e-13)
    })
    const large = engine.arena.allocate(2).fill(3e38) // beyond float32 when squared
    expect((await engine.sumOfSquares([large]))[0]).toBeCloseTo(2 * Math.fround(3e38) ** 2, -65)
    expect(await engine.sumOfSquares([])).toEqual(new Float64Array(0))
    large[1] = NaN
    expect((await engine.sumOfSquares([large]))[0]).toBeNaN()
  })

  it('accumulates and clears', async () => {
    const [sum, term] = engine.arena.allocateGroup([100_001, 100_001]) as [Float32Array, Float32Array]
    fill(sum, 1)
    fill(term, 2)
    const expected = sum.map((x, i) => x + term[i]!)
    await engine.accumulate([{ sum, term }])
    expect(difference(sum, expected)).toBe(-1)
    await engine.clear([sum.subarray(1, 100_000)])
    expect([sum[0], sum[1], sum[99_999], sum[100_000]]).toEqual([expected[0], 0, 0, expected[100_000]])
  })

  it('performs calls in the order in which they are made', async () => {
    const [sum, term] = engine.arena.allocateGroup([1000, 1000]) as [Float32Array, Float32Array]
    term.fill(1)
    const calls = Array.from({ length: 10 }, () => engine.accumulate([{ sum, term }]))
    const total = engine.sumOfSquares([sum])
    const cleared = engine.clear([sum])
    expect((await total)[0]).toBe(100_000)
    await Promise.all([...calls, cleared])
    expect(sum[999]).toBe(0)
  })
})

describe('table rows', () => {
  const [rows, width] = [700, 130] // several chunks, width no multiple of four
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

describe('an arena of several memories', () => {
  it('adds rows of one memory to a table in another, by the room that lies beside the table', async () => {
    const small = createFusedEngine({ threads: 2, pages: 16 }) // 1 MiB each
    const [rows, wide] = [100, 2000]
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
    const [a, b] = [all[0]!.gradient, all.at(-1)!.gradient]
    await expect(small.accumulate([{ sum: a, term: b }])).rejects.toThrow(/different memories.*allocateGroup/)
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

describe('errors', () => {
  it('name what is missing or does not fit', async () => {
    const kernel = engine.compile(adam())
    const arrays = allocate(engine, 10)
    const scalars = { rate: 1, scale: 1, decay: 0 }
    await expect(engine.run(kernel, [segmentOf(arrays)], { rate: 1, scale: 1 })).rejects.toThrow(
      /"adam" needs the scalar "decay", but was given rate, scale/,
    )
    await expect(engine.run(kernel, [segmentOf({ ...arrays, m: arrays.m.subarray(1) })], scalars)).rejects.toThrow(
      /9 and 10 elements/,
    )
    await expect(engine.run(kernel, [{ inputs: { gradient: arrays.gradient }, outputs: {} }], scalars)).rejects.toThrow(
      /needs the array "parameter"/,
    )
    await expect(
      engine.run(kernel, [segmentOf({ ...arrays, m: new Float32Array(10) })], scalars),
    ).rejects.toMatchObject({ code: 'engine', message: expect.stringContaining('arena.allocate') as string })
    await expect(engines[0]!.run(kernel, [], scalars)).rejects.toThrow(/another engine/)
    expect(() => createFusedEngine({ threads: 0 })).toThrow(/at least 1, not 0/)
  })

  it('a kernel that fails rejects its call only', async () => {
    const other = createFusedEngine({ threads: 2, pages: 2 })
    const array = other.arena.allocate(100)
    const beyond = new Float32Array(array.buffer, array.byteOffset, 16)
    Object.defineProperty(beyond, 'length', { value: 1_000_000 }) // reaches behind the memory's end
    await expect(other.sumOfSquares([beyond])).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining('sumOfSquares') as string,
    })
    expect(await other.sumOfSquares([array])).toEqual(Float64Array.of(0))
    await other.dispose()
  })

  it('after disposal every call fails, also those under way', async () => {
    const short = createFusedEngine({ threads: 2 })
    const array = short.arena.allocate(20_000_000)
    const running = short.sumOfSquares(Array.from({ length: 20 }, () => array))
    const waiting = short.clear([array])
    const failures = Promise.allSettled([running, waiting])
    await short.dispose()
    await short.dispose()
    for (const result of await failures) expect((result as PromiseRejectedResult).reason).toBeInstanceOf(TrainerError)
    await expect(short.clear([array])).rejects.toThrow(/disposed of/)
  })
})

it('leaves this thread free during an update of 100 million elements', async () => {
  const builder = new GraphBuilder('descent')
  const [parameter, gradient, rate] = [
    builder.input('parameter', 'float32', ['n']),
    builder.input('gradient', 'float32', ['n']),
    builder.input('rate', 'float32', []),
  ]
  const kernel = engine.compile(builder.build({ out: builder.sub(parameter, builder.mul(gradient, rate)) }))
  const arrays = engine.arena.allocateGroup([4_000_000, 4_000_000]) as [Float32Array, Float32Array]
  arrays[1].fill(1)
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  const started = performance.now()
  await engine.run(
    kernel,
    Array.from({ length: 25 }, () => ({
      inputs: { parameter: arrays[0], gradient: arrays[1] },
      outputs: { out: arrays[0] },
    })),
    { rate: 1 },
  )
  const took = performance.now() - started
  clearInterval(timer)
  expect(new Set([arrays[0][0], arrays[0][3_999_999]])).toEqual(new Set([-25]))
  expect(ticks).toBeGreaterThan(took / 20) // a blocked thread would have none; half of the processors may be busy
})

it('lets the process end by itself, but not before its calls are done', () => {
  const source = join(import.meta.dirname, '../../../src/engine/fused/FusedEngine')
  const script = `import { createFusedEngine } from ${JSON.stringify(source)}
    const engine = createFusedEngine({ threads: 2 })
    const array = engine.arena.allocate(1000).fill(1)
    console.log('sum', (await engine.sumOfSquares([array]))[0])`
  const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect([stdout.trim(), status]).toEqual(['sum 1000', 0])
})
