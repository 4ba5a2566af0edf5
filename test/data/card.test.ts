import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'

const write = temporaryFiles()
let folders = 0

/** A folder with a card and files. Right values are those of `datasets` 5.2, unless a comment says otherwise. */
function folder(yaml: string, files: Readonly<Record<string, string>>): string {
  const name = `${folders++}`
  for (const [file, content] of Object.entries(files)) write(`${name}/${file}`, content)
  return dirname(write(`${name}/README.md`, `---\n${yaml}\n---\nReviews.\n`))
}

const reviews = {
  'final/reviews_a.csv': 'text,label\ngood,1\nbad,0\n',
  'final/reviews_b.csv': 'text,label\nfine,1\n',
}
const labels = `dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '1': pos`

describe("a card's files", () => {
  it('are split as it says', async () => {
    const configs = `configs:
- config_name: default
  data_files:
  - split: train
    path: final/reviews_a.csv
  - split: test
    path: final/reviews_b.csv`
    const dataset = await loadDataset(folder(configs, reviews))
    expect(dataset.numRows).toEqual({ train: 2, test: 1 })
    expect(dataset.test.get(0)).toEqual({ text: 'fine', label: 1 })
    const windows = folder('x', reviews)
    write(`${folders - 1}/README.md`, `\ufeff---\r\n${configs.replaceAll('\n', '\r\n')}\r\n---\r\nReviews.`)
    expect((await loadDataset(windows)).numRows).toEqual({ train: 2, test: 1 })
  })

  it.each([
    ['final/reviews_a.csv', { train: 2 }],
    ['final/*.csv', { train: 3 }],
    ['"**/*_b.csv"', { train: 1 }],
    ['"**"', { train: 3 }],
    ['[final/reviews_b.csv, final/reviews_?.csv]', { train: 3 }],
    ['[{ split: test, path: "final/reviews_[!a].*" }]', { test: 1 }],
    ['[{ split: own_name, path: [final/reviews_a.csv, final/reviews_b.csv] }]', { own_name: 3 }],
  ])('may be patterns: %s', async (dataFiles, rows) => {
    const configs = `configs:\n- config_name: default\n  data_files: ${dataFiles}`
    expect((await loadDataset(folder(configs, reviews))).numRows).toEqual(rows)
  })

  it('may be patterns in the option as well', async () => {
    const place = folder('license: mit', reviews)
    expect((await loadDataset(place, { dataFiles: 'final/*.csv' })).numRows).toEqual({ train: 3 })
    expect((await loadDataset(place, { dataFiles: { test: ['**/*_b.csv'] } })).numRows).toEqual({ test: 1 })
    await expect(loadDataset(place, { dataFiles: '*.csv' })).rejects.toThrow(
      /no data files that match \*\.csv\. It has README\.md, final\/reviews_a\.csv, final\/reviews_b\.csv/,
    )
  })

  it('are read as it says', async () => {
    const configs = 'configs:\n- config_name: default\n  data_files: a.csv\n  sep: ";"\n  skiprows: 1\n  decimal: ","'
    const place = folder(configs, { 'a.csv': 'a tool\ntext;score\nx,y;0,5\n' })
    expect((await loadDataset(place)).train.toArray()).toEqual([{ text: 'x,y', score: 0.5 }])
    expect((await loadDataset(place, { decimal: '.' })).train.toArray()).toEqual([{ text: 'x,y', score: '0,5' }])
    const unknown = 'configs:\n- config_name: default\n  data_files: a.csv\n  thousands: "."'
    await expect(loadDataset(folder(unknown, { 'a.csv': 'a\n1\n' }))).rejects.toThrow(
      /README\.md gives configuration 'default' the option thousands, .*dataFiles: \{ train: … \}/,
    )
  })

  it('that are not there are an error that says what is', async () => {
    const configs = 'configs:\n- config_name: default\n  data_files: final/*.parquet'
    await expect(loadDataset(folder(configs, reviews))).rejects.toThrow(/match final\/\*\.parquet\. It has README\.md/)
    const one = 'configs:\n- config_name: default\n  data_files: final/reviews_c.csv'
    await expect(loadDataset(folder(one, reviews))).rejects.toThrow(/Did you mean .*reviews_[ab]\.csv/)
  })
})

