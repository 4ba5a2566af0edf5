import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/models/config'
import { Tensor } from '../../src/tensor'
import { countLabels, labelFeed, problemTypeOf } from '../../src/training/labels'

const withLabels = (count: number, problem_type?: ModelConfig['problem_type']): ModelConfig => ({
  model_type: 'bert',
  id2label: Object.fromEntries(Array.from({ length: count }, (_, i) => [i, `LABEL_${i}`])),
  ...(problem_type !== undefined && { problem_type }),
})
const row = (at: number): string => `row ${at}`

describe('problemTypeOf', () => {
  // the rule in every ForSequenceClassification of Hugging Face: one label is regression, integers are classes, other
  // numbers several labels
  it.each([
    [withLabels(1), Tensor.from('float32', [1]), 'regression'],
    [withLabels(1), Tensor.from('int32', [1]), 'regression'],
    [withLabels(2), Tensor.from('int64', [1]), 'single_label_classification'],
    [withLabels(2), Tensor.from('int32', [1]), 'single_label_classification'],
    [withLabels(2), Tensor.from('float32', [[1, 0]]), 'multi_label_classification'],
    [withLabels(3, null), Tensor.from('float32', [[1, 0, 1]]), 'multi_label_classification'],
    [withLabels(3, 'regression'), Tensor.from('int32', [1]), 'regression'],
    [withLabels(1, 'single_label_classification'), Tensor.from('float32', [0]), 'single_label_classification'],
    [{ model_type: 'bert' }, Tensor.from('int32', [1]), 'single_label_classification'],
  ] as const)('case %#', (config, labels, expected) => {
    expect(problemTypeOf(config, labels)).toBe(expected)
  })
})

describe('labelFeed', () => {
  it('gives classes as int32 [rows], whatever they come as', () => {
    for (const labels of [
      Tensor.from('int64', [2, -100, 0]),
      Tensor.from('int32', [[2], [-100], [0]]),
      Tensor.from('float32', [2, -100, 0]),
    ]) {
      const feed = labelFeed(labels, 'single_label_classification', withLabels(3), row)
      expect([feed.dtype, feed.dims, [...(feed.data as Int32Array)]]).toEqual(['int32', [3], [2, -100, 0]])
    }
  })

  it('gives numbers as float32, [rows] for one a row', () => {
    expect(labelFeed(Tensor.from('int64', [[3], [4]]), 'regression', withLabels(1), row)).toMatchObject({
      dtype: 'float32',
      dims: [2],
      data: Float32Array.of(3, 4),
    })
    expect(labelFeed(Tensor.from('float64', [[0, 1]]), 'multi_label_classification', withLabels(2), row)).toMatchObject(
      { dtype: 'float32', dims: [1, 2], data: Float32Array.of(0, 1) },
    )
  })
})

describe('countLabels', () => {
  it('leaves -100 out', () => {
    expect(countLabels(Tensor.from('int64', [1, -100, 0, -100]))).toBe(2)
    expect(
      countLabels(
        Tensor.from('float32', [
          [1, 0],
          [0, 1],
        ]),
      ),
    ).toBe(4)
  })
})
