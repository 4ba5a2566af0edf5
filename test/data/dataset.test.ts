import { afterEach, describe, expect, it } from 'vitest'
import { Dataset } from '../../src/data/dataset'
import { DatasetDict } from '../../src/data/datasetDict'
import { setProgressReporter } from '../../src/data/progress'
import type { WorkProgress } from '../../src/terminal/workProgress'
import type { Cell, LooseRow } from '../../src/data/rows'
import type { Tokenizer } from '../../src/tokenizers/tokenizer'

const rows = [
  { text: 'a', label: 0, ids: [1, 2] },
  { text: 'b', label: 1, ids: [] },
  { text: 'c', label: 1, ids: [70000] },
  { text: 'd', label: 0, ids: [-1, 0.5] },
]
const dataset = Dataset.fromRows(rows)

/** Stands for a tokenizer: takes what a text column is typed as. */
function fakeTokenizer(texts: readonly Cell[] | undefined, pairs?: readonly Cell[]): { input_ids: number[][] } {
  return { input_ids: texts!.map((text, i) => [String(text).length, String(pairs?.[i] ?? '').length]) }
}

describe('a dataset', () => {
  it('gives its rows as they were put in', () => {
    expect(dataset.length).toBe(4)
    expect(dataset.get(3)).toEqual(rows[3])
    expect(dataset.at(-1)).toEqual(rows[3])
    expect(dataset.at(4)).toBeUndefined()
    expect([...dataset]).toEqual(rows)
    expect(dataset.columnNames).toEqual(['text', 'label', 'ids'])
    expect(dataset.column('label')).toEqual([0, 1, 1, 0])
    expect(() => dataset.get(4)).toThrow(/no row 4: the dataset has 4 rows/)
  })

  it('is iterated asynchronously as well', async () => {
    const seen: string[] = []
    for await (const row of dataset) seen.push(row.text)
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
  })

  it('keeps numbers of every kind exactly', () => {
    const odd = [{ x: -0 }, { x: 2 ** 40 }, { x: NaN }, { x: 0.1 }]
    expect(Dataset.fromRows(odd).toArray()).toEqual(odd)
    expect(Dataset.fromColumns({ x: Float32Array.of(0.5, 1), y: [1n, 2n] }).toArray()).toEqual([
      { x: 0.5, y: 1 },
      { x: 1, y: 2 },
    ])
    expect(() => Dataset.fromColumns({ y: [2n ** 60n] })).toThrow(/Column 'y' holds 1152921504606846976/)
    expect(() => Dataset.fromColumns({ x: [1], y: [1, 2] })).toThrow(/'y' has 2 values/)
  })

  it('selects, and selects of that', () => {
    const chosen = dataset.select([3, 1, 1]).select([2, 0])
    expect(chosen.toArray()).toEqual([rows[1], rows[3]])
    expect([...chosen.lengths('ids')]).toEqual([0, 2])
    expect(() => dataset.select([4])).toThrow(/no row 4/)
  })

  it('filters, at once or in time', async () => {
    expect(dataset.filter(row => row.label === 1).column('text')).toEqual(['b', 'c'])
    const later = dataset.filter(row => Promise.resolve(row.label === 0))
    expect(later).toBeInstanceOf(Promise)
    expect((await later).column('text')).toEqual(['a', 'd'])
  })

  it("shuffles by PyTorch's randperm", () => {
    const ten = Dataset.fromColumns({ i: Array.from({ length: 10 }, (_, i) => i) })
    expect(ten.shuffle({ seed: 0 }).column('i')).toEqual([4, 1, 7, 5, 3, 9, 0, 8, 6, 2])
    expect(ten.shuffle(0).column('i')).toEqual([4, 1, 7, 5, 3, 9, 0, 8, 6, 2])
  })

  it('splits into train and test without losing a row', () => {
    const { train, test } = dataset.trainTestSplit({ testSize: 0.3, seed: 1 })
    expect([train.length, test.length]).toEqual([2, 2])
    expect([...train.column('text'), ...test.column('text')].sort()).toEqual(['a', 'b', 'c', 'd'])
    expect(dataset.trainTestSplit({ testSize: 1, shuffle: false }).test.column('text')).toEqual(['d'])
    expect(() => dataset.trainTestSplit({ testSize: 4 })).toThrow(/testSize 4 of 4 rows/)
  })

  it('splits with the classes as frequent in both parts', () => {
    const label = Array.from({ length: 100 }, (_, i) => ['no', 'perhaps', 'yes'][i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2])
    const rows = Dataset.fromColumns({ i: label.map((_, i) => i), label })
    const count = (split: { label: readonly unknown[] }): number[] =>
      ['no', 'perhaps', 'yes'].map(name => split.label.filter(other => other === name).length)
    const { train, test } = rows.trainTestSplit({ testSize: 33, stratifyByColumn: 'label', seed: 3 })
    expect([count({ label: train.column('label') }), count({ label: test.column('label') })]).toEqual([
      [40, 20, 7],
      [20, 10, 3],
    ]) // 19.8, 9.9, 3.3 of 33
    expect([...train.column('i'), ...test.column('i')].sort((a, b) => a - b)).toEqual(rows.column('i'))
    expect(test.column('i')).not.toEqual(
      rows.trainTestSplit({ testSize: 33, stratifyByColumn: 'label', seed: 4 }).test.column('i'),
    )
    const ordered = rows.trainTestSplit({ testSize: 10, stratifyByColumn: 'label', shuffle: false })
    expect(ordered.test.column('i')).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
    expect(() => rows.trainTestSplit({ stratifyByColumn: 'i' })).toThrow(/Class \d+ has one row only/)
    expect(() => rows.trainTestSplit({ testSize: 2, stratifyByColumn: 'label' })).toThrow(
      /2 of 100 rows .* fewer rows than there are classes, 3/,
    )
    expect(() => rows.trainTestSplit({ stratifyByColumn: 'lable' })).toThrow(/lable.*label/s)
  })

  it('renames, removes and selects columns', () => {
    expect(dataset.renameColumn('label', 'labels').columnNames).toEqual(['text', 'labels', 'ids'])
    expect(dataset.removeColumns(['text', 'ids']).get(0)).toEqual({ label: 0 })
    expect(dataset.selectColumns(['ids', 'text']).columnNames).toEqual(['ids', 'text'])
    expect(() => dataset.renameColumn('label', 'text')).toThrow(/already/)
    expect(() => dataset.removeColumns('lable' as 'label')).toThrow(/no column 'lable'.*Did you mean 'label'/)
  })

  it('encodes classes by their sorted names', () => {
    const named = Dataset.fromRows([{ label: 'pos' }, { label: 'neg' }, { label: null }, { label: 'pos' }])
    const encoded = named.classEncodeColumn('label')
    expect(encoded.column('label')).toEqual([1, 0, null, 1])
    expect(encoded.features['label']).toEqual({ type: 'ClassLabel', dtype: 'int64', names: ['neg', 'pos'] })
    expect(encoded.select([0]).features['label']?.names).toEqual(['neg', 'pos'])
    expect(named.unique('label')).toEqual(['pos', 'neg', null])
  })

  it('says what its columns hold', () => {
    const { text, label, ids } = dataset.features
    expect([text?.dtype, label?.dtype, ids]).toEqual(['string', 'int64', { type: 'List', dtype: 'int64' }])
  })
})