describe("a card's configurations", () => {
  const files = { 'a.jsonl': '{"x":1}\n{"x":2}\n', 'b.jsonl': '{"x":3}\n' }
  const configs = `dataset_info:
- config_name: a
  features:
  - name: x
    dtype: float32
- config_name: b
  features:
  - name: x
    dtype: string
configs:
- config_name: a
  data_files: a.jsonl
- config_name: b
  data_files: b.jsonl`

  it('are chosen by name, each with its columns', async () => {
    const place = folder(configs, files)
    const a = (await loadDataset(place, 'a')).train
    expect([a.column('x'), a.features['x']?.dtype]).toEqual([[1, 2], 'float32'])
    const b = (await loadDataset(place, { name: 'b' })).train
    expect([b.column('x'), b.features['x']?.dtype]).toEqual([['3'], 'string'])
    await expect(loadDataset(place)).rejects.toThrow(
      /several configurations: a, b\. Name one: loadDataset\('.*', 'a'\)/,
    )
    await expect(loadDataset(place, 'c')).rejects.toThrow(/no configuration 'c'; it has a, b/)
  })

  it('have a default', async () => {
    expect((await loadDataset(folder(`${configs}\n  default: true`, files))).train.column('x')).toEqual(['3'])
    const named = configs.replaceAll('config_name: a', 'config_name: default')
    expect((await loadDataset(folder(named, files))).train.column('x')).toEqual([1, 2])
    await expect(loadDataset(folder(`${named}\n  default: true`, files))).rejects.toThrow(
      /calls default and b its default\. .* several configurations: default, b/,
    )
  })

  it('without files have those of all folders, split by their names', async () => {
    const place = folder('configs:\n- config_name: default', { 'test.csv': 'a\n1\n', 'x/train_1.csv': 'a\n2\n3\n' })
    expect((await loadDataset(place)).numRows).toEqual({ train: 2, test: 1 })
    await expect(loadDataset(folder('configs:\n- config_name: default', {}))).rejects.toThrow(/has no data files/)
  })

  it('may declare columns themselves', async () => {
    const yaml = 'configs:\n- config_name: a\n  data_files: a.jsonl\n  features:\n  - name: x\n    dtype: string'
    expect((await loadDataset(folder(yaml, files))).train.column('x')).toEqual(['1', '2'])
  })

  it('have the columns of their own name alone, in a list or by itself', async () => {
    const info = (name: string): string => `dataset_info:\n  ${name}features:\n  - name: x\n    dtype: string`
    const read = async (yaml: string, name?: string): Promise<unknown> =>
      (await loadDataset(folder(yaml, { 'a.jsonl': '{"x":1}\n' }), name)).train.column('x')
    const config = '\nconfigs:\n- config_name: a\n  data_files: a.jsonl'
    expect(await read(info(''))).toEqual(['1'])
    expect(await read(info('config_name: plain\n  '))).toEqual(['1'])
    expect(await read(info('config_name: a\n  ') + config)).toEqual(['1'])
    expect(await read(info('') + config)).toEqual([1])
    expect(await read(info('config_name: b\n  ') + config)).toEqual([1])
    expect(await read(info('') + config.replace('config_name: a', 'config_name: default'))).toEqual(['1'])
  })

  it('that are there twice are an error, and so are splits', async () => {
    const twice = 'configs:\n- config_name: a\n  data_files: a.jsonl\n- config_name: a\n  data_files: b.jsonl'
    await expect(loadDataset(folder(twice, files))).rejects.toThrow(/has two configurations 'a'/)
    const path = (name: string): string => `\n  - split: train\n    path: ${name}`
    const splits = `configs:\n- config_name: a\n  data_files:${path('a.jsonl')}${path('b.jsonl')}`
    await expect(loadDataset(folder(splits, files))).rejects.toThrow(
      /have the split 'train' twice\. List all its files/,
    )
  })

  it('have splits in the order of the card, and a pattern without files matters for its split alone', async () => {
    const path = (split: string, name: string): string => `\n  - split: ${split}\n    path: ${name}`
    const yaml = `configs:\n- config_name: a\n  data_files:${path('z', 'b.jsonl')}${path('train', './a.*')}`
    const place = folder(yaml, files)
    expect(Object.keys((await loadDataset(place)).splits)).toEqual(['z', 'train'])
    const gap = folder(`${yaml}${path('test', '"c*"')}`, files)
    expect((await loadDataset(gap, { split: 'z' })).column('x')).toEqual([3])
    await expect(loadDataset(gap, { split: 'test' })).rejects.toThrow(/no data files that match c\*/)
    await expect(loadDataset(gap)).rejects.toThrow(/no data files that match c\*/)
    await expect(loadDataset(gap, { split: 'dev' })).rejects.toThrow(/no split 'dev'; there are z, train, test/)
  })

  it('may name a folder whose file names tell the splits', async () => {
    const yaml = 'configs:\n- config_name: default\n  data_dir: v2'
    const place = folder(yaml, { 'train.csv': 'a\n0\n', 'v2/train.csv': 'a\n1\n2\n', 'v2/test.csv': 'a\n3\n' })
    expect((await loadDataset(place)).numRows).toEqual({ train: 2, test: 1 })
  })
})

