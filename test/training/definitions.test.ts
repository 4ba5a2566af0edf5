// what a model computes may change between runs, and while one lasts: programs and heads follow
import { describe, expect, it } from 'vitest'
import { sequenceClassification } from '../../src/heads/sequenceClassification'
import { adafactor } from '../../src/optim/adafactor'
import { createEngines } from '../../src/training/engines'
import { Runner } from '../../src/training/Runner'
import { classes, randomBatch } from '../helpers/batches'
import { accumulate } from '../helpers/compute'
import { tinyModel } from '../helpers/tinyModel'
import { createTrainer, run } from '../trainer/support'

describe('a head', () => {
  it("of other outputs is refused: those are the model's", () => {
    expect(() => tinyModel().useHead(sequenceClassification(3, 'single_label_classification'))).toThrow(
      "BertForSequenceClassification computes other outputs: the head that was given has the width 3, but the model's 2.",
    )
  })

  it('that is changed between evaluations is the one that counts', async () => {
    const trainer = createTrainer()
    const { eval_loss: before } = await trainer.evaluate()
    trainer.model.useHead(sequenceClassification(2, 'regression'))
    const rows = Array.from({ length: 4 }, (_, row) => ({
      input_ids: [1, 2, 3],
      attention_mask: [1, 1, 1],
      labels: [row, 0],
    }))
    const { predictions } = await trainer.predict(rows)
    const squares = (predictions.tolist() as number[][]).flatMap(([a = NaN, b = NaN], row) => [(a - row) ** 2, b ** 2])
    expect((await trainer.evaluate(rows)).eval_loss).toBeCloseTo(squares.reduce((sum, x) => sum + x) / 8, 5)
    trainer.model.useHead(sequenceClassification(2, 'single_label_classification'))
    expect((await trainer.evaluate()).eval_loss).toBe(before)
  })
})

describe('parameters that a callback freezes while a run lasts', () => {
  it('are trained to its end, and frozen in the next one', async () => {
    // batches of 5, 5 and 2 rows: other variants are met after the first update
    const callbacks = [{ onStepBegin: (): void => void model.freeze('classifier') }]
    const model = tinyModel()
    const args = { perDeviceTrainBatchSize: 5, maxSteps: 3 }
    const { trainer } = await run(args, { model, callbacks })
    const after = model.parameter('classifier.weight').data.slice()
    expect(after).not.toEqual(tinyModel().parameter('classifier.weight').data)
    await trainer.train()
    expect(model.parameter('classifier.weight').data).toEqual(after)
  })
})

describe('a custom loss', () => {
  it('of a batch without a label that counts adds nothing to that of the others', async () => {
    const custom = createTrainer(
      { perDeviceEvalBatchSize: 2 },
      {
        computeLossFunc: ({ logits }, _labels, count, graph) => graph.div(graph.sum(graph.mul(logits, logits)), count),
      },
    )
    const row = { input_ids: [1, 2, 3], attention_mask: [1, 1, 1] }
    const counted = [0, 1].map(label => ({ ...row, label }))
    const ignored = [-100, -100].map(label => ({ ...row, label }))
    const { eval_loss: expected } = await custom.evaluate(counted)
    expect(expected).toBeGreaterThan(0)
    const { eval_loss: found } = await custom.evaluate([...counted, ...ignored])
    // the sum of the ignored batch's squares is that of the others
    expect(found).toBeCloseTo(2 * expected!, 5)
  })
})

describe('what training has loaded', () => {
  it('is freed when it ends, the programs of an update through the engine too', async () => {
    const engines = await createEngines({ engine: { threads: 1 } })
    const { training } = engines
    let there = 0
    const load = training.load.bind(training)
    training.load = async (...words) => {
      const program = await load(...words)
      there++
      const dispose = program.dispose.bind(program)
      program.dispose = () => (there--, dispose())
      return program
    }
    const model = tinyModel()
    const runner = new Runner(engines, { model })
    const batch = randomBatch([3, 5], classes(0, 1), { vocabulary: 30 })
    model.decideHead(batch)
    for (const _time of [1, 2]) {
      await runner.beginTraining({ optimizer: adafactor(), weightDecay: () => 0, seed: 1 })
      await accumulate(runner, [runner.feed(batch, String)])
      await runner.store.update({ step: 1, rate: 0.01 })
      expect(there).toBeGreaterThan(2)
      await runner.endTraining()
      expect(there).toBe(0)
    }
    await runner.dispose()
  })
})
