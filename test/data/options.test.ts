import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Dataset, DatasetDict } from '../../src/data/dataset'
import { loadDataset } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'

const write = temporaryFiles()
const csv = write('a.csv', 'text,label\nx,1\n')
const jsonl = write('b.jsonl', '{"text":"x"}\n')
const parquet = fileURLToPath(new URL('../fixtures/data/labelled.parquet', import.meta.url))
const rows = [{ text: 'a' }, { text: 'b' }, { text: 'c' }]

/** The methods as JavaScript sees them, which has no types to refuse what they do not take. */
type Untyped = Record<string, (...given: unknown[]) => unknown>
const dataset = Dataset.fromRows(rows) as unknown as Untyped
const dict = new DatasetDict({ train: Dataset.fromRows(rows) }) as unknown as Untyped
const load = loadDataset as unknown as (...given: unknown[]) => Promise<unknown>
const keep = (): boolean => true

describe('an option that does not exist', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['shuffle', () => dataset['shuffle']!({ sed: 1 }), /shuffle\(\) has no option "sed".*Did you mean seed\?/],
    ['shuffle of splits', () => dict['shuffle']!({ sead: 1 }), /Did you mean seed\?/],
    ['trainTestSplit', () => dataset['trainTestSplit']!({ test_size: 1 }), /Did you mean testSize\?/],
    ['trainTestSplit of scikit-learn', () => dataset['trainTestSplit']!({ stratify: 'a' }), /it is stratifyByColumn/],
    ['filter', () => dataset['filter']!(keep, { num_proc: 4 }), /filter\(\) has no option "num_proc"/],
    ['filter of splits', () => dict['filter']!(keep, { numProc: 4 }), /filter\(\) has no option "numProc"/],
    ['map', () => dataset['map']!(() => ({}), { batchsize: 4 }), /map\(\) has no option "batchsize".*batchSize\?/],
    ['map of splits', () => dict['map']!(() => ({}), { remove_columns: [] }), /Did you mean removeColumns\?/],
    ['select', () => dataset['select']!([0], { keepInMemory: true }), /no options, .* given \{ keepInMemory \}/],
    ['loadDataset', () => load(csv, { seperator: ';' }), /no option "seperator"/],
    ['loadDataset with a configuration', () => load(csv, 'default', { splits: 'train' }), /Did you mean split\?/],
    ['loadDataset of pandas', () => load(csv, { usecols: ['text'] }), /Here it is columns\./],
    ['loadDataset of pandas', () => load(csv, { names: ['text'] }), /Here it is columnNames\./],
    ['loadDataset of pandas', () => load(csv, { skiprows: 1 }), /Did you mean skipRows\?/],
    ['loadDataset of datasets', () => load(csv, { data_files: csv }), /Did you mean dataFiles\?/],
    ['loadDataset of rows', () => load(rows, { columns: ['text'] }), /of rows in memory has no option "columns"/],
  ])('of %s is refused', async (_, call, message) => {
    await expect((async () => call())()).rejects.toThrow(message)
  })
})

describe('what is given', () => {
  const made = Dataset as unknown as Untyped
  it.each<[string, () => unknown, RegExp]>([
    ['filter', () => dataset['filter']!(5), /filter\(\) takes a function, not 5/],
    ['filter of splits', () => dict['filter']!(), /filter\(\) takes a function, not undefined/],
    ['map', () => dataset['map']!({ text: 1 }), /map\(\) takes a function, not \{ text \}/],
    ['map of splits', () => dict['map']!('text'), /map\(\) takes a function, not 'text'/],
    ['map of splits', () => dict['map']!(keep, 5), /map\(\) takes its options as an object, not 5/],
    ['map', () => dataset['map']!(keep, { batched: 1 }), /batched is 1; true or false was expected/],
    ['map', () => dataset['map']!(keep, { removeColumns: 5 }), /removeColumns is 5; the names of columns were/],
    ['selectColumns', () => dataset['selectColumns']!({ columns: ['text'] }), /name of a column is a text/],
    ['shuffle', () => dataset['shuffle']!(1.5), /seed must be a whole number/],
    ['fromColumns', () => made['fromColumns']!(null), /Columns come as an object of lists by name, not as null/],
    ['fromColumns', () => made['fromColumns']!([[1]]), /Columns come as an object of lists by name, not as a list/],
    ['loadDataset', () => load(null), /takes a path, an id or rows, not null/],
    ['loadDataset', () => load(5), /takes a path, an id or rows, not 5/],
    ['loadDataset', () => load(csv, { split: 5 }), /split is 5; the name of a split/],
    ['loadDataset', () => load(csv, { dataDir: 5 }), /dataDir is 5; the path of a folder was expected/],
    ['loadDataset', () => load(csv, { split: 'train' }, { sep: ';' }), /configuration is \{ split \}.* options once/],
    ['loadDataset', () => load('acme/reviews', { token: 5 }), /token is a number; a text, true or false was/],
  ])('to %s is of the kind that it takes', async (_, call, message) => {
    await expect((async () => call())()).rejects.toMatchObject({
      code: 'argument',
      message: expect.stringMatching(message) as string,
    })
  })
})

