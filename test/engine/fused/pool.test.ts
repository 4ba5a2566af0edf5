import { describe, expect, it, vi } from 'vitest'
import { createModule } from '../../../src/engine/fused/kernel'
import { createPool, type Job } from '../../../src/engine/fused/pool'

const source = vi.hoisted(() => ({ workerSource: '' }))
vi.mock('../../../src/engine/fused/worker', () => source)

const job: Job = {
  kind: 'call',
  module: 0,
  name: 'run',
  pointers: 0,
  chunks: [
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
}

describe('a pool whose worker dies', () => {
  it('at its start fails with the reason', async () => {
    source.workerSource = "throw new Error('no space')"
    const pool = createPool(2)
    await expect(pool.run(job)).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(/worker thread "ts-trainer \d" failed: no space/) as string,
    })
    await pool.dispose()
  })

  it('during a job fails that job and those after it', async () => {
    source.workerSource = "require('node:worker_threads').parentPort.on('message', () => process.exit(3))"
    const pool = createPool(2)
    const first = pool.run(job)
    const second = pool.run(job)
    await expect(first).rejects.toThrow(/ended with code 3/)
    await expect(second).rejects.toThrow(/ended with code 3/)
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'engine' })
    await pool.dispose()
  })
})

describe('what jobs read and write', () => {
  // a worker that keeps the memory of the first large job and works on that ever after, whatever memory it is given
  const keeping = `
    const { parentPort } = require('node:worker_threads')
    let kept
    parentPort.on('message', ({ id, counter, table, results, count, stride }) => {
      if (count > 1000) kept = { table, results }
      for (let chunk; (chunk = Atomics.add(new Int32Array(counter), 0, 1)) < count;) {
        kept.results[chunk] = kept.table.subarray(chunk * stride, (chunk + 1) * stride).reduce((sum, x) => sum + x)
      }
      parentPort.postMessage({ id })
    })`
  const many = Array.from({ length: 3000 }, (_, i) => [i, 1, 2, 3, 4])

  it('is the same memory for all of them: the workers would hardly ever collect another', async () => {
    source.workerSource = keeping
    const pool = createPool(1)
    const [first, second, none, third] = await Promise.all(
      [
        many,
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [],
        [[7]],
      ].map(chunks => pool.run({ ...job, chunks })),
    )
    expect(first).toEqual(Float64Array.from({ length: 3000 }, (_, i) => i + 10))
    expect(second).toEqual(Float64Array.of(6, 15))
    expect(none).toEqual(new Float64Array())
    expect(third).toEqual(Float64Array.of(7))
    await pool.dispose()
  })

  it('is asked for in turn, and a job that cannot say it fails alone', async () => {
    source.workerSource = keeping
    const pool = createPool(1)
    const asked: string[] = []
    const chunks = function* (name: string, numbers: readonly number[][]): Iterable<number[]> {
      asked.push(name)
      yield* numbers
      if (name === 'broken') throw new Error('no such array')
    }
    const jobs = [
      pool.run({ ...job, chunks: chunks('first', many) }),
      pool.run({ ...job, chunks: chunks('broken', [[1], [2]]) }),
      pool.run({ ...job, chunks: chunks('last', [[5]]) }),
    ]
    await jobs[0]
    expect(asked).toEqual(['first'])
    await expect(jobs[1]).rejects.toThrow('no such array')
    expect(await jobs[2]).toEqual(Float64Array.of(5))
    await pool.dispose()
  })
})

it('names the kernel that WebAssembly refuses, and what to do', () => {
  expect(() => createModule('adamw', Uint8Array.of(1, 2, 3))).toThrow(/refused the kernel "adamw" .* Use Node 20\.19/)
})
