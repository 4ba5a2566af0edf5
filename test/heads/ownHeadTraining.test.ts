// a model with a head of the user's own in the Trainer: predictions, metrics, checkpoints, files, adapters
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import {
  AutoModel,
  AutoModelForTokenClassification,
  type Dataset,
  getPeftModel,
  meanSquaredError,
  ownHead,
  PeftModel,
  type Tensor,
} from '../../src/index'
import { logMessages } from '../helpers/logMessages'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { config, rowsIn } from './taskBatches'
import { loadSlots, loadTriage, oracleOf, slots, triage } from './ownHeads'

const messages = logMessages('warning')
const args = (fields: object = {}) => ({
  outputDir: temporaryFolder(),
  threads: 1,
  perDeviceTrainBatchSize: 2,
  perDeviceEvalBatchSize: 4,
  saveStrategy: 'no' as const,
  ...fields,
})
type TriageRow = { topic: number; urgency: number; flags: number[] }
const triageRows = rowsIn(oracleOf('bert-triage').batch) as Dataset<TriageRow>
const slotRows = rowsIn(oracleOf('distilbert-slots').batch)

describe('in the Trainer', () => {
  it('predicts a tensor for each output by name, in the order of the dataset, with the labels by name', async () => {
    const { outputs, inputs } = oracleOf('bert-triage')
    const trainer = quietTrainer({ model: await loadTriage(), args: args({ perDeviceEvalBatchSize: 4 }) })
    const { predictions, labels, metrics } = await trainer.predict(triageRows)
    expect(Object.keys(predictions)).toEqual(['topic', 'urgency', 'flags'])
    for (const name of ['topic', 'urgency', 'flags'] as const) {
      expect(predictions[name].dims).toEqual(outputs[name]!.shape)
      predictions[name].data.forEach((value, at) => expect(value).toBeCloseTo(outputs[name]!.data[at] as number, 4))
      expect(numbersOf(labels![name])).toEqual(
        inputs[name]!.data.map(value => (name === 'topic' ? value : Math.fround(Number(value)))),
      )
    }
    // @ts-expect-error there is no such output
    expect(predictions.nothing).toBeUndefined()
    expect(metrics.test_loss).toBeCloseTo(oracleOf('bert-triage').loss, 5)
    const { predictions: same, labels: none } = await trainer.predict(
      triageRows.removeColumns(['topic', 'urgency', 'flags']) as Dataset<object>,
    )
    expect(numbersOf(same.topic)).toEqual(numbersOf(predictions.topic))
    expect(none).toBeUndefined()
    await trainer.dispose()
  })

  it('gives metrics predictions and labels by name, batch by batch too', async () => {
    const accuracies: Record<string, number>[] = []
    for (const batchEvalMetrics of [false, true]) {
      let [right, count] = [0, 0]
      const trainer = quietTrainer({
        model: await loadSlots(),
        args: args({ batchEvalMetrics }),
        evalDataset: slotRows,
        // without the second parameter batches one by one are refused
        computeMetrics({ predictions, labels }, _isLast) {
          const guessed = predictions.slots.argmax(-1)
          labels.labels.data.forEach((label, at) => {
            if (Number(label) === -100) return
            count++
            right += Number(Number(label) === Number(guessed.data[at]))
          })
          return { accuracy: right / count, rows: labels.intent.dims[0]! }
        },
      })
      const { eval_accuracy, eval_loss } = await trainer.evaluate()
      accuracies.push({ accuracy: eval_accuracy as number, loss: eval_loss! })
      await trainer.dispose()
    }
    expect(accuracies[1]).toEqual(accuracies[0])
    expect(accuracies[0]!.loss).toBeCloseTo(oracleOf('distilbert-slots').loss, 5)
  })

  it('learns its rows, keeps the best model, saves it, and opens it again with the head', async () => {
    const outputDir = temporaryFolder()
    const trainer = quietTrainer({
      model: await loadTriage(),
      args: args({
        outputDir,
        learningRate: 0.05,
        numTrainEpochs: 25,
        gradientAccumulationSteps: 2,
        saveStrategy: 'epoch',
        evalStrategy: 'epoch',
        loadBestModelAtEnd: true,
        saveTotalLimit: 1,
      }),
      trainDataset: triageRows,
      evalDataset: triageRows,
    })
    const before = (await trainer.evaluate()).eval_loss!
    await trainer.train()
    const { eval_loss: after } = await trainer.evaluate()
    expect(after!).toBeLessThan(before / 2)
    expect(after!).toBeCloseTo(trainer.state.bestMetric!, 6)
    await trainer.saveModel()
    const saved = JSON.parse(readFileSync(join(outputDir, 'config.json'), 'utf8')) as Record<string, unknown>
    expect(saved['architectures']).toEqual(['BertForTriage'])
    expect(saved).not.toHaveProperty('id2label')
    messages.length = 0
    const again = quietTrainer({ model: await AutoModel.fromPretrained(outputDir, { head: triage }), args: args() })
    expect(messages).toEqual([])
    expect((await again.evaluate(triageRows)).eval_loss).toBeCloseTo(after!, 6)
    await trainer.createModelCard()
    const card = readFileSync(join(outputDir, 'README.md'), 'utf8')
    expect(card).not.toContain('pipeline_tag')
    expect(card).not.toMatch(/undefined|custom-outputs/)
    await Promise.all([trainer.dispose(), again.dispose()])
  })

  it('goes on from a checkpoint bit for bit, with dropout', async () => {
    const head = ownHead({
      ...triage,
      outputs: (encoded, layers) => {
        const kept = layers.dropout(encoded.first(), 0.3)
        const { linear } = layers
        return {
          topic: linear('topic', kept, 3),
          urgency: linear('urgency', layers.dropout(kept, 0.1), 1),
          flags: linear('flags', kept, 4),
        }
      },
    })
    const run = async (resumeFromCheckpoint?: string) => {
      const outputDir = temporaryFolder()
      const trainer = quietTrainer({
        model: AutoModel.fromConfig({ ...config, hidden_dropout_prob: 0.1 }, { head, seed: 3 }),
        args: args({ outputDir, maxSteps: 6, saveStrategy: 'steps', saveSteps: 3, learningRate: 1e-2 }),
        trainDataset: triageRows,
      })
      const { trainingLoss } = await trainer.train({ resumeFromCheckpoint })
      const weights = Array.from(trainer.model.parameter('urgency.weight').data)
      await trainer.dispose()
      return { outputDir, trainingLoss, weights }
    }
    const whole = await run()
    const resumed = await run(join(whole.outputDir, 'checkpoint-3'))
    expect(resumed.weights).toEqual(whole.weights)
    expect(resumed.trainingLoss).toBe(whole.trainingLoss)
  })

  it('may have one loss of one column, which is then called labels too', async () => {
    const head = ownHead({
      name: 'BertForNumbers',
      labels: { score: { numbers: 1 } },
      outputs: (encoded, { linear }) => ({ score: linear('score', encoded.first(), 1) }),
      loss: ({ score }, labels, graph) => meanSquaredError(graph, score, labels.score),
    })
    const rows = triageRows.removeColumns(['topic', 'flags']).renameColumn('urgency', 'label') as Dataset<object>
    const model = AutoModel.fromConfig(config, { head })
    const trainer = quietTrainer({ model, args: args({ maxSteps: 2 }), trainDataset: rows })
    const { predictions, labels } = await trainer.predict(rows)
    const predicted = numbersOf(predictions.score)
    const squares = numbersOf(labels!.score).map((label, at) => (label - predicted[at]!) ** 2)
    expect((await trainer.evaluate(rows)).eval_loss).toBeCloseTo(squares.reduce((a, b) => a + b) / squares.length, 5)
    expect((await trainer.train()).globalStep).toBe(2)
    await trainer.dispose()
  })
})

