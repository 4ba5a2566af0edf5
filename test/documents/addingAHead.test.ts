// the example of docs/adding-a-head.md, which stands there word for word
import { describe, expect, it } from 'vitest'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { Places, RowName } from '../../src/feeds/FeedLayout'
import { inOrder, outOfOrder } from '../../src/feeds/rowOrder'
import type { Head, LabelFeed, Values } from '../../src/heads/Head'
import type { Loss } from '../../src/losses/loss'
import type { GraphBuilder } from '../../src/onnx/builder'
import { TrainerError } from '../../src/errors'
import { type Batch, Tensor } from '../../src/tensor'
import { randomBatch, rowsOf } from '../helpers/batches'
import { compute, withEvaluation } from '../helpers/compute'
import { oracleModel } from '../helpers/oracleModels'
import { expectInDocument } from './expectInDocument'

/** A number for each row, by the mean absolute error. */
const absoluteError: Head = {
  task: 'sequence-classification',
  reads: 'first',
  width: 1,
  labelNames: ['labels'],
  configFields: { problem_type: 'regression' },
  decided: () => absoluteError,
  withLoss: () => absoluteError,
  declare: (graph: GraphBuilder, { logits }: Values): Values => ({
    labels: graph.input('labels', 'float32', [logits!.shape[0]!]),
  }),
  loss(graph: GraphBuilder, { logits }: Values, { labels }: Values): Loss {
    const difference = graph.sub(graph.reshape(logits!, [-1]), labels!)
    const ones = graph.add(graph.mul(labels!, 0), 1)
    return { sum: graph.sum(graph.abs(difference)), count: graph.sum(ones) }
  },
  feed({ labels }: Batch, { order }: Places, rowName: RowName): LabelFeed | undefined {
    if (labels === undefined) return undefined
    const wrong = labels.data.findIndex((label: number | bigint) => !Number.isFinite(Number(label)))
    if (wrong >= 0) throw new TrainerError('data', `The label of ${rowName(wrong)} is not a finite number.`)
    const numbers = new Tensor('float32', Float32Array.from(labels.data as Float32Array, Number), [labels.size])
    return { inputs: { labels: inOrder(numbers, order) }, count: labels.size }
  },
  predictions: ({ logits }, { order }) => ({ logits: outOfOrder(logits!, order) }),
}

describe('docs/adding-a-head.md', () => {
  const batch = randomBatch([6, 3, 9, 4], Tensor.from('float32', [0.5, -1, 2, 0.25]), { seed: 3 })

  it('has an example that is a head', async () => {
    const { config } = await oracleModel('bert')
    const model = modelFromConfig({ ...config, id2label: { 0: 'value' }, initializer_range: 0.3 })
    model.useHead(absoluteError)
    await withEvaluation(model, {}, async evaluate => {
      const { loss, logits } = await evaluate(batch)
      const expected = [0.5, -1, 2, 0.25].reduce((sum, label, row) => sum + Math.abs(logits.data[row]! - label), 0)
      expect(loss!.loss).toBeCloseTo(expected, 5)
      expect(loss!.count).toBe(4)
    })
    const whole = await compute(model, [batch])
    const parts = await compute(model, [rowsOf(batch, 0, 3), rowsOf(batch, 3, 4)])
    expect(parts.loss).toBeCloseTo(whole.loss, 5)
    expect(model.config.problem_type).toBe('regression')
  })

  it('has it word for word', () => {
    expectInDocument('adding-a-head.md', import.meta.url)
  })
})
