// a model with a head of the user's own in the Trainer: predictions, metrics, checkpoints
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AutoModel, crossEntropy, type Dataset, meanSquaredError, ownHead, type OwnHead, Tensor } from '../../src/index'
import { logMessages } from '../helpers/logMessages'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { config, rowsIn } from './taskBatches'
import { loadSlots, loadTriage, oracleOf, shortRun, triage, triageRows } from './ownHeads'

const messages = logMessages('warning')
const slotRows = rowsIn(oracleOf('distilbert-slots').batch)

describe('in the Trainer', () => {
  it('multiplies one loss by the weight of its column, as it does losses by name', async () => {
    const loss = async (isNamed: boolean, weight?: number): Promise<number> => {
      const head = ownHead({
        name: 'BertForTopics',
        labels: { topic: { classes: 3 } },
        outputs: (encoded, { linear }) => ({ topic: linear('topic', encoded.first(), 3) }),
        loss(outputs, labels, graph) {
          const topic = crossEntropy(graph, outputs.topic!, labels.topic)
          return isNamed ? { topic } : topic
        },
        ...(weight !== undefined && { weights: { topic: weight } }),
      })
      const rows = triageRows.removeColumns(['urgency', 'flags'])
      const trainer = quietTrainer({
        model: AutoModel.fromConfig(config, { head }),
        args: shortRun(),
        evalDataset: rows,
      })
      const { eval_loss } = await trainer.evaluate()
      await trainer.dispose()
      return eval_loss as number
    }
    const plain = await loss(false)
    for (const isNamed of [false, true]) expect(await loss(isNamed, 0.25)).toBeCloseTo(plain / 4, 6)
  })

  it('predicts a tensor for each output by name, in the order of the dataset, with the labels by name', async () => {
    const { outputs, inputs } = oracleOf('bert-triage')
    const trainer = quietTrainer({ model: await loadTriage(), args: shortRun({ perDeviceEvalBatchSize: 4 }) })
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
        args: shortRun({ batchEvalMetrics }),
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
      args: shortRun({
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
    const again = quietTrainer({ model: await AutoModel.fromPretrained(outputDir, { head: triage }), args: shortRun() })
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
        args: shortRun({ outputDir, maxSteps: 6, saveStrategy: 'steps', saveSteps: 3, learningRate: 1e-2 }),
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
    const trainer = quietTrainer({ model, args: shortRun({ maxSteps: 2 }), trainDataset: rows })
    const { predictions, labels } = await trainer.predict(rows)
    const predicted = numbersOf(predictions.score)
    const squares = numbersOf(labels!.score).map((label, at) => (label - predicted[at]!) ** 2)
    expect((await trainer.evaluate(rows)).eval_loss).toBeCloseTo(squares.reduce((a, b) => a + b) / squares.length, 5)
    expect((await trainer.train()).globalStep).toBe(2)
    await trainer.dispose()
  })
})

describe('numbers of tokens', () => {
  const { batch } = oracleOf('distilbert-slots')
  const lengths = batch.attention_mask!
  const values = Array.from(lengths.data as Int32Array, (real, at) => (real === 0 || at % 5 === 0 ? -100 : at / 10))
  const { intent: _, labels: _labels, ...inputs } = batch
  const dataset = rowsIn({ ...inputs, weight: new Tensor('float32', Float32Array.from(values), lengths.dims) })
  const trainerOf = (loss: OwnHead<'weight', 'weight'>['loss']) => {
    const head = ownHead({
      name: 'BertForWeights',
      labels: { weight: { numbers: 1, of: 'tokens' } },
      outputs: (encoded, { linear }) => ({ weight: linear('weight', encoded.tokens(), 1) }),
      loss,
    })
    const model = AutoModel.fromConfig({ ...config, max_position_embeddings: 14 }, { head })
    return quietTrainer({ model, args: shortRun({ maxSteps: 2, learningRate: 0.01 }), trainDataset: dataset })
  }

  it('count where they are not -100', async () => {
    const trainer = trainerOf(({ weight }, labels, graph) => {
      const counted = graph.cast(graph.not(graph.equal(labels.weight, -100)), 'float32')
      const error = graph.mul(graph.sub(weight, labels.weight), counted)
      return { weight: { sum: graph.sum(graph.mul(error, error)), count: graph.sum(counted) } }
    })
    const { predictions, labels } = await trainer.predict(dataset)
    expect(predictions.weight.dims).toEqual([...lengths.dims, 1])
    expect(numbersOf(labels!.weight)).toEqual(values.map(Math.fround))
    const counted = values.flatMap((value, at) => (value === -100 ? [] : [[value, predictions.weight.data[at]!]]))
    const mean = counted.reduce((sum, [value, given]) => sum + (Number(value) - Number(given)) ** 2, 0) / counted.length
    expect((await trainer.evaluate(dataset)).eval_loss! / mean).toBeCloseTo(1, 5)
    await trainer.train()
    expect((await trainer.evaluate(dataset)).eval_loss!).toBeLessThan(mean)
    await trainer.dispose()
  })

  it('are refused where the loss counts those too that have none', async () => {
    const trainer = trainerOf(({ weight }, labels, graph) => ({
      weight: meanSquaredError(graph, weight, labels.weight),
    }))
    await expect(trainer.train()).rejects.toThrow(/losses of BertForWeights count \d+, but \d+ labels/)
    await trainer.dispose()
  })
})

function numbersOf({ data }: Tensor): number[] {
  return Array.from(data as Float32Array, Number)
}
