import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { Dataset, DatasetDict, loadDataset } from '../../src/index'
import { useHub } from '../helpers/useHub'

const used = useHub({ token: 'hf_loopback' })

const id = 'loopback/reviews'
const names = ['no', 'yes', '1.0', '=']
const classes = { label: { type: 'ClassLabel', dtype: 'int64', names } } as const

function reviews(count: number, first = 0): Dataset<{ text: string; label: number }> {
  const rows = Array.from({ length: count }, (_, row) => row + first)
  return Dataset.fromColumns({ text: rows.map(row => `review ${row}`), label: rows.map(row => row % 4) }, classes)
}

interface Card {
  readonly dataset_info: Readonly<Record<string, unknown>>
  readonly configs: unknown
}

function readme(): string {
  return Buffer.from(used.hub.files('dataset', id)['README.md']!).toString()
}

const card = (): Card => parse(/^---\r?\n(.*?)^---\r?$/ms.exec(readme())![1]!) as Card
const paths = (): string[] => Object.keys(used.hub.files('dataset', id)).toSorted()
const textsOf = async (split: string, name?: string): Promise<string[]> =>
  (await loadDataset(id, name, { split })).column('text')

describe('pushToHub of a dataset', () => {
  it("makes the repository, the files and the card that Python's push_to_hub makes", async () => {
    const pushed = await reviews(3).pushToHub('reviews', { private: true })
    expect(used.hub.repository('dataset', id)?.private).toBe(true)
    expect(used.hub.commits('dataset', id)[0]).toMatchObject({ oid: pushed.oid, message: 'Upload dataset' })
    expect(paths().filter(path => path !== '.gitattributes')).toEqual([
      'README.md',
      'data/train-00000-of-00001.parquet',
    ])
    const size = used.hub.files('dataset', id)['data/train-00000-of-00001.parquet']!.length
    // what Python writes for these rows, but for the size of the file
    expect(readme()).toBe(`---
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': 'no'
          '1': 'yes'
          '2': '1.0'
          '3': '='
  splits:
  - name: train
    num_bytes: 60
    num_examples: 3
  download_size: ${size}
  dataset_size: 60
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
---
`)
    const { train } = await loadDataset(id)
    expect(train.toArray()).toEqual(reviews(3).toArray())
    expect(train.features['label']?.names).toEqual(names)
  })

  it('keeps other splits, and removes the old files of its own in the same commit', async () => {
    await reviews(9).pushToHub(id, { numShards: 3 })
    await reviews(2, 100).pushToHub(id, { split: 'validation' })
    const { oid } = await reviews(4, 50).pushToHub(id, { numShards: 2, commitMessage: 'Fewer' })
    expect(used.hub.commits('dataset', id)[0]).toMatchObject({ oid, message: 'Fewer' })
    expect(paths().filter(path => path.startsWith('data/'))).toEqual([
      'data/train-00000-of-00002.parquet',
      'data/train-00001-of-00002.parquet',
      'data/validation-00000-of-00001.parquet',
    ])
    expect(await textsOf('train')).toEqual(['review 50', 'review 51', 'review 52', 'review 53'])
    const part = await loadDataset(id, { split: 'validation[:1]' })
    await part.pushToHub('acme/parts') // the split that it was loaded from
    expect((await loadDataset('acme/parts')).numRows).toEqual({ validation: 1 })
    const sizes = paths().map(path => (path.startsWith('data/') ? used.hub.files('dataset', id)[path]!.length : 0))
    expect(card().dataset_info).toMatchObject({
      splits: [
        { name: 'validation', num_examples: 2 },
        { name: 'train', num_examples: 4 },
      ],
      download_size: sizes.reduce((total, size) => total + size),
    })
  })

  it('adds configurations beside one another, each in a folder of its own', async () => {
    await reviews(2).pushToHub(id)
    await reviews(3, 10).pushToHub(id, { configName: 'small', setDefault: false })
    expect(paths()).toContain('small/train-00000-of-00001.parquet')
    expect(await textsOf('train', 'small')).toEqual(['review 10', 'review 11', 'review 12'])
    expect(await textsOf('train', 'default')).toEqual(['review 0', 'review 1'])
    expect(card().dataset_info).toMatchObject([{ config_name: 'default' }, { config_name: 'small' }])
    await expect(reviews(1).pushToHub(id, { configName: 'other', setDefault: true })).rejects.toThrow(
      `${id} has a configuration named 'default', which stays the default one.`,
    )
  })

  it('leaves what else a card says as it is written', async () => {
    const other = '- config_name: other\n  data_files: other.csv\n  sep: ";"\n'
    const text = `---\r\nlicense: mit # ours\r\nconfigs:\n${other}---\r\n\r\n# Reviews\r\nBy hand.\r\n`
    used.hub.add('dataset', id, { 'README.md': text, 'other.csv': 'a;b\n1;2\n', 'data/notes.txt': 'kept' })
    await reviews(2).pushToHub(id, { setDefault: false, dataDir: 'data/en' })
    expect(readme()).toContain('license: mit # ours\r\n')
    expect(readme().endsWith('---\r\n\r\n# Reviews\r\nBy hand.\r\n')).toBe(true)
    expect(card().configs).toEqual([
      { config_name: 'default', data_files: [{ split: 'train', path: 'data/en/train-*' }] },
      { config_name: 'other', data_files: 'other.csv', sep: ';' },
    ])
    expect(paths()).toEqual(expect.arrayContaining(['other.csv', 'data/notes.txt']))
    expect(await textsOf('train', 'default')).toEqual(['review 0', 'review 1'])
  })

  it('is built on the commit that somebody else has made meanwhile', async () => {
    await reviews(1).pushToHub(id)
    used.hub.fault({ status: 412, match: '/commit/', times: 1 })
    await reviews(2, 5).pushToHub(id, { split: 'test' })
    expect(Object.keys((await loadDataset(id)).splits)).toEqual(['train', 'test'])
  })

  it('refuses a split with other columns than the others of its configuration, before anything is pushed', async () => {
    await reviews(2).pushToHub(id)
    const commits = used.hub.commits('dataset', id).length
    const { label, ...text } = { ...classes, text: { type: 'Value', dtype: 'string' } as const }
    const fewer = Dataset.fromColumns(
      { text: ['a'], label: [0] },
      { ...text, label: { ...label, names: ['no', 'yes'] } },
    )
    await expect(fewer.pushToHub(id, { split: 'test' })).rejects.toThrow(
      /The split test has the columns text, label, but not those of loopback\/reviews.*another type in label.*DatasetDict/,
    )
    expect(used.hub.commits('dataset', id)).toHaveLength(commits)
    await fewer.pushToHub(id) // the only split may change
  })

  it('writes files of at most so many bytes', async () => {
    await reviews(10).pushToHub(id, { maxShardSize: 100 })
    expect(paths().filter(path => path.startsWith('data/'))).toHaveLength(3)
    expect(await textsOf('train')).toEqual(reviews(10).column('text'))
  })

  it.each([
    [{ configName: 'data' }, "configName is 'data', which cannot name a configuration"],
    [{ configName: '../up' }, "configName is '../up'"],
    [{ dataDir: 'a/../..' }, "dataDir is 'a/../..'"],
    [{ split: 'my split' }, "'my split' cannot be the name of a split"],
    [{ maxShardSize: 'much' }, "maxShardSize is 'much'"],
    [{ maxShardSize: '1MB', numShards: 2 }, 'maxShardSize and numShards both say'],
    [{ numShards: 0 }, 'numShards must be a whole number above 0, not 0'],
    [{ private: 'yes' }, "private is 'yes'; true or false"],
  ])('refuses %j', async (options, message) => {
    await expect(reviews(1).pushToHub(id, options as object)).rejects.toThrow(message)
    expect(used.hub.requests).toEqual([])
  })
})

describe('pushToHub of a DatasetDict', () => {
  it('pushes all splits as one commit, and removes others', async () => {
    await reviews(2).pushToHub(id, { split: 'old', numShards: 2 })
    const commits = used.hub.commits('dataset', id).length
    await new DatasetDict({ train: reviews(3), test: reviews(1, 7) }).pushToHub(id, { numShards: { train: 2 } })
    expect(used.hub.commits('dataset', id)).toHaveLength(commits + 1)
    expect(paths().filter(path => path.startsWith('data/'))).toEqual([
      'data/test-00000-of-00001.parquet',
      'data/train-00000-of-00002.parquet',
      'data/train-00001-of-00002.parquet',
    ])
    expect((await loadDataset(id)).numRows).toEqual({ train: 3, test: 1 })
  })

  it('refuses splits that differ', async () => {
    const splits = new DatasetDict({ train: reviews(1), test: Dataset.fromRows([{ text: 'a', label: 0.5 }]) })
    await expect(splits.pushToHub(id)).rejects.toThrow("The splits train and test differ in column 'label'")
    await expect(new DatasetDict({}).pushToHub(id)).rejects.toThrow('without splits')
  })
})
