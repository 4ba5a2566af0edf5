import { describe, expect, it } from 'vitest'
import { Dataset } from '../../src/data/dataset'
import type { Cell, LooseRow } from '../../src/data/rows'
import { dataset } from './fourRows'

/** Stands for a tokenizer: takes what a text column is typed as. */
function fakeTokenizer(texts: readonly Cell[] | undefined, pairs?: readonly Cell[]): { input_ids: number[][] } {
  return { input_ids: texts!.map((text, i) => [String(text).length, String(pairs?.[i] ?? '').length]) }
}

describe('map', () => {
  it('adds and replaces columns, row by row', async () => {
    const mapped = await dataset.map((row, index) => ({ text: row.text.toUpperCase(), index, double: row.label * 2 }))
    expect(mapped.get(1)).toEqual({ text: 'B', label: 1, ids: [], index: 1, double: 2 })
  })

  it('awaits asynchronous functions, which may leave rows as they are', async () => {
    const mapped = await dataset.map(async row => (row.label === 1 ? { mark: await Promise.resolve(row.text) } : {}))
    expect(mapped.toArray().map(row => (row as { mark?: string }).mark)).toEqual([undefined, 'b', 'c', undefined])
  })

  it('gives batches of columns, with their row numbers', async () => {
    const sizes: number[] = []
    const mapped = await dataset.map(
      ({ text, label }, indices) => {
        sizes.push(text.length)
        return { both: text.map((letter, i) => `${letter}${label[i]}${indices[i]}`) }
      },
      { batched: true, batchSize: 3, removeColumns: ['text', 'ids'] },
    )
    expect(sizes).toEqual([3, 1])
    expect(mapped.toArray()).toEqual([
      { label: 0, both: 'a00' },
      { label: 1, both: 'b11' },
      { label: 1, both: 'c12' },
      { label: 0, both: 'd03' },
    ])
  })

  it('changes the number of rows if no old column stays', async () => {
    const twice = await dataset.map(({ text }) => ({ text: text.flatMap(letter => [letter, letter]) }), {
      batched: true,
      batchSize: 2,
      removeColumns: ['label', 'ids'],
    })
    expect(twice.column('text').join('')).toBe('aabbccdd')
    await expect(dataset.map(() => ({ one: [1] }), { batched: true })).rejects.toThrow(
      /1 rows of the 4 rows.*removeColumns: \['text', 'label', 'ids'\]/,
    )
  })

  it('keeps a ClassLabel, also under new numbers of the same classes', async () => {
    const named = Dataset.fromRows([{ label: 'x' }, { label: 'y' }]).classEncodeColumn('label')
    expect((await named.map(row => ({ label: 1 - row.label }))).features['label']?.names).toEqual(['x', 'y'])
    expect((await named.map(row => ({ label: 7 + row.label }))).features['label']?.type).toBe('Value')
  })

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['a result that is not an object', () => dataset.map(() => 3 as unknown as object), /a number at row 0/],
    [
      'a column that is not an array',
      () => dataset.map(() => ({ x: 3 }), { batched: true }),
      /a number for column 'x'.*batched/,
    ],
    [
      'columns of two lengths',
      () => dataset.map(() => ({ x: [1, 2, 3, 4], y: [1] }), { batched: true }),
      /4 values for column 'x' and 1 for 'y'/,
    ],
    [
      'a column that does not exist',
      () =>
        dataset.map(batch => ({ x: (batch as unknown as Record<string, unknown[]>)['sentence']! }), { batched: true }),
      /a column 'sentence'; the columns are text, label, ids/,
    ],
    [
      'the removal of a column that does not exist',
      () => dataset.map(() => ({}), { removeColumns: 'x' }),
      /removeColumns names 'x'/,
    ],
    ['a batch size of 0', () => dataset.map(() => ({}), { batched: true, batchSize: 0 }), /batchSize/],
  ])('refuses %s', async (_, work, message) => {
    await expect(work()).rejects.toThrow(message)
  })

  it('names the row in our own errors, and passes others on unchanged', async () => {
    await expect(dataset.map((row, index) => (index === 2 ? dataset.get(99) : row))).rejects.toThrow(
      /^Row 2: There is no row 99/,
    )
    await expect(
      dataset.map(() => {
        throw new RangeError('mine')
      }),
    ).rejects.toThrow(RangeError)
  })

  it('keeps lists of numbers compactly', async () => {
    const many = Dataset.fromColumns({ i: Array.from({ length: 20000 }, (_, i) => i) })
    const before = process.memoryUsage()
    const ids = (n: number): number[] => Array.from({ length: 100 }, (_, k) => n + k)
    const mapped = await many.map(({ i }) => ({ ids: i.map(ids), mask: i.map(() => new Array<number>(100).fill(1)) }), {
      batched: true,
    })
    expect(mapped.get(19999).ids.slice(0, 2)).toEqual([19999, 20000])
    expect(mapped.lengths('ids').every(length => length === 100)).toBe(true)
    const after = process.memoryUsage()
    // 2 million ids of 4 bytes and masks of 1 byte are 10 MB; arrays of numbers would hold over 30
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(60e6)
  })

  it('of a loosely typed dataset compiles without casts', async () => {
    const loose: Dataset<LooseRow> = Dataset.fromRows<LooseRow>([{ sentence1: 'ab', sentence2: 'c', label: 1 }])
    const encoded = await loose.map(batch => fakeTokenizer(batch['sentence1'], batch['sentence2']), { batched: true })
    expect(encoded.get(0)).toEqual({ sentence1: 'ab', sentence2: 'c', label: 1, input_ids: [2, 1] })
    const labels = await loose.map(batch => ({ labels: batch['label']!.map((label: number) => label + 1) }), {
      batched: true,
    })
    expect(labels.get(0)['labels']).toBe(2)
    const annotated = await loose.map((row: { label: number; sentence1: string }) => ({
      size: row.sentence1.length + row.label,
    }))
    expect(annotated.get(0)['size']).toBe(3)
    expect(loose.filter((row: { label: number }) => row.label > 1).length).toBe(0)
  })
})
