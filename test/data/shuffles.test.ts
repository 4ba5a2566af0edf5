import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Dataset } from '../../src/data/dataset'
import { NumpyGenerator } from '../../src/data/numpyGenerator'
import { loadDataset } from '../../src/data/read'

type Rows = number[] | { length: number; head: number[]; checksum: number }

// What Python's `datasets` gives (test/fixtures/data/make_shuffles.py).
const python = JSON.parse(readFileSync(new URL('../fixtures/data/shuffles.json', import.meta.url), 'utf8')) as {
  shuffles: { rows: number; seed: number; order: Rows }[]
  splits: {
    rows: number
    seed: number
    classes: number | null
    options: { test_size?: number; train_size?: number; shuffle?: boolean; stratify_by_column?: string }
    train: Rows
    test: Rows
  }[]
  slices: { rows: number; split: string; first: number; count: number }[]
}

function short(rows: readonly number[]): Rows {
  if (rows.length <= 20) return [...rows]
  const checksum = rows.reduce((sum, row) => (31 * sum + row) % 1000003, 0)
  return { length: rows.length, head: rows.slice(0, 5), checksum }
}

function numbered(rows: number, classes = 1): Dataset<{ i: number; label: number }> {
  const i = Array.from({ length: rows }, (_, row) => row)
  return Dataset.fromColumns({ i, label: i.map(row => (row * row) % classes) })
}

describe("Python's rows", () => {
  it.each(python.shuffles)('of $rows rows shuffled with seed $seed', ({ rows, seed, order }) => {
    expect(short(numbered(rows).shuffle({ seed }).column('i'))).toEqual(order)
  })

  it.each(python.splits)('of $rows rows in $classes classes split with seed $seed, $options', split => {
    const { test_size: testSize, train_size: trainSize, shuffle, stratify_by_column: stratifyByColumn } = split.options
    const { train, test } = numbered(split.rows, split.classes ?? 1).trainTestSplit({
      seed: split.seed,
      ...(testSize !== undefined && { testSize }),
      ...(trainSize !== undefined && { trainSize }),
      ...(shuffle !== undefined && { shuffle }),
      ...(stratifyByColumn !== undefined && { stratifyByColumn }),
    })
    expect([short(train.column('i')), short(test.column('i'))]).toEqual([split.train, split.test])
  })

  it.each(python.slices)('of $rows rows in $split', async ({ rows, split, first, count }) => {
    const sliced = await loadDataset({ train: numbered(rows).toArray() }, { split })
    expect(sliced.column('i')).toEqual(Array.from({ length: count }, (_, row) => first + row))
  })
})

describe('NumpyGenerator', () => {
  it('draws what default_rng(42).choice draws without replacement', () => {
    // by both of its ways: a few numbers one by one, many out of a shuffled list
    expect([...new NumpyGenerator(42).choice(1000, 5)]).toEqual([771, 438, 653, 88, 433])
    expect(short([...new NumpyGenerator(42).choice(20000, 5000)])).toEqual({
      length: 5000,
      head: [7479, 10179, 12294, 16123, 3177],
      checksum: 283643,
    })
  })

  it.each([-1, 0.5, NaN, 2 ** 53, '42' as never])('refuses the seed %s', seed => {
    expect(() => new NumpyGenerator(seed)).toThrow(`seed must be a whole number, 0 or above, not ${String(seed)}`)
  })
})

describe('sizes that cannot be', () => {
  it('are refused', () => {
    const ten = numbered(10)
    expect(() => ten.trainTestSplit({ trainSize: 10 })).toThrow(/trainSize 10 of 10 rows leaves nothing/)
    expect(() => ten.trainTestSplit({ testSize: 6, trainSize: 5 })).toThrow(/testSize 6 and trainSize 5 exceed the 10/)
    expect(() => ten.trainTestSplit({ testSize: 0.6, trainSize: 0.45 })).toThrow(/exceed the 10 rows/)
    expect(() => ten.trainTestSplit({ testSize: -1 })).toThrow(/testSize -1 of 10 rows/)
  })
})