describe('files', () => {
  it.each([
    { name: 'bert-triage', load: loadTriage },
    { name: 'distilbert-slots', load: loadSlots },
  ] as const)(
    '$name exports its outputs by name, and onnxruntime-node computes what PyTorch does',
    async ({ name, load }) => {
      const folder = temporaryFolder()
      await (await load()).savePretrained(folder)
      const { batch, outputs } = oracleOf(name)
      const session = await InferenceSession.create(join(folder, 'onnx/model.onnx'))
      const feeds = session.inputNames.map(input => {
        const { data, dims } = batch[input]!
        return [input, new RuntimeTensor('int64', BigInt64Array.from(data as Int32Array, BigInt), dims)] as const
      })
      const found = await session.run(Object.fromEntries(feeds))
      expect(Object.keys(found).toSorted()).toEqual(Object.keys(outputs).toSorted())
      for (const [output, { shape, data }] of Object.entries(outputs)) {
        expect(found[output]!.dims).toEqual(shape)
        const given = found[output]!.data as Float32Array
        data.forEach((value, at) => expect(given[at]).toBeCloseTo(value as number, 4))
      }
      await session.release()
    },
  )

  it('open without the head too: the encoder with the head of a task', async () => {
    const folder = temporaryFolder()
    await (await loadSlots()).savePretrained(folder)
    messages.length = 0
    const model = await AutoModelForTokenClassification.fromPretrained(folder, { numLabels: 5 })
    expect(messages.join()).toMatch(/not initialized.*'classifier.bias', 'classifier.weight'/)
    const query = 'distilbert.transformer.layer.0.attention.q_lin.weight'
    expect(model.parameter(query).data).toEqual((await loadSlots()).parameter(query).data)
  })
})

