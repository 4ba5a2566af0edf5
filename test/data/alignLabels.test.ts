import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Dataset, DatasetDict } from '../../src/data/dataset'
import { classLabel } from '../../src/data/features'

interface Aligned {
  readonly names: string[]
  readonly mapping: Readonly<Record<string, number>>
  readonly labels: (number | null)[]
  readonly aligned: (number | null)[]
  readonly alignedNames: string[]
}

// What `datasets` makes of them (test/fixtures/data/make_aligned.py).
const python = JSON.parse(
  readFileSync(new URL('../fixtures/data/aligned.json', import.meta.url), 'utf8'),
) as readonly Aligned[]

const labelled = (labels: readonly (number | null)[], names: readonly string[]): Dataset<{ label: number }> =>
  Dataset.fromColumns({ label: labels }, { label: classLabel(names) }) as unknown as Dataset<{ label: number }>

describe('alignLabelsWithMapping', () => {
  it.each(python)('of $labels by $mapping is as in Python', ({ names, mapping, labels, aligned, alignedNames }) => {
    const dataset = labelled(labels, names).alignLabelsWithMapping(mapping, 'label')
    expect(dataset.column('label')).toEqual(aligned)
    expect(dataset.features.label?.names).toEqual(alignedNames)
  })

  it('leaves hidden labels, and does the same in every split', () => {
    const split = labelled([0, -1, 1], ['no', 'yes'])
    const both = new DatasetDict({ train: split, test: split }).alignLabelsWithMapping({ YES: 0, NO: 1 }, 'label')
    for (const { label } of [both.train!, both.test!].map(one => ({ label: one.column('label') })))
      expect([...label]).toEqual([1, -1, 0])
  })

  it.each<[string, unknown, Record<string, number>, RegExp, string?]>([
    ['a column of names', Dataset.fromRows([{ label: 'a' }]), { a: 0 }, /have no names.*classEncodeColumn\('label'\)/],
    ['gaps', labelled([0], ['a', 'b']), { a: 0, b: 2 }, /number different names from 0 on, not /],
    ['equal names', labelled([0], ['a', 'b']), { a: 0, A: 1 }, /number different names/],
    [
      'a class without a number',
      labelled([0, 1], ['a', 'b']),
      { a: 0 },
      /class 'b' at row 1, which has no number.*has a:/,
    ],
    ['a class out of range', labelled([2], ['a', 'b']), { a: 0, b: 1 }, /class '2' at row 0/],
    ['another column', labelled([0], ['a']), { a: 0 }, /'labl'/, 'labl'],
  ])('refuses %s', (_, dataset, mapping, message, column = 'label') => {
    expect(() => (dataset as Dataset).alignLabelsWithMapping(mapping, column)).toThrow(message)
  })
})
