import { describe, expect, it } from 'vitest'
import { Dataset } from '../../src/data/dataset'
import { writeFeatures } from '../../src/data/features'
import { dataset, rows } from './fourRows'

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

  it('selects rows, also of a selection', () => {
    const chosen = dataset.select([3, 1, 1]).select([2, 0])
    expect(chosen.toArray()).toEqual([rows[1], rows[3]])
    expect([...chosen.lengths('ids')]).toEqual([0, 2])
    expect(() => dataset.select([4])).toThrow(/no row 4/)
  })

  it('filters, at once or asynchronously', async () => {
    expect(dataset.filter(row => row.label === 1).column('text')).toEqual(['b', 'c'])
    const later = dataset.filter(row => Promise.resolve(row.label === 0))
    expect(later).toBeInstanceOf(Promise)
    expect((await later).column('text')).toEqual(['a', 'd'])
  })

  it("shuffles by NumPy's permutation, as `datasets` does", () => {
    const ten = Dataset.fromColumns({ i: Array.from({ length: 10 }, (_, i) => i) })
    expect(ten.shuffle({ seed: 0 }).column('i')).toEqual([4, 6, 2, 7, 3, 5, 9, 0, 8, 1])
    expect(ten.shuffle(0).column('i')).toEqual([4, 6, 2, 7, 3, 5, 9, 0, 8, 1])
  })

  it('splits into train and test without losing a row', () => {
    const { train, test } = dataset.trainTestSplit({ testSize: 0.3, seed: 1 })
    expect([train.length, test.length]).toEqual([2, 2])
    expect([...train.column('text'), ...test.column('text')].sort()).toEqual(['a', 'b', 'c', 'd'])
    expect(dataset.trainTestSplit({ testSize: 1, shuffle: false }).test.column('text')).toEqual(['d'])
    expect(() => dataset.trainTestSplit({ testSize: 4 })).toThrow(/testSize 4 of 4 rows/)
  })

  it('splits with the classes equally frequent in both parts', () => {
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
    const many = Dataset.fromRows(Array.from({ length: 400_000 }, (_, row) => ({ label: row % 2 })))
    expect(many.trainTestSplit({ testSize: 0.25, stratifyByColumn: 'label' }).test).toHaveLength(100_000)
    expect(() => rows.trainTestSplit({ stratifyByColumn: 'i' })).toThrow(/Class \d+ has only one row/)
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

  it('names what is not the list or the name that it takes', () => {
    const refused = (call: () => unknown, message: RegExp): void => expect(call).toThrow(message)
    const wrong = 5 as unknown as never
    refused(() => dataset.renameColumn('text', wrong), /The new name of column 'text' is a text, but 5 was given/)
    refused(() => dataset.select(null as unknown as never), /select\(\) takes the numbers of rows, not null/)
    refused(() => Dataset.fromRows(wrong), /Rows come as a list of objects, not as 5/)
    refused(() => Dataset.fromColumns({ a: 5 }), /Column 'a' comes as a list of its values, not as 5/)
  })

  it('says what its columns hold', () => {
    const { text, label, ids } = dataset.features
    expect([text?.dtype, label?.dtype, ids?.type, ids?.feature?.dtype]).toEqual(['string', 'int64', 'List', 'float64'])
  })

  it('says what its objects and nested lists hold', () => {
    // as Dataset.from_list of Python
    const { features } = Dataset.fromRows([
      { meta: { year: 1999, tags: [] }, spans: null, pairs: [[1], [2.5]], none: null, mixed: 'a', when: new Date(0) },
      { meta: { source: 's', tags: ['a'] }, spans: [{ from: 1 }], pairs: [], none: null, mixed: 1, when: null },
    ])
    expect(writeFeatures(features)).toEqual({
      meta: {
        year: { dtype: 'int64', _type: 'Value' },
        tags: { feature: { dtype: 'string', _type: 'Value' }, _type: 'List' },
        source: { dtype: 'string', _type: 'Value' },
      },
      spans: { feature: { from: { dtype: 'int64', _type: 'Value' } }, _type: 'List' },
      pairs: { feature: { feature: { dtype: 'float64', _type: 'Value' }, _type: 'List' }, _type: 'List' },
      none: { dtype: 'null', _type: 'Value' },
      mixed: { _type: 'Json' },
      when: { dtype: 'timestamp[ms]', _type: 'Value' },
    })
  })
})
