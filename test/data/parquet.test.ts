import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'
import { temporaryFolder } from '../helpers/temporaryFolder'

const fixtures = fileURLToPath(new URL('../fixtures/data', import.meta.url))
const write = temporaryFiles(temporaryFolder())

describe('parquet', () => {
  it('gives columns of every type, over row groups, with their features', async () => {
    const { train } = await loadDataset(join(fixtures, 'labelled.parquet'))
    expect(train.toArray()).toEqual([
      { sentence1: 'naïve café', label: 0, idx: 2 ** 40, score: 0.5, tokens: [1, 2, 3] },
      { sentence1: 'two', label: 1, idx: 2 ** 40 + 1, score: 1, tokens: [] },
      { sentence1: 'three', label: 2, idx: 2 ** 40 + 2, score: 2.25, tokens: [4] },
      { sentence1: '日本', label: 2, idx: 2 ** 40 + 3, score: 3, tokens: [5, 6] },
      { sentence1: '', label: 1, idx: 2 ** 40 + 4, score: 4, tokens: [70000] },
      { sentence1: null, label: 0, idx: 2 ** 40 + 5, score: 5, tokens: [-1] },
      { sentence1: 'seven', label: -1, idx: 2 ** 40 + 6, score: -6.5, tokens: [8, 9] },
    ])
    expect(train.features['label']).toEqual({
      type: 'ClassLabel',
      dtype: 'int64',
      names: ['negative', 'neutral', 'positive'],
    })
    expect(train.features['tokens']).toEqual({
      type: 'List',
      dtype: 'int32',
      feature: { type: 'Value', dtype: 'int32' },
    })
  })

  it('gives the names of classes in lists', async () => {
    const { train } = await loadDataset(join(fixtures, 'entities.parquet'))
    expect(train.features['ner_tags']).toEqual({
      type: 'List',
      dtype: 'int64',
      feature: { type: 'ClassLabel', dtype: 'int64', names: ['O', 'B-PER', 'I-PER'] },
    })
    expect(train.get(0)).toEqual({ tokens: ['Ada', 'Lovelace', 'wrote'], ner_tags: [1, 2, 0] })
  })

  it('gives bytes as numbers, and texts with the U+FEFF that they begin with', async () => {
    // pyarrow gives the same (test/fixtures/data/make_fixtures.py)
    const { train } = await loadDataset(join(fixtures, 'bytes.parquet'))
    expect(train.toArray()).toEqual([
      { bytes: [137, 80, 255], text: '\ufeffa', score: 1, parts: [[255]] },
      { bytes: [111, 107], text: 'b', score: 2, parts: [] },
      { bytes: null, text: null, score: null, parts: null },
    ])
    expect(train.features['bytes']?.dtype).toBe('binary')
    expect(train.features['text']?.dtype).toBe('string')
    expect(train.features['score']?.dtype).toBe('float64')
    expect(
      (await loadDataset(join(fixtures, 'bytes.parquet'), { nRows: 1, columns: ['text'] })).train.toArray(),
    ).toEqual([{ text: '\ufeffa' }])
  })

  it('refuses integers that a number cannot hold, and files that are not parquet', async () => {
    await expect(loadDataset(join(fixtures, 'toolarge.parquet'))).rejects.toThrow(
      /Column 'id' of .*toolarge\.parquet holds 1152921504606846976/,
    )
    const text = write('text.parquet', 'sentence,label\n')
    await expect(loadDataset(text)).rejects.toThrow(/text\.parquet could not be read as parquet.*Is it whole\?/)
  })
})