describe('options', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['shuffle', () => dataset['shuffle']!('42'), /shuffle\(\) takes its options as an object, not '42'/],
    ['trainTestSplit', () => dataset['trainTestSplit']!(0.2), /takes its options as an object, not 0\.2/],
    ['filter', () => dataset['filter']!(keep, 'text'), /takes its options as an object, not 'text'/],
    ['map', () => dataset['map']!(() => ({}), [true]), /takes its options as an object, not a list/],
    ['loadDataset', () => load(csv, 'default', 'train'), /takes its options as an object, not 'train'/],
    ['loadDataset', () => load(csv, 3), /takes its options as an object, not 3/],
  ])('of %s are an object', async (_, call, message) => {
    await expect((async () => call())()).rejects.toThrow(message)
  })

  it.each<[object, RegExp]>([
    [{ quoting: 3 }, /quoting must be true or false, not 3/],
    [{ sep: /;/ }, /sep must be a text, not \{\}/],
    [{ sep: '\\s+' }, /delimiter '\\s\+' looks like a regular expression/],
    [{ encoding: 8 }, /encoding must be a text, not 8/],
    [{ nRows: -1 }, /nRows must be a whole number, 0 or above, not -1/],
    [{ skipRows: [0, 2] }, /skipRows must be a whole number, 0 or above, not \[0,2\]/],
    [{ columns: 'text' }, /columns must be a list of names, not "text"/],
    [{ columns: [] }, /columns must be a list of names/],
    [{ columnNames: [1, 2] }, /columnNames must be a list of names/],
    [{ decimal: ';' }, /decimal must be '\.' or ',', not ";"/],
    [{ columns: ['txt'] }, /has no column 'txt'; its columns are text, label\. Did you mean 'text'\?/],
  ])('%o of loadDataset have values that can be', async (options, message) => {
    await expect(load(csv, options)).rejects.toThrow(message)
  })

  it.each<[string, object, RegExp]>([
    [parquet, { sep: ';' }, /sep is an option of csv and tsv files; .*labelled\.parquet is not one/],
    [parquet, { encoding: 'latin1' }, /encoding is an option of csv and tsv and jsonl/],
    [jsonl, { skipRows: 1 }, /skipRows is an option of csv and tsv files/],
    [csv, { field: 'data' }, /field is an option of json files; .*a\.csv is not one/],
  ])('of %s that nothing would read are refused: %o', async (file, options, message) => {
    await expect(load(file, options)).rejects.toThrow(message)
  })

  it('of trainTestSplit have values that can be', () => {
    expect(() => dataset['trainTestSplit']!({ testSize: '0.5' })).toThrow(/testSize must be a number, not "0\.5"/)
    expect(() => dataset['trainTestSplit']!({ shuffle: 'no' })).toThrow(/shuffle must be true or false, not "no"/)
    expect(() => dataset['shuffle']!({ seed: '42' })).toThrow(/seed must be a whole number, 0 or above, not 42/)
  })

  it('may not name two configurations, or one that chooses nothing', async () => {
    await expect(load(csv, 'a', { name: 'b' })).rejects.toThrow(/two configurations, 'a' and 'b'/)
    await expect(load(csv, 'train')).rejects.toThrow(/a\.csv is a file, .* 'train' chooses nothing.* split: 'train'/)
    await expect(load(dirname(csv), 'a', { dataFiles: 'a.csv' })).rejects.toThrow(/dataFiles names the files/)
    expect(await loadDataset(csv, { split: 'train' })).toHaveLength(1)
  })

  it('name columns one by one or in a list', () => {
    const wide = Dataset.fromRows([{ a: 1, b: 2, c: 3 }])
    expect(wide.removeColumns('a', 'c').columnNames).toEqual(['b'])
    expect(wide.selectColumns('c', 'a').columnNames).toEqual(['c', 'a'])
    expect(new DatasetDict({ train: wide }).removeColumns('a', 'c').columnNames).toEqual({ train: ['b'] })
    expect(new DatasetDict({ train: wide }).selectColumns(['c', 'a']).columnNames).toEqual({ train: ['c', 'a'] })
  })

  it('read the first rows of every format', async () => {
    expect((await loadDataset(parquet, { nRows: 2, columns: ['label'] })).train.column('label')).toEqual([0, 1])
    expect((await loadDataset(parquet, { nRows: 2 })).train.features['label']?.names).toHaveLength(3)
    expect((await loadDataset(write('c.jsonl', '{"a":1}\n{"a":2}\n'), { nRows: 1 })).train.column('a')).toEqual([1])
    expect((await loadDataset(write('d.csv', 'a\n1\n2\n'), { nRows: 0 })).train.length).toBe(0)
  })
})
