import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Dataset, DatasetDict } from '../../src/data/dataset'
import type { Features } from '../../src/data/features'
import { loadDataset } from '../../src/data/read'
import { parseJson } from '../../src/json'
import { temporaryFiles } from '../helpers/temporaryFiles'

const write = temporaryFiles()

// What `datasets` makes of columns (test/fixtures/data/make_classes.py).
const python = parseJson(
  readFileSync(new URL('../fixtures/data/classes.json', import.meta.url), 'utf8'),
) as unknown as readonly { dtype: string; values: unknown[]; names: string[]; labels: (number | null)[] }[]

describe('names of classes', () => {
  it.each(python)('of $dtype $values are spelt and sorted as in Python', ({ dtype, values, names, labels }) => {
    const dataset = Dataset.fromColumns({ label: values }, { label: { type: 'Value', dtype } })
    const encoded = dataset.classEncodeColumn('label')
    expect(encoded.features['label']?.names).toEqual(names)
    expect(encoded.column('label')).toEqual(labels)
  })

  it.each([
    ['csv', 'label\n1.0\n0.0\n', ['0.0', '1.0']],
    ['csv', 'label\nTrue\nfalse\n', ['False', 'True']],
    ['csv', 'label,x\n1,a\n,b\n0,c\n', ['0.0', '1.0']], // pandas: a missing cell makes it a column of floats
    ['jsonl', '{"label":1.0}\n{"label":0}\n', ['0.0', '1.0']],
    ['jsonl', '{"label":1}\n{"label":null}\n{"label":0}\n', ['0', '1']],
  ])('of a %s file %j are %j', async (extension, text, names) => {
    const { train } = await loadDataset(write(`${names.length}-${text.length}.${extension}`, text))
    expect(train.classEncodeColumn('label').features['label']?.names).toEqual(names)
  })

  it('of numbers in memory with a fraction among them are those of floats', () => {
    const { features } = Dataset.fromRows([{ label: 1 }, { label: 0.5 }]).classEncodeColumn('label')
    expect(features['label']?.names).toEqual(['0.5', '1.0'])
  })
})

describe('classes that are given', () => {
  const dataset = Dataset.fromRows([{ label: 'pos' }, { label: 'neg' }, { label: null }])

  it('keep their order', () => {
    const encoded = dataset.classEncodeColumn('label', ['pos', 'neutral', 'neg'])
    expect(encoded.features['label']?.names).toEqual(['pos', 'neutral', 'neg'])
    expect(encoded.column('label')).toEqual([0, 2, null])
    expect(
      Dataset.fromRows([{ label: 1 }, { label: 0 }])
        .classEncodeColumn('label', [1, 0])
        .column('label'),
    ).toEqual([0, 1])
    const floats = Dataset.fromRows([{ label: 1 }, { label: 0.5 }])
    expect(floats.classEncodeColumn('label', ['1', '0.5']).column('label')).toEqual([0, 1])
  })

  it('have to have all values', () => {
    expect(() => dataset.classEncodeColumn('label', ['pos', 'Neg'])).toThrow(
      /Column 'label' holds 'neg' at row 1, which is not among its classes\. They are pos, Neg/,
    )
    expect(() => dataset.classEncodeColumn('label', ['pos', 'neg', 'pos'])).toThrow(/'pos' occurs twice/)
    expect(() => dataset.classEncodeColumn('label', { names: [] } as never)).toThrow(/as a list, not \{ names \}/)
    expect(() => dataset.classEncodeColumn('label', 'pos' as never)).toThrow(/as a list, not 'pos'/)
  })

  it('do not replace those of a ClassLabel, which stays as it is', () => {
    const encoded = dataset.classEncodeColumn('label')
    expect(encoded.classEncodeColumn('label').features['label']?.names).toEqual(['neg', 'pos'])
    expect(encoded.classEncodeColumn('label').column('label')).toEqual([1, 0, null])
    expect(encoded.classEncodeColumn('label', ['neg', 'pos']).column('label')).toEqual([1, 0, null])
    expect(() => encoded.classEncodeColumn('label', ['pos', 'neg'])).toThrow(
      /numbered already: its classes are neg, pos/,
    )
  })

  it('are the same in all splits: given, of a ClassLabel, or of all values', () => {
    const train = Dataset.fromRows([{ label: 'b' }, { label: 'c' }])
    const test = Dataset.fromRows([{ label: 'a' }])
    const names = (dict: { splits: Record<string, { features: Features }> }): unknown =>
      Object.values(dict.splits).map(split => split.features['label']?.names)
    const both = new DatasetDict({ train, test })
    expect(names(both.classEncodeColumn('label'))).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
    expect(names(both.classEncodeColumn('label', ['c', 'b', 'a']))).toEqual([
      ['c', 'b', 'a'],
      ['c', 'b', 'a'],
    ])
    const numbered = train.classEncodeColumn('label', ['c', 'b', 'a']) as unknown as typeof train
    const dict = new DatasetDict({ train: numbered, test }).classEncodeColumn('label')
    expect(names(dict)).toEqual([
      ['c', 'b', 'a'],
      ['c', 'b', 'a'],
    ])
    expect(dict.test.column('label')).toEqual([2])
    expect(() => both.classEncodeColumn('label', ['b', 'c'])).toThrow(/holds 'a' at row 0/)
  })
})
