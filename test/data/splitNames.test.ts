import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { splitsByName } from '../../src/data/splitNames'

/** Folders whose rows say which file they stand in; right values are those of Python's `datasets` 5.2. */
const fixtures = fileURLToPath(new URL('../fixtures/hub/split-names', import.meta.url))
const { want } = JSON.parse(readFileSync(join(fixtures, 'case.json'), 'utf8')) as {
  want: Record<string, Record<string, Record<string, number>>>
}

describe('the splits of a folder', () => {
  it.each(Object.entries(want))('are those of Python: %s', async (name, splits) => {
    const dataset = await loadDataset(join(fixtures, name))
    const found = Object.entries(dataset.splits).map(([split, rows]) => [split, rows.column('file') as string[]])
    const files = (counts: Record<string, number>): string[] =>
      Object.entries(counts).flatMap(([file, rows]) => Array<string>(rows).fill(file))
    expect(found).toEqual(Object.entries(splits).map(([split, counts]) => [split, files(counts)]))
  })
})

describe('the names of files and folders', () => {
  const splits = (...paths: string[]): [string, readonly string[]][] => Object.entries(splitsByName(paths))

  it('say a split between separators and digits alone', () => {
    expect(splits('a/my train.csv', 'b/val.2.csv', 'c/test9.csv', 'trained.csv', 'testtrain.csv', 'xdev.csv')).toEqual([
      ['train', ['a/my train.csv']],
      ['validation', ['b/val.2.csv']],
      ['test', ['c/test9.csv']],
    ])
  })

  it('have folders win over files, wherever these are', () => {
    expect(splits('x/my-dev_1/y/train.csv', 'train.csv')).toEqual([['validation', ['x/my-dev_1/y/train.csv']]])
    expect(splits('test/train/a.csv')).toEqual([
      ['train', ['test/train/a.csv']],
      ['test', ['test/train/a.csv']],
    ])
  })

  it('give the files of one word after those of another, each sorted as text', () => {
    const files = ['train-10.csv', 'train-2.csv', 'b-train.csv', 'training.csv', 'Train.csv', 'a/train.csv']
    const [, found] = splits(...files)[0]!
    expect(found).toEqual(['a/train.csv', 'train-10.csv', 'train-2.csv', 'b-train.csv', 'training.csv'])
  })

  it('give any split in data/, training, validation and test first', () => {
    const shard = (name: string): string => `data/${name}-00000-of-00001.csv`
    const names = ['a_b', 'test', 'Z', 'train', 'validation_matched', 'validation']
    expect(splits(...names.map(shard), 'train.csv', 'data/dev.csv').map(([name]) => name)).toEqual([
      ...['train', 'validation', 'test', 'Z', 'a_b', 'validation_matched'],
    ])
    expect(splits('x/data/more-00000-of-00001.csv', 'data/more-0000-of-0001.csv').map(([name]) => name)).toEqual([
      'train',
    ])
  })

  // Python reads these rows twice, or joins MNLI's two sets for validation
  it('count a file once for a split', () => {
    expect(splits('train-train.csv', 'dev-val.csv')).toEqual([
      ['train', ['train-train.csv']],
      ['validation', ['dev-val.csv']],
    ])
  })

  it.each([
    'dev_matched.tsv,dev_mismatched.tsv',
    'validation_matched-0-of-1.parquet,validation_mismatched-0-of-1.parquet',
  ])('tell the two sets of MNLI apart: %s', names => {
    const [matched = '', mismatched = ''] = names.split(',')
    expect(splits('train.tsv', matched, mismatched)).toEqual([
      ['train', ['train.tsv']],
      ['validation_matched', [matched]],
      ['validation_mismatched', [mismatched]],
    ])
    expect(splits('train.tsv', matched)[1]).toEqual(['validation', [matched]])
  })
})