describe("a card's columns", () => {
  it.each([
    ['train.csv', 'text,label\n1,pos\n007,neg\n'],
    ['train.csv', 'text,label\n1,1\n007,0\n'],
    ['train.jsonl', '{"text":"1","label":"pos"}\n{"text":"007","label":0}\n'],
  ])('number classes and keep texts: %s %j', async (file, content) => {
    const { train } = await loadDataset(folder(labels, { [file]: content }))
    expect(train.toArray()).toEqual([
      { text: '1', label: 1 },
      { text: '007', label: 0 },
    ])
    expect(train.features['label']).toEqual({ type: 'ClassLabel', dtype: 'int64', names: ['neg', 'pos'] })
  })

  it('have the names that their author wrote, by number', async () => {
    // Python reads YAML 1.1, in which no and yes are False and True; the names are meant
    const names = ['no', 'yes', '1.0', 'null', ...Array.from({ length: 8 }, (_, i) => `n${i}`)]
    const written = names.map((name, at) => `          '${at}': ${name}`).reverse()
    const yaml = labels.replace(/ +'0': neg\n +'1': pos/, written.join('\n'))
    const { train } = await loadDataset(folder(yaml, { 'train.csv': 'text,label\na,n7\nb,no\nc,1.0\nd,null\n' }))
    expect(train.features['label']?.names).toEqual(names)
    expect(train.column('label')).toEqual([11, 0, 2, 3])
    const list = labels.replace(/names:[^]*/, 'names: [no, yes]')
    expect((await loadDataset(folder(list, { 'a.csv': 'text,label\na,yes\n' }))).train.column('label')).toEqual([1])
  })

  it('take a column of numbers for numbers of classes, whatever these are called', async () => {
    const yaml = labels.replace('neg', "'1'")
    const read = async (cells: string): Promise<unknown> =>
      (await loadDataset(folder(yaml, { 'a.csv': `text,label\na,1\n${cells}` }))).train.column('label')
    expect(await read('b,0\nc,\n')).toEqual([1, 0, null])
    expect(await read('b,pos\nc,NA\n')).toEqual([0, 1, null])
  })

  it('may be missing in rows or files', async () => {
    const gaps = folder(labels, { 'test.jsonl': '{"text":"a","label":-1}\n{"text":"b","label":null}\n' })
    expect((await loadDataset(gaps)).test.column('label')).toEqual([-1, null])
    const missing = folder(labels, { 'test.csv': 'text\na\n', 'train.csv': 'text,label\nb,NA\n' })
    expect((await loadDataset(missing)).test.toArray()).toEqual([{ text: 'a', label: null }])
    expect((await loadDataset(missing)).train.toArray()).toEqual([{ text: 'b', label: null }])
    expect((await loadDataset(missing, { columns: ['text'] })).test.toArray()).toEqual([{ text: 'a' }])
  })

  it('refuse what is not declared, naming the row', async () => {
    const read = (file: string, content: string): Promise<unknown> => loadDataset(folder(labels, { [file]: content }))
    await expect(read('train.csv', 'text,label\na,pos\nb,nobody\n')).rejects.toThrow(
      /Column 'label' of .*train\.csv holds "nobody" at row 1; its README\.md declares one of 2 classes: neg, pos/,
    )
    // Python lets numbers out of range pass, and fails later
    await expect(read('train.jsonl', '{"text":"a","label":17}\n')).rejects.toThrow(/holds 17 at row 0; .* 2 classes/)
    const extra = folder(labels, { 'train.csv': 'id,text,label\n1,a,pos\n' })
    await expect(loadDataset(extra)).rejects.toThrow(
      /has a column 'id', which its README\.md does not declare\. .*columns: \['text', 'label'\]/,
    )
    expect((await loadDataset(extra, { columns: ['text', 'label'] })).train.get(0)).toEqual({ text: 'a', label: 1 })
    const numbers = 'dataset_info:\n  features:\n  - name: a\n    dtype: int64'
    await expect(loadDataset(folder(numbers, { 'a.csv': 'a\n1.5\n' }))).rejects.toThrow(/holds 1\.5 at row 0; .* int64/)
    await expect(loadDataset(folder(numbers, { 'a.csv': 'a\nx\n' }))).rejects.toThrow(/holds "x" at row 0; .* int64/)
  })

  it('are not asked for when a card has none, or no YAML', async () => {
    const plain = folder('license: mit\ntags:\n- text', reviews)
    expect((await loadDataset(join(plain, 'final'))).numRows).toEqual({ train: 3 })
    write(`${folders - 1}/README.md`, '# Reviews\n---\nnot: yaml\n---\n')
    expect((await loadDataset(plain, 'final')).numRows).toEqual({ train: 3 })
    await expect(loadDataset(folder('a: [1', reviews))).rejects.toThrow(/The YAML of .*README\.md cannot be read/)
  })
})

