import { describe, expect, it } from 'vitest'
import type { Places } from '../../src/feeds/FeedLayout'
import type { LabelFeed } from '../../src/heads/Head'
import type { ProblemType } from '../../src/heads/problemType'
import { sequenceClassification } from '../../src/heads/sequenceClassification'
import type { ModelConfig } from '../../src/models/config'
import { labelCount } from '../../src/models/labels'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import { Tensor } from '../../src/tensor'

const withLabels = (count: number, problem_type?: ModelConfig['problem_type']): ModelConfig => ({
  model_type: 'bert',
  id2label: Object.fromEntries(Array.from({ length: count }, (_, i) => [i, `LABEL_${i}`])),
  ...(problem_type !== undefined && { problem_type }),
})

/** Where the rows of a feed stand, in this order. */
function placesOf(order: readonly number[]): Places {
  return {
    order: Int32Array.from(order),
    lengths: new Int32Array(order.length).fill(1),
    slots: Int32Array.from(order),
    groups: [],
  }
}

function feedOf(labels: Tensor, problemType: ProblemType, width: number, order?: readonly number[]): LabelFeed {
  const places = placesOf(order ?? [...new Array(labels.dims[0]!).keys()])
  return sequenceClassification(width, problemType).feed({ labels }, places, row => `row ${row}`)!
}

describe('the first labels decide what is predicted', () => {
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
  ] as [ModelConfig, Tensor, ProblemType][])('case %#', (config, labels, expected) => {
    const head = sequenceClassification(labelCount(config), config.problem_type ?? undefined)
    expect(head.decided({ labels })).toMatchObject({ problemType: expected, configFields: { problem_type: expected } })
  })

  it('and a model says so in its config, from then on', () => {
    const sizes = { vocab_size: 9, hidden_size: 4, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 4 }
    const model = modelFromConfig({ ...withLabels(3), ...sizes, max_position_embeddings: 4 })
    model.decideHead({})
    expect(model.config.problem_type).toBeUndefined()
    model.decideHead({ labels: Tensor.from('float32', [[1, 0, 1]]) })
    expect(model.config.problem_type).toBe('multi_label_classification')
    model.decideHead({ labels: Tensor.from('int32', [1]) })
    expect(model.config.problem_type).toBe('multi_label_classification')
  })
})

describe('the labels of a batch', () => {
  it('are classes as int32 [rows], whatever they come as', () => {
    for (const labels of [
      Tensor.from('int64', [2, -100, 0]),
      Tensor.from('int32', [[2], [-100], [0]]),
      Tensor.from('float32', [2, -100, 0]),
    ]) {
      const { dtype, dims, data } = feedOf(labels, 'single_label_classification', 3).inputs.labels!
      expect([dtype, dims, [...(data as Int32Array)]]).toEqual(['int32', [3], [2, -100, 0]])
    }
  })

  it('are numbers as float32, [rows] for one a row', () => {
    expect(feedOf(Tensor.from('int64', [[3], [4]]), 'regression', 1).inputs.labels).toMatchObject({
      dtype: 'float32',
      dims: [2],
      data: Float32Array.of(3, 4),
    })
    expect(feedOf(Tensor.from('float64', [[0, 1]]), 'multi_label_classification', 2).inputs.labels).toMatchObject({
      dtype: 'float32',
      dims: [1, 2],
      data: Float32Array.of(0, 1),
    })
  })

  it('stand in the order of the feed, and predictions in that of the batch', () => {
    const order = [2, 0, 1]
    const feed = feedOf(Tensor.from('int32', [7, 8, 9]), 'single_label_classification', 10, order)
    expect(feed.inputs.labels!.data).toEqual(Int32Array.of(9, 7, 8))
    const logits = Tensor.from('float32', [[9], [7], [8]])
    const head = sequenceClassification(1, 'regression')
    expect(head.predictions({ logits }, placesOf(order), [3]).logits!.tolist()).toEqual([[7], [8], [9]])
  })

  it('count unless they are -100', () => {
    expect(feedOf(Tensor.from('int64', [1, -100, 0, -100]), 'single_label_classification', 2).count).toBe(2)
    const switches = Tensor.from('float32', [
      [1, 0],
      [0, 1],
    ])
    expect(feedOf(switches, 'multi_label_classification', 2).count).toBe(4)
  })
})
