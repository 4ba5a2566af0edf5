import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'

const write = temporaryFiles()
const parquet = fileURLToPath(new URL('../fixtures/data/labelled.parquet', import.meta.url))

function shards(folder: string, extension: string, ...contents: string[]): string {
  const names = contents.map((_, at) => `${folder}/train-0000${at}-of-0000${contents.length}.${extension}`)
  return dirname(names.map((name, at) => write(name, contents[at]!))[0]!)
}

describe('a split of several files', () => {
  it('decides the type of a CSV column over all of them', async () => {
    const { train } = await loadDataset(
      shards('texts', 'csv', 'text,label\ngood,1\nbad,0\n', 'text,label\nmeh,unknown\nfine,1\n'),
    )
    expect(train.column('label')).toEqual(['1', '0', 'unknown', '1'])
    expect(train.features['label']?.dtype).toBe('string')
    const numbers = await loadDataset(shards('numbers', 'csv', 'a,b\n1,NA\n', 'a,b\n2.5,1\n'))
    expect(numbers.train.toArray()).toEqual([
      { a: 1, b: null },
      { a: 2.5, b: 1 },
    ])
    expect(numbers.train.features['a']?.dtype).toBe('float64')
  })

  it.each([
    ['numbers', 'texts', '{"a":0,"b":1}\n', '{"a":0,"b":"1"}\n'],
    ['booleans', 'numbers', '{"a":0,"b":true}\n', '{"a":0,"b":1}\n'],
    ['texts', 'lists', '{"a":0,"b":"x"}\n', '{"a":0,"b":[1]}\n'],
    ['numbers', 'lists', '{"a":0,"b":null}\n{"a":0,"b":3}\n', '{"a":0,"b":["x"]}\n'],
  ])('that hold %s and %s is an error that names both', async (first, second, one, other) => {
    const folder = shards(`${first}-${second}`, 'jsonl', one, other)
    await expect(loadDataset(folder)).rejects.toThrow(
      new RegExp(
        `Column 'b' has ${first} in .*train-00000-of-00002\\.jsonl, but ${second} in .*train-00001-of-00002\\.jsonl ` +
          "of the same split\\..*columns: \\['a'\\]",
      ),
    )
    expect((await loadDataset(folder, { columns: ['a'] })).train.column('a')).toContain(0)
  })

  it('of different formats is checked as well', async () => {
    const csv = write('mixed/b.csv', 'label\nx\n')
    const json = write('mixed/a.jsonl', '{"label":1}\n')
    await expect(loadDataset('', { dataFiles: [json, csv] })).rejects.toThrow(
      /numbers in .*a\.jsonl, but texts in .*b\.csv/,
    )
    const more = write('mixed/c.csv', 'label\n2\n')
    expect((await loadDataset('', { dataFiles: [json, more] })).train.column('label')).toEqual([1, 2])
    expect((await loadDataset('', { dataFiles: [more, json] })).train.column('label')).toEqual([2, 1])
  })

  it('may leave a type open in one file', async () => {
    const folder = shards('open', 'jsonl', '{"a":null,"b":[]}\n', '{"a":"x","b":["y"]}\n')
    expect((await loadDataset(folder)).train.toArray()).toEqual([
      { a: null, b: [] },
      { a: 'x', b: ['y'] },
    ])
  })

  it('whose files number other classes is an error', async () => {
    const other = fileURLToPath(new URL('../fixtures/data/otherClasses.parquet', import.meta.url))
    await expect(loadDataset('', { dataFiles: [parquet, other] })).rejects.toThrow(
      /'label' has the classes negative, neutral, positive in .*, but positive, neutral, negative in .*otherClasses/,
    )
    expect((await loadDataset('', { dataFiles: [parquet, parquet] })).train.features['label']?.names).toEqual([
      'negative',
      'neutral',
      'positive',
    ])
  })
})
