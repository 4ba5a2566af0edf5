import { describe, expect, it } from 'vitest'
import {
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForTokenClassification,
  type PreTrainedModel,
  Tensor,
} from '../../src/index'
import type { Task } from '../../src/heads/Head'
import { createEngine } from '../../src/engine/Engine'
import { packed } from '../../src/feeds/packed'
import { paddedLayout } from '../../src/feeds/padded'
import type { MakeTokenLayout } from '../../src/feeds/TokenLayout'
import { architectures } from '../../src/models/registry'
import { transformer } from '../../src/models/transformer'
import { TrainableModel } from '../../src/auto/TrainableModel'
import { rowsOf } from '../helpers/batches'
import { type Computed, compute, differing } from '../helpers/compute'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { config, guessing, rowsIn, stack, tasks } from './taskBatches'

describe.each(tasks)('the head for $head.task', ({ head, model, batch, count }) => {
  it('gives micro-batches that add up to the batch, the loss smoothed and not', async () => {
    for (const labelSmoothing of [0, 0.1]) {
      const whole = await compute(model(), [batch], { objective: { labelSmoothing } })
      expect(whole.count).toBe(count)
      const rows = batch.input_ids!.dims[0]!
      const half = rows / 2
      const parts = await compute(model(), [rowsOf(batch, 0, half), rowsOf(batch, half, rows)], {
        objective: { labelSmoothing },
      })
      expect(parts.loss).toBeCloseTo(whole.loss, 4)
      expect(parts.count).toBe(count)
      expect(differing(parts, whole)).toEqual([])
    }
  })

  it('is the same with and without padding, in groups, and in rounded feeds', async () => {
    const of = (layout: MakeTokenLayout): Promise<Computed> => {
      const { parameters } = model()
      const definition = transformer(architectures.bert!, config, head, layout)
      return compute(new TrainableModel(definition, parameters), [batch])
    }
    const padded = await of(paddedLayout)
    const layouts: MakeTokenLayout[] = [
      (geometry, _, keep) => packed(geometry, { groups: 1 }, keep),
      (geometry, _, keep) => packed(geometry, { groups: 3 }, keep),
      (geometry, _, keep) => packed(geometry, { groups: 1, round: { tokens: 16, length: 8 } }, keep),
    ]
    for (const layout of layouts) {
      const without = await of(layout)
      expect(Math.abs(without.loss - padded.loss)).toBeLessThan(1e-6 * padded.loss)
      expect(differing(without, padded)).toEqual([])
    }
  })

  it('predicts in the order of the dataset, whatever the batches', async () => {
    const shared = model() as PreTrainedModel
    const rows = rowsIn(batch)
    const all: number[][] = []
    for (const perDeviceEvalBatchSize of [1, 3, 8]) {
      const trainer = quietTrainer({
        model: shared,
        args: { outputDir: temporaryFolder(), perDeviceEvalBatchSize, threads: 1 },
        dataCollator: stack,
      })
      const { predictions, metrics } = await trainer.predict(rows)
      const tensors = (Array.isArray(predictions) ? predictions : [predictions]) as Tensor[]
      all.push([metrics.test_loss as number, ...tensors.flatMap(({ data }) => Array.from(data as Float32Array))])
      await trainer.dispose()
    }
    for (const other of all.slice(1)) other.forEach((value, i) => expect(value).toBeCloseTo(all[0]![i]!, 4))
  })

  it('learns its rows, and opens again as it was saved', async () => {
    const outputDir = temporaryFolder()
    const args = {
      outputDir,
      threads: 1,
      learningRate: 0.03,
      maxSteps: 60,
      perDeviceTrainBatchSize: 8,
      saveStrategy: 'no',
    } as const
    const trainer = quietTrainer({
      model: model() as PreTrainedModel,
      args,
      trainDataset: rowsIn(batch),
      dataCollator: stack,
    })
    const before = (await trainer.evaluate(rowsIn(batch))).eval_loss!
    await trainer.train()
    const after = (await trainer.evaluate(rowsIn(batch))).eval_loss!
    expect(after).toBeLessThan(before / 3)
    await trainer.saveModel()
    const auto = {
      'token-classification': AutoModelForTokenClassification,
      'masked-lm': AutoModelForMaskedLM,
      'question-answering': AutoModelForQuestionAnswering,
      'multiple-choice': AutoModelForMultipleChoice,
      'sequence-classification': undefined,
      'feature-extraction': undefined,
    }[head.task as Task]!
    const again = quietTrainer({
      model: (await auto.fromPretrained(outputDir)) as PreTrainedModel,
      args,
      dataCollator: stack,
    })
    expect((await again.evaluate(rowsIn(batch))).eval_loss).toBeCloseTo(after, 6)
  })

  it('exports a file that predicts the same', async () => {
    const saved = model()
    const folder = temporaryFolder()
    await saved.savePretrained(folder)
    const engine = await createEngine({ threads: 1 })
    const { readFileSync } = await import('node:fs')
    const program = await engine.load(readFileSync(`${folder}/onnx/model.onnx`), { name: 'exported' })
    const { input_ids, attention_mask } = batch
    const as64 = ({ data, dims }: Tensor): Tensor =>
      new Tensor('int64', BigInt64Array.from(data as Int32Array, BigInt), dims)
    const segments = new Tensor('int64', new BigInt64Array(input_ids!.size), input_ids!.dims)
    const outputs = await program.run({
      input_ids: as64(input_ids!),
      attention_mask: as64(attention_mask!),
      token_type_ids: segments,
    })
    const trainer = quietTrainer({
      model: saved as PreTrainedModel,
      args: { outputDir: temporaryFolder(), threads: 1 },
      dataCollator: stack,
    })
    const { predictions } = await trainer.predict(rowsIn(batch))
    const tensors = (Array.isArray(predictions) ? predictions : [predictions]) as Tensor[]
    const names = head.task === 'question-answering' ? ['start_logits', 'end_logits'] : ['logits']
    expect(Object.keys(outputs).toSorted()).toEqual(names.toSorted())
    names.forEach((name, which) => {
      const { data, dims } = outputs[name] as Tensor
      expect(dims).toEqual(tensors[which]!.dims)
      tensors[which]!.data.forEach((value: number | bigint, i: number) => {
        if (value !== -100) expect(Number(data[i])).toBeCloseTo(Number(value), 4)
      })
    })
    await engine.dispose()
  })
})

it('a custom loss is of all tokens, also of those whose words are not hidden', async () => {
  const model = guessing.model() as PreTrainedModel
  const trainDataset = rowsIn(guessing.batch)
  const trainer = quietTrainer({
    model,
    args: {
      outputDir: temporaryFolder(),
      threads: 1,
      learningRate: 1e-9,
      maxSteps: 1,
      perDeviceTrainBatchSize: 8,
      saveStrategy: 'no',
    },
    trainDataset,
    dataCollator: stack,
    computeLossFunc: ({ logits }, _labels, count, graph) => graph.div(graph.sum(graph.mul(logits, logits)), count),
  })
  const { predictions } = await trainer.predict(trainDataset)
  const mask = guessing.batch.attention_mask!.data
  const each = predictions.size / mask.length
  const squares = Array.from(predictions.data as Float32Array, (value, i) =>
    mask[Math.floor(i / each)] === 0 ? 0 : value ** 2,
  )
  const expected = squares.reduce((sum, square) => sum + square) / guessing.count
  expect((await trainer.evaluate(trainDataset)).eval_loss! / expected).toBeCloseTo(1, 5)
  expect((await trainer.train()).trainingLoss / expected).toBeCloseTo(1, 5)
})
