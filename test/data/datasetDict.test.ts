import { describe, expect, it } from 'vitest'
import { Dataset, DatasetDict } from '../../src/data/dataset'
import type { LooseRow } from '../../src/data/rows'
import type { Tokenizer } from '../../src/tokenizers/tokenizer'
import { dataset } from './fourRows'

describe('a DatasetDict', () => {
  const splits = new DatasetDict({ train: dataset, validation: dataset.select([0]), extra: dataset.select([]) })

  it('has its splits as properties', () => {
    expect(splits.train).toBe(dataset)
    expect(Object.keys(splits)).toEqual(['train', 'validation', 'extra'])
    expect(splits.test).toBeUndefined()
    expect(splits.numRows).toEqual({ train: 4, validation: 1, extra: 0 })
  })

  it('applies its methods to all splits', async () => {
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

  it('gives a class the same number in all splits', () => {
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

it('the program of the notebook compiles unchanged, with every strict option', () => {
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