describe('map', () => {
  it('adds and replaces columns, row by row', async () => {
    const mapped = await dataset.map((row, index) => ({ text: row.text.toUpperCase(), index, double: row.label * 2 }))
    expect(mapped.get(1)).toEqual({ text: 'B', label: 1, ids: [], index: 1, double: 2 })
  })

  it('awaits asynchronous functions and lets rows be', async () => {
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

  it('changes the number of rows where every old column goes', async () => {
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
    ['a result that is none', () => dataset.map(() => 3 as unknown as object), /a number at row 0/],
    [
      'a column that is none',
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
    ['a removal of no column', () => dataset.map(() => ({}), { removeColumns: 'x' }), /removeColumns names 'x'/],
    ['a batch size of none', () => dataset.map(() => ({}), { batched: true, batchSize: 0 }), /batchSize/],
  ])('refuses %s', async (_, work, message) => {
    await expect(work()).rejects.toThrow(message)
  })

  it('names the row in which our own error arose, and leaves others alone', async () => {
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

describe('progress of map', () => {
  afterEach(() => {
    setProgressReporter(undefined)
  })
  const wait = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 60))
  const slow = async (): Promise<object> => {
    await wait()
    return {}
  }

  it('is reported on long work, to the end', async () => {
    const reports: WorkProgress[] = []
    setProgressReporter(report => reports.push(report))
    await dataset.map(slow, { batched: true, batchSize: 1, desc: 'Slowly' })
    expect(reports.at(-1)).toMatchObject({ description: 'Slowly', done: 4, total: 4 })
    expect(reports.length).toBeGreaterThan(1)
  })

  it('is not reported on short work; an own reporter is told instead of the common one', async () => {
    const [common, own]: [WorkProgress[], WorkProgress[]] = [[], []]
    setProgressReporter(report => common.push(report))
    await dataset.map(() => ({}))
    await dataset.map(slow, { batched: true, batchSize: 1, onProgress: report => own.push(report) })
    expect(common).toEqual([])
    expect(own.length).toBeGreaterThan(0)
  })
})

describe('a DatasetDict', () => {
  const splits = new DatasetDict({ train: dataset, validation: dataset.select([0]), extra: dataset.select([]) })

  it('has its splits as properties', () => {
    expect(splits.train).toBe(dataset)
    expect(Object.keys(splits)).toEqual(['train', 'validation', 'extra'])
    expect(splits.test).toBeUndefined()
    expect(splits.numRows).toEqual({ train: 4, validation: 1, extra: 0 })
  })

  it('does to all splits what is asked of it', async () => {
    const mapped = await splits.map(batch => ({ upper: batch.text.map(text => text.toUpperCase()) }), { batched: true })
    expect(mapped.validation.get(0).upper).toBe('A')
    expect(splits.filter(row => row.label === 0).numRows).toEqual({ train: 2, validation: 1, extra: 0 })
    expect((await splits.filter(row => Promise.resolve(row.label === 1))).numRows).toEqual({
      train: 2,
      validation: 0,
      extra: 0,
    })
    expect(splits.removeColumns('ids').columnNames['train']).toEqual(['text', 'label'])
    expect(splits.renameColumn('label', 'labels').validation.get(0).labels).toBe(0)
  })

  it('numbers classes alike in all splits', () => {
    const named = new DatasetDict({
      train: Dataset.fromRows<LooseRow>([{ label: 'b' }, { label: 'c' }]),
      validation: Dataset.fromRows<LooseRow>([{ label: 'c' }]),
      test: Dataset.fromRows<LooseRow>([{ text: '' }]),
    }).classEncodeColumn('label')
    expect(named.validation.get(0)['label']).toBe(1)
    expect(named.validation.features['label']?.names).toEqual(['b', 'c'])
    expect(named.test.columnNames).toEqual(['text'])
  })
})

it('the program of the notebook compiles as it stands, under every strictness', () => {
  // not run: it is the types that are tested
  const program = async (dataset: DatasetDict, tokenizer: Tokenizer): Promise<number> => {
    const encoded = await dataset.map(rows => tokenizer(rows.sentence1, rows.sentence2, { truncation: true }), {
      batched: true,
    })
    const single = await dataset.train.map(row => tokenizer(row.text))
    const labels = await dataset.map(rows => ({ labels: rows.label }), { batched: true })
    return encoded.train.length + single.length + labels.train.length
  }
  expect(program).toBeTypeOf('function')
})
