import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createFusedEngine } from '../../../src/engine/fused/FusedEngine'
import { TrainerError } from '../../../src/errors'
import { GraphBuilder } from '../../../src/onnx/builder'
import { adam, allocate, difference, fill, segmentOf } from './adam'

const engines = [1, 2, 3].map(threads => createFusedEngine({ threads }))
const engine = engines[1]!
afterAll(() => Promise.all(engines.map(each => each.dispose())))

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
  const parameter = builder.input('parameter', 'float32', ['n'])
  const gradient = builder.input('gradient', 'float32', ['n'])
  const rate = builder.input('rate', 'float32', [])
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
