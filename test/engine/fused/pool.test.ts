import { describe, expect, it, vi } from 'vitest'
import { createModule } from '../../../src/engine/fused/kernel'
import { createPool, type Job } from '../../../src/engine/fused/pool'

const source = vi.hoisted(() => ({ workerSource: '' }))
vi.mock('../../../src/engine/fused/worker', () => source)

const job: Job = { kind: 'call', module: 0, name: 'run', pointers: 0, chunks: [[0, 0, 0, 0], [0, 0, 0, 0]] }

describe('a pool whose worker dies', () => {
  it('at its start fails with the reason', async () => {
    source.workerSource = "throw new Error('no room')"
    const pool = createPool(2)
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'engine', message: expect.stringMatching(/worker thread "ts-trainer \d" failed: no room/) as string })
    await pool.dispose()
  })

  it('during a job fails that job and those after it', async () => {
    source.workerSource = "require('node:worker_threads').parentPort.on('message', () => process.exit(3))"
    const pool = createPool(2)
    const [first, second] = [pool.run(job), pool.run(job)]
    await expect(first).rejects.toThrow(/ended with code 3/)
    await expect(second).rejects.toThrow(/ended with code 3/)
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'engine' })
    await pool.dispose()
  })
})

it('shares what jobs read and write with the workers, who would hardly ever collect copies', async () => {
  source.workerSource = `
    const { parentPort } = require('node:worker_threads')
    parentPort.on('message', ({ id, counter, table, results, chunks, stride }) => {
      for (let chunk; (chunk = Atomics.add(new Int32Array(counter), 0, 1)) < chunks;) {
        results[chunk] = table.subarray(chunk * stride, (chunk + 1) * stride).reduce((sum, x) => sum + x)
      }
      const shared = [table, results].every((array) => array.buffer instanceof SharedArrayBuffer)
      parentPort.postMessage({ id, error: shared ? undefined : 'copied' })
    })`
  const pool = createPool(2)
  const many = Array.from({ length: 3000 }, (_, i) => [i, 1, 2, 3, 4])
  const [first, second, none] = await Promise.all([many, [[1, 2, 3], [4, 5, 6]], []].map((chunks) => pool.run({ ...job, chunks })))
  expect(first).toEqual(Float64Array.from({ length: 3000 }, (_, i) => i + 10))
  expect(second).toEqual(Float64Array.of(6, 15))
  expect(none).toEqual(new Float64Array())
  await pool.dispose()
})

it('names the kernel that WebAssembly refuses, and what to do', () => {
  expect(() => createModule('adamw', Uint8Array.of(1, 2, 3))).toThrow(/refused the kernel "adamw" .* Use Node 20\.19/)
})
