import { describe, expect, it } from 'vitest'
import {
  Dataset,
  type GraphBuilder,
  type LossFunction,
  meanSquaredError,
  type ModelOutputs,
  Tensor,
  Trainer,
  type Value,
} from '../../src/index'
import { crossEntropy } from '../../src/losses/crossEntropy'
import { collate, createTrainer, tinyModel, rows, run, logged } from './support'

describe('the loss', () => {
  const doubled: LossFunction = (outputs, labels, _count, graph) => {
    const { sum, count } = crossEntropy(graph, outputs.logits, labels)
    return { sum: graph.mul(sum, 2), count }
  }

  it('may be computed by a subclass, which can call the default one', async () => {
    let calls = 0
    class Doubled extends Trainer {
      override computeLoss(outputs: ModelOutputs, labels: Value, count: Value, graph: GraphBuilder) {
        calls++
        const usual = super.computeLoss(outputs, labels, count, graph) as { sum: Value; count: Value }
        return { sum: graph.mul(usual.sum, 2), count: usual.count }
      }
    }
    const trainer = createTrainer({ maxSteps: 1 }, {}, [], Doubled)
    const usual = await run({ maxSteps: 1 })
    await trainer.train()
    expect(trainer.state.logHistory[0]!.loss).toBeCloseTo(2 * usual.losses[0]!, 5)
    expect(trainer.state.logHistory[0]!.grad_norm).toBeCloseTo(2 * (usual.history[0]!.grad_norm as number), 4)
    expect(calls).toBe(1) // while the graph is built, not for each batch
    expect((await trainer.evaluate()).eval_loss).toBeCloseTo(2 * (await usual.trainer.evaluate()).eval_loss!, 1)
  })

  it('may be a function, which becomes part of the graph', async () => {
    const custom = await run({ maxSteps: 1 }, { computeLossFunc: doubled })
    const usual = await run({ maxSteps: 1 })
    expect(custom.losses[0]).toBeCloseTo(2 * usual.losses[0]!, 5)
  })

  it('is refused if its function returns a number', async () => {
    // @ts-expect-error a number is not a graph value
    const numeric: LossFunction = () => 0.5
    await expect(run({ maxSteps: 1 }, { computeLossFunc: numeric })).rejects.toThrow(
      /returned 0.5.*operators of `graph`/s,
    )
  })

  it('may be chosen by its name', async () => {
    const { losses } = await run({ maxSteps: 1 }, { computeLossFunc: 'cross_entropy' })
    expect(losses).toEqual((await run({ maxSteps: 1 })).losses)
    const several = {
      model: tinyModel({}, { numLabels: 3 }),
      trainDataset: Dataset.fromRows(rows(4).map(row => ({ ...row, label: [row.label, 1, 0] }))),
    }
    const switches = (given: readonly Readonly<Record<string, unknown>>[]) => ({
      ...collate(given.map(row => ({ ...row, label: 0 }))),
      labels: Tensor.from(
        'int32',
        given.map(row => [...(row.label as number[])]),
      ),
    })
    const binary = await run(
      { maxSteps: 1 },
      { ...several, dataCollator: switches, computeLossFunc: 'binary_cross_entropy' },
    )
    expect(binary.trainer.model.config.problem_type).toBe('multi_label_classification')
    const values = await run(
      { maxSteps: 1 },
      { model: tinyModel({}, { numLabels: 1 }), computeLossFunc: 'mean_squared_error' },
    )
    const same = await run(
      { maxSteps: 1 },
      {
        model: tinyModel({}, { numLabels: 1 }),
        computeLossFunc: (outputs, labels, _count, graph) => meanSquaredError(graph, outputs.logits, labels),
      },
    )
    expect(values.losses).toEqual(same.losses)
    await expect(run({}, { computeLossFunc: 'cross_entropie' as 'cross_entropy' })).rejects.toThrow(
      /Did you mean "cross_entropy"/,
    )
  })

  it('weighs the classes', async () => {
    const trainDataset = Dataset.fromRows(rows(12).map((row, i) => ({ ...row, label: i < 3 ? 1 : 0 })))
    const given = await run({ maxSteps: 2 }, { trainDataset, classWeights: [12 / 18, 12 / 6] })
    const balanced = await run({ maxSteps: 2 }, { trainDataset, classWeights: 'balanced' })
    const none = await run({ maxSteps: 2 }, { trainDataset })
    expect(balanced.losses).toEqual(given.losses)
    expect(balanced.losses).not.toEqual(none.losses)
    await expect(run({}, { classWeights: [1, 2, 3] })).rejects.toThrow(/classWeights should be 2 numbers/)
    await expect(run({}, { classWeights: [1, 2], computeLossFunc: doubled })).rejects.toThrow(
      /classWeights belong to the loss of the head/,
    )
    await expect(run({}, { classWeights: [1], model: tinyModel({}, { numLabels: 1 }) })).rejects.toThrow(
      /head is for regression/,
    )
  })

  it('is not smoothed in other heads, with a warning', async () => {
    const messages = logged()
    await run({ maxSteps: 1, labelSmoothingFactor: 0.1 }, { model: tinyModel({}, { numLabels: 1 }) })
    expect(messages).toContain('labelSmoothingFactor has no effect on regression.')
  })
})