describe('a split that is there twice', () => {
  it.each([
    ['train.csv', 'train.jsonl'],
    ['train.csv', 'train.tsv'],
    ['train-00000-of-00001.csv', 'more/train.json'],
  ])('as %s and %s is refused, and one of them can be named', async (csv, other) => {
    const row = other.endsWith('.tsv') ? 'a\n1\n' : '{"a":1}\n'
    const place = folder('license: mit', { [csv]: 'a\n1\n', [other]: row, 'test.csv': 'a\n1\n' })
    await expect(loadDataset(place)).rejects.toThrow(/has the split train twice: in .* and in .*dataFiles: \{ train: '/)
    expect((await loadDataset(place, { dataFiles: { train: csv, test: 'test.csv' } })).numRows).toEqual({
      train: 1,
      test: 1,
    })
  })
})

describe('a folder of save_to_disk', () => {
  it('is told from others, with how to convert it', async () => {
    const files = { 'train/data-00000-of-00001.arrow': '', 'train/state.json': '{}', 'train/dataset_info.json': '{}' }
    const dict = folder('license: mit', { ...files, 'dataset_dict.json': '{"splits": ["train"]}' })
    await expect(loadDataset(dict)).rejects.toThrow(
      /was written by save_to_disk .*load_from_disk\(".*"\); \[split\.to_parquet\(.*for name, split in dataset\.items\(\)\]/,
    )
    await expect(loadDataset(join(dict, 'train'))).rejects.toThrow(/dataset\.to_parquet\(".*train\.parquet"\)/)
  })
})

describe("a card's lists", () => {
  it.each(['list', 'sequence'])('of classes have their names, under %s', async word => {
    // as datasets 5.2 and 2.x write them
    const info = `dataset_info:
  features:
  - name: tokens
    ${word}: string
  - name: ner_tags
    ${word}:
      class_label:
        names:
          '0': O
          '1': B-PER`
    const dataset = await loadDataset(folder(info, { 'train.jsonl': '{"tokens": ["a", "b"], "ner_tags": [1, 0]}\n' }))
    expect(dataset.train.features).toEqual({
      tokens: { type: 'List', dtype: 'string', feature: { type: 'Value', dtype: 'string' } },
      ner_tags: {
        type: 'List',
        dtype: 'int64',
        feature: { type: 'ClassLabel', dtype: 'int64', names: ['O', 'B-PER'] },
      },
    })
    expect(dataset.train.get(0)).toEqual({ tokens: ['a', 'b'], ner_tags: [1, 0] })
  })
})
