import { describe, expect, it } from 'vitest'
import { Dataset } from '../../src/data/dataset'
import { createLoader } from '../../src/data/loader'
import { modelColumns, selectModelColumns } from '../../src/data/modelColumns'
import { randomOrder } from '../../src/data/sampler'

const rows = Array.from({ length: 10 }, (_, id) => ({ id }))
const collate = (batch: { id: number }[]): number[] => batch.map(row => row.id)

async function all<T>(batches: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const batch of batches) found.push(batch)
  return found
}

describe('a loader', () => {
  it.each([
    ['an array', rows],
    ['a Dataset', Dataset.fromRows(rows)],
    ['rows that come later', { length: 10, get: (index: number) => Promise.resolve(rows[index]!) }],
  ])('batches %s', async (_, source) => {
    const loader = createLoader({ rows: source, batchSize: 4, collate })
    expect([loader.length, loader.rows, loader.batchSize]).toEqual([3, 10, 4])
    expect(await all(loader)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
  })

  it('leaves a short last batch out', async () => {
    const loader = createLoader({ rows, batchSize: 4, collate, dropLast: true })
    expect(loader.length).toBe(2)
    expect((await all(loader)).at(-1)).toEqual([4, 5, 6, 7])
  })

  it('orders each epoch by itself', async () => {
    const loader = createLoader({ rows, batchSize: 10, collate, order: epoch => randomOrder(10, 42, epoch) })
    expect(await all(loader.batches(0))).toEqual([[2, 6, 1, 8, 4, 5, 0, 9, 3, 7]])
    expect(await all(loader.batches(1))).toEqual([[...randomOrder(10, 43, 0)]])
  })

  it('skips batches without reading their rows', async () => {
    const seen: number[] = []
    const source = {
      length: 10,
      get: (index: number) => {
        seen.push(index)
        return rows[index]!
      },
    }
    expect(await all(createLoader({ rows: source, batchSize: 4, collate }).batches(0, 2))).toEqual([[8, 9]])
    expect(seen).toEqual([8, 9])
    expect(await all(createLoader({ rows: source, batchSize: 4, collate }).batches(0, 3))).toEqual([])
  })

  it("gives the collator the rows' numbers", async () => {
    const loader = createLoader({
      rows,
      batchSize: 3,
      order: () => [9, 8, 7, 6],
      collate: (_, indices) => [...indices],
    })
    expect(await all(loader)).toEqual([[9, 8, 7], [6]])
  })

  it('makes the next batch while the last one is at work, and no more', async () => {
    const made: number[] = []
    const loader = createLoader({
      rows,
      batchSize: 2,
      collate: batch => {
        made.push(batch[0]!.id)
        return batch[0]!.id
      },
    })
    const batches = loader.batches()
    expect((await batches.next()).value).toBe(0)
    expect(made).toEqual([0]) // not before the consumer has had its turn
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(made).toEqual([0, 2])
    expect((await batches.next()).value).toBe(2)
    await batches.return?.()
  })

  it('makes none ahead with prefetch 0', async () => {
    const made: number[] = []
    const batches = createLoader({
      rows,
      batchSize: 2,
      prefetch: 0,
      collate: batch => {
        made.push(batch[0]!.id)
        return batch
      },
    }).batches()
    await batches.next()
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(made).toEqual([0])
  })

  it('throws what the collator throws, when the batch is requested', async () => {
    const failing = createLoader({
      rows,
      batchSize: 5,
      collate: batch => {
        if (batch[0]!.id > 0) throw new Error('bad rows')
        return 1
      },
    }).batches()
    expect((await failing.next()).value).toBe(1)
    await new Promise(resolve => setTimeout(resolve, 20))
    await expect(failing.next()).rejects.toThrow('bad rows')
  })

  it('refuses a batch size of 0, and what does not hold rows', () => {
    expect(() => createLoader({ rows, batchSize: 0, collate })).toThrow(/batchSize/)
    expect(() => createLoader({ rows: 3 as unknown as typeof rows, batchSize: 1, collate })).toThrow(
      /Dataset, an array/,
    )
  })
})

describe('a stream of rows', () => {
  const stream = {
    async *[Symbol.asyncIterator]() {
      for (const row of rows) yield await Promise.resolve(row)
    },
  }

  it('has no length, and is read again for each epoch', async () => {
    const loader = createLoader({ rows: stream, batchSize: 4, collate })
    expect([loader.length, loader.rows]).toEqual([undefined, undefined])
    for (const epoch of [0, 1])
      expect(await all(loader.batches(epoch))).toEqual([
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
      ])
    expect(await all(loader.batches(0, 2))).toEqual([[8, 9]])
    // transformers does not give drop_last to the loader of an IterableDataset
    expect(await all(createLoader({ rows: stream, batchSize: 4, collate, dropLast: true }))).toHaveLength(3)
  })

  it('is numbered in its order', async () => {
    expect(
      await all(
        createLoader({ rows: new Set(rows), batchSize: 4, collate: (_, indices) => [...indices] }).batches(0, 1),
      ),
    ).toEqual([
      [4, 5, 6, 7],
      [8, 9],
    ])
  })

  it('cannot be read twice if it is exhausted', async () => {
    const once = createLoader({ rows: stream[Symbol.asyncIterator](), batchSize: 4, collate })
    await all(once)
    await expect(all(once.batches(1))).rejects.toThrow(/only once/)
  })
})

describe('selectModelColumns', () => {
  const encoded = [
    { text: 'a', input_ids: [1], label: 0 },
    { text: 'b', input_ids: [2], label: 1 },
  ]
  const inputs = ['input_ids', 'attention_mask']
  const choose = (names: readonly string[]): readonly string[] => modelColumns(names, inputs, ['label'])
  const wanted = encoded.map(({ input_ids, label }) => ({ input_ids, label }))
  const read = (source: object): Promise<object[]> =>
    all(createLoader({ rows: source as object[], batchSize: 1, collate: batch => batch[0] as object }))

  it.each([
    ['a Dataset', Dataset.fromRows(encoded)],
    ['an array', encoded],
    ['rows by number', { length: 2, get: (index: number) => encoded[index]! }],
  ])('drops what the model does not take from %s', async (_, source) => {
    const { rows: left, dropped } = selectModelColumns(source, choose)
    expect(dropped).toEqual(['text'])
    expect(await read(left)).toEqual(wanted)
  })

  it('does so in a stream', async () => {
    const { rows: left } = selectModelColumns(new Set(encoded), choose)
    expect(await read(left)).toEqual(wanted)
  })

  it('asks whether map was forgotten, with both lists of names', async () => {
    const raw = [{ text: 'a', label: 0 }]
    const message = /has text, label; the model takes input_ids, attention_mask, label\..*map forgotten/
    expect(() => selectModelColumns(Dataset.fromRows(raw), choose)).toThrow(message)
    expect(() => selectModelColumns(raw, choose)).toThrow(message)
    await expect(read(selectModelColumns(new Set(raw), choose).rows)).rejects.toThrow(message)
  })
})
