import { describe, expect, it } from 'vitest'
import { defaultDataCollator } from '../src/index'
import { labelColumn } from '../src/labelColumn'
import { logged } from './trainer/support'

describe('the column that is the label', () => {
  it.each([
    [['input_ids', 'label'], undefined, 'label'],
    [['input_ids', 'label_ids'], undefined, 'label_ids'],
    [['labels', 'label_ids'], undefined, 'label_ids'],
    [['labels', 'label'], undefined, 'label'],
    [['labels', 'label'], ['labels'], 'labels'],
    [['label', 'fine'], ['fine'], 'fine'],
    [['label', 'fine', 'coarse'], ['coarse', 'fine'], 'coarse'],
    [['label_ids'], ['labels'], 'label_ids'],
    [['label'], ['fine'], undefined],
    [['input_ids'], undefined, undefined],
  ] as const)('of %j with labelNames %j is %j', (columns, wanted, expected) => {
    expect(labelColumn(columns, wanted)).toBe(expected)
  })

  it('is named by a warning where there are several', () => {
    const messages = logged()
    labelColumn(['label_ids', 'label', 'other'])
    labelColumn(['a', 'b'], ['b', 'a'])
    expect(messages).toEqual([
      'The label is the column "label", though "label_ids" could be labels as well: labelNames: ["label_ids"] takes another.',
      'The label is the column "b", though "a" could be labels as well: labelNames: ["a"] takes another.',
    ])
  })

  it('is the same to a collator, and the others are left out', () => {
    const batch = defaultDataCollator([
      { labels: 1, label: 0, label_ids: 2 },
      { labels: 1, label: 3, label_ids: 2 },
    ])
    expect(Object.keys(batch)).toEqual(['labels'])
    expect([...batch.labels!.data]).toEqual([0, 3])
  })
})
