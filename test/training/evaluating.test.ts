import { describe, expect, it } from 'vitest'
import { adamw } from '../../src/optim/adamw'
import { Tensor } from '../../src/tensor'
import { Runner } from '../../src/training/Runner'
import { classes, randomBatch } from '../helpers/batches'
import { accumulate, compute, evaluateBatch, withEvaluation, withRunner } from '../helpers/compute'
import { oracleModel } from '../helpers/oracleModels'

const lengths = [6, 2, 9, 1, 5, 3, 7, 4]
const classLabels = classes(2, 0, -100, 1, 0, 2, -100, 1)

describe('evaluation', () => {
  const batch = randomBatch(lengths, classLabels, { seed: 14 })
  const dropout = { hidden_dropout_prob: 0.4, attention_probs_dropout_prob: 0.4, classifier_dropout: 0.4 }

  it('uses no dropout, however much the model has, also while it is in training', async () => {
    const plain = await compute(await oracleModel('bert'), [batch])
    await withRunner(await oracleModel('bert', dropout), {}, batch, async (run, runner) => {
      const trained = await run([batch])
      const { loss, logits } = await evaluateBatch(runner, batch)
      expect(loss!.loss).toBeCloseTo(plain.loss, 5)
      expect(Math.abs(trained.loss - plain.loss)).toBeGreaterThan(1e-2)
      expect((await evaluateBatch(runner, batch)).logits.tolist()).toEqual(logits.tolist())
    })
  })

  it('gives logits alone where there are no labels', async () => {
    const { labels: _, ...inputs } = batch
    await withEvaluation(await oracleModel('electra'), {}, async evaluate => {
      const without = await evaluate(inputs)
      const withLabels = await evaluate(batch)
      expect(without.loss).toBeUndefined()
      expect(withLabels.loss!.count).toBe(6)
      expect(without.logits.dims).toEqual([8, 3])
      expect(without.logits.tolist()).toEqual(withLabels.logits.tolist())
    })
  })

  it('gives a row without real tokens what it gives it among other rows', async () => {
    const hollow = async (id: number, rows: number): Promise<number[]> => {
      const ids = Tensor.from('int32', [[4, 1, 1, 1], ...Array.from({ length: rows }, () => [id, 6, 7, 8])])
      const mask = Tensor.from('int32', [[0, 0, 0, 0], ...Array.from({ length: rows }, () => [1, 1, 1, 1])])
      const runner = await Runner.create({
        model: await oracleModel('bert'),
        engine: { threads: 1 },
        batchSize: 1,
      }) // one group for all
      try {
        return Array.from(
          (await evaluateBatch(runner, { input_ids: ids, attention_mask: mask })).logits.data.subarray(0, 3),
        )
      } finally {
        await runner.dispose()
      }
    }
    const alone = await hollow(5, 0)
    for (const id of [5, 9]) (await hollow(id, 2)).forEach((value, i) => expect(value).toBeCloseTo(alone[i]!, 6))
  })

  it('sees the parameters as updates leave them, and the model keeps them afterwards', async () => {
    const model = await oracleModel('bert')
    const name = 'bert.encoder.layer.1.output.dense.weight'
    const before = [...model.parameter(name).data]
    const runner = await Runner.create({ model, engine: { threads: 1 } })
    model.decideHead(batch)
    const feed = runner.feed(batch, String)
    const { logits: first } = await evaluateBatch(runner, batch)
    await runner.beginTraining({ optimizer: adamw(), weightDecay: () => 0.01, seed: 1 })
    await accumulate(runner, [feed])
    await runner.store.update({ step: 1, rate: 1e-2 })
    const { logits: second } = await evaluateBatch(runner, batch)
    await runner.endTraining()
    const { logits: third } = await evaluateBatch(runner, batch)
    await runner.dispose()
    expect(second.tolist()).not.toEqual(first.tolist())
    expect(third.tolist()).toEqual(second.tolist())
    const moved = [...model.parameter(name).data].map((v, i) => v - before[i]!)
    expect(Math.max(...moved.map(Math.abs))).toBeGreaterThan(5e-3)
  })
})
