import { describe, expect, it } from 'vitest'
import { BatchQueue } from '../../src/pipelines/BatchQueue'

/** A queue that doubles numbers, and what came in each batch; 13 fails. */
function doubling(batchSize: number): { queue: BatchQueue<number, number>; batches: number[][] } {
  const batches: number[][] = []
  const queue = new BatchQueue<number, number>(async items => {
    batches.push([...items])
    await new Promise(resolve => setTimeout(resolve, 2))
    if (items.includes(13)) throw new Error('13 is not doubled')
    return items.map(item => 2 * item)
  }, batchSize)
  return { queue, batches }
}

describe('a queue of batches', () => {
  it('gathers the calls of a turn, and answers each', async () => {
    const { queue, batches } = doubling(8)
    const calls = [queue.add([1]), queue.add([2, 3]), queue.add([])]
    await Promise.resolve()
    calls.push(queue.add([4]))
    expect(await Promise.all(calls)).toEqual([[2], [4, 6], [], [8]])
    expect(batches).toEqual([[1, 2, 3, 4]])
  })

  it('gathers what comes while a batch is under way', async () => {
    const { queue, batches } = doubling(8)
    const first = queue.add([1])
    await new Promise(resolve => setImmediate(resolve))
    expect(batches).toEqual([[1]])
    const others = [queue.add([2]), queue.add([3])]
    expect(await Promise.all([first, ...others])).toEqual([[2], [4], [6]])
    expect(batches).toEqual([[1], [2, 3]])
  })

  it('lets a short call by a long one', async () => {
    const { queue, batches } = doubling(4)
    const done: string[] = []
    const long = queue.add(Array.from({ length: 12 }, (_, i) => i)).then(found => done.push(`long ${found.length}`))
    const short = queue.add([100]).then(([found]) => done.push(`short ${found}`))
    await Promise.all([long, short])
    expect(done).toEqual(['short 200', 'long 12'])
    expect(batches.map(batch => batch.length)).toEqual([4, 4, 4, 1])
    expect(batches[0]).toContain(100)
  })

  it('goes on in order where there are more calls than a batch takes', async () => {
    const { queue, batches } = doubling(4)
    const calls = Array.from({ length: 10 }, (_, i) => queue.add([i]))
    expect((await Promise.all(calls)).flat()).toEqual(Array.from({ length: 10 }, (_, i) => 2 * i))
    expect(batches).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
  })

  it('fails the call of an item that fails, and no other', async () => {
    const { queue } = doubling(3)
    const outcomes = await Promise.allSettled([queue.add([1, 2]), queue.add([3, 13, 5, 6]), queue.add([7])])
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: [2, 4] },
      { status: 'rejected', reason: new Error('13 is not doubled') },
      { status: 'fulfilled', value: [14] },
    ])
    expect(await queue.add([8])).toEqual([16])
  })

  it('closes after what is under way, and refuses what waits', async () => {
    const { queue, batches } = doubling(2)
    const first = queue.add([1, 2])
    await new Promise(resolve => setImmediate(resolve))
    const waiting = queue.add([3])
    waiting.catch(() => undefined)
    await queue.close()
    expect(await first).toEqual([2, 4])
    await expect(waiting).rejects.toThrow('The pipeline was disposed of. Make a new one.')
    await expect(queue.add([4])).rejects.toThrow('disposed of')
    expect(batches).toEqual([[1, 2]])
  })
})