describe('adapters and freezing', () => {
  it('saves the whole head with an adapter, which opens again with it', async () => {
    const folder = temporaryFolder()
    const base = await loadTriage()
    const model = getPeftModel(base, { r: 2, targetModules: ['query', 'value'] })
    expect(model.definition.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'urgency_dense.weight',
        'urgency_norm.weight',
        'topic.bias',
        'urgency.weight',
        'flags.weight',
      ]),
    )
    const trainer = quietTrainer({
      model,
      args: args({ maxSteps: 4, learningRate: 0.05, saveStrategy: 'steps', saveSteps: 2, loadBestModelAtEnd: false }),
      trainDataset: triageRows,
    })
    await trainer.train()
    const { predictions } = await trainer.predict(triageRows)
    await model.savePretrained(folder)
    const adapter = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>
    expect(adapter).toMatchObject({
      task_type: null,
      modules_to_save: ['urgency_dense', 'urgency_norm', 'topic', 'urgency', 'flags'],
    })
    const again = await AutoModel.fromPretrained(folder, { head: triage })
    expect(again).toBeInstanceOf(PeftModel)
    for (const opened of [again, model.mergeAndUnload()]) {
      const other = quietTrainer({ model: opened, args: args() })
      const { predictions: same } = await other.predict(triageRows)
      expectNear(same.topic, predictions.topic)
      expectNear(same.urgency, predictions.urgency)
      await other.dispose()
    }
    await trainer.dispose()
  })

  it('has linear layers that are adapted where targetModules says so, and kept out of all-linear', async () => {
    const all = getPeftModel(await loadTriage(), { targetModules: 'all-linear' })
    expect([...all.parameters.keys()].filter(name => /^(topic|urgency_dense)\..*lora/.test(name))).toEqual([])
    const some = getPeftModel(await loadTriage(), { targetModules: ['query', 'flags'], modulesToSave: ['topic'] })
    expect(some.parameters.has('flags.lora_A.weight')).toBe(true)
  })

  it('refuses to save a part of the encoder in the place of a layer', async () => {
    const head = ownHead({
      ...slots,
      outputs: (encoded, { linear }) => ({
        intent: linear('out_lin', encoded.first(), 4),
        slots: linear('slots', encoded.tokens(), 5),
      }),
    })
    const { config: own } = await loadSlots()
    expect(() => getPeftModel(AutoModel.fromConfig(own, { head }))).toThrow(
      /The layer "out_lin" of DistilBertForSlots is called as the end of "distilbert\.transformer.*attention\.out_lin"/,
    )
  })

  it('freezes by name, and trains the head alone', async () => {
    const model = await loadTriage()
    model.freeze('bert')
    const start = Array.from(model.parameter('bert.encoder.layer.1.output.dense.weight').data)
    const trainer = quietTrainer({ model, args: args({ maxSteps: 2, learningRate: 0.1 }), trainDataset: triageRows })
    await trainer.train()
    expect(Array.from(model.parameter('bert.encoder.layer.1.output.dense.weight').data)).toEqual(start)
    expect(model.parameter('topic.weight').data).not.toEqual((await loadTriage()).parameter('topic.weight').data)
    await trainer.dispose()
  })
})

function expectNear(given: Tensor, expected: Tensor): void {
  expect(given.dims).toEqual(expected.dims)
  given.data.forEach((value: number | bigint, at: number) =>
    expect(Number(value)).toBeCloseTo(Number(expected.data[at]), 4),
  )
}

function numbersOf({ data }: Tensor): number[] {
  return Array.from(data as Float32Array, Number)
}
