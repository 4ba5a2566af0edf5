import { describe, expect, it } from 'vitest'
import { Dataset, type EvalPrediction, loadMetric, Tensor } from '../../src/index'
import { collate, createTrainer, dataset, tinyModel, rows, run } from './support'

const numbers = ({ data }: Tensor): number[] => Array.from(data as Float32Array, Number)

describe('evaluation', () => {
  it('takes several datasets by name, each logged and reported to callbacks on its own', async () => {
    const heard: string[][] = []
    const callbacks = [
      {
        onEvaluate: (_args: unknown, _state: unknown, _control: unknown, { metrics = {} }: { metrics?: object }) =>
          void heard.push(Object.keys(metrics)),
      },
    ]
    const evalDataset = { long: dataset(7), short: dataset(3) }
    const { trainer, evaluations } = await run(
      {
        maxSteps: 2,
        evalStrategy: 'epoch',
        saveStrategy: 'epoch',
        loadBestModelAtEnd: true,
        metricForBestModel: 'short_loss',
        logLevel: 'error',
      },
      { evalDataset, callbacks },
    )
    expect(heard.map(keys => keys[0])).toEqual(['eval_long_loss', 'eval_short_loss'])
    expect(trainer.state.logHistory.filter(entry => entry.eval_long_loss !== undefined)).toHaveLength(1)
    expect(evaluations).toEqual([])
    const all = await trainer.evaluate()
    expect(all.eval_short_loss).toBe(trainer.state.bestMetric)
    expect((await trainer.evaluate('short')).eval_loss).toBe(all.eval_short_loss)
    expect((await trainer.evaluate(evalDataset.long)).eval_loss).toBe(all.eval_long_loss)
    await expect(trainer.evaluate('middle')).rejects.toThrow(/no evaluation dataset named "middle".*"long", "short"/s)
  })

  it('has a loss that does not depend on the batch size, and predictions in the order of the dataset', async () => {
    const shared = tinyModel()
    const results = []
    for (const perDeviceEvalBatchSize of [1, 3, 4, 50]) {
      const trainer = createTrainer({ perDeviceEvalBatchSize }, { model: shared })
      const { predictions, labelIds, metrics } = await trainer.predict(dataset(11))
      results.push({
        loss: metrics.test_loss!,
        predictions: predictions.tolist() as number[][],
        labels: labelIds!.tolist(),
      })
    }
    const singly: number[] = []
    const one = createTrainer({}, { model: shared })
    for (const row of rows(11)) singly.push(...numbers((await one.predict(Dataset.fromRows([row]))).predictions))
    for (const { loss, predictions, labels } of results) {
      expect(loss).toBeCloseTo(results[0]!.loss, 6)
      predictions.flat().forEach((logit, i) => expect(logit).toBeCloseTo(singly[i]!, 5))
      expect(labels).toEqual(rows(11).map(({ label }) => label))
    }
    const expected =
      singly.reduce(
        (sum, _, i) =>
          i % 2 === 0
            ? sum + Math.log(Math.exp(singly[i]!) + Math.exp(singly[i + 1]!)) - singly[i + rows(11)[i / 2]!.label]!
            : sum,
        0,
      ) / 11
    expect(results[0]!.loss).toBeCloseTo(expected, 5)
  })

  it('keeps what preprocessLogitsForMetrics returns, padded with -100 where rows differ in length', async () => {
    let seen: EvalPrediction | undefined
    const trainer = createTrainer(
      { perDeviceEvalBatchSize: 3 },
      {
        computeMetrics: prediction => ((seen = prediction), {}),
        // as wide as the batch is long
        preprocessLogitsForMetrics: (logits, labels) =>
          Tensor.from(
            'float32',
            Array.from({ length: logits.dims[0]! }, (_, row) =>
              Array.from({ length: labels!.size === 1 ? 2 : 3 }, () => row),
            ),
          ),
      },
    )
    await trainer.evaluate()
    expect(seen!.predictions.dims).toEqual([7, 3])
    expect(numbers(seen!.predictions).filter(value => value === -100)).toHaveLength(1)
  })

  it('gives predictions and labels in two, as Python does', async () => {
    const trainer = createTrainer(
      {},
      { computeMetrics: ([logits, labels]) => ({ rows: [logits!.dims[0]!, labels!.dims[0]!] }) },
    )
    expect(await trainer.evaluate()).toMatchObject({ eval_rows: [7, 7] })
  })

  it('computes the same metrics batch by batch as all at once', async () => {
    const count = 2000
    const accuracy = loadMetric('accuracy')
    const whole = createTrainer(
      { perDeviceEvalBatchSize: 64 },
      {
        computeMetrics: ({ predictions, labels }) =>
          accuracy.compute({ predictions: predictions.argmax(-1), references: labels }),
      },
    )
    const sums = { right: 0, rows: 0 }
    let largest = 0
    const streaming = createTrainer(
      { perDeviceEvalBatchSize: 64, batchEvalMetrics: true },
      {
        model: whole.model,
        computeMetrics: ({ predictions, labels }: EvalPrediction, computeResult: boolean): Record<string, number> => {
          const chosen = predictions.argmax(-1)
          for (let row = 0; row < labels.size; row++)
            sums.right += Number(Number(chosen.data[row]) === Number(labels.data[row]))
          sums.rows += labels.size
          largest = Math.max(largest, labels.size)
          return computeResult ? { accuracy: sums.right / sums.rows } : {}
        },
      },
    )
    const set = dataset(count)
    const expected = await whole.evaluate(set)
    const streamed = await streaming.evaluate(set)
    expect(streamed.eval_accuracy).toBe(expected.eval_accuracy)
    expect([sums.rows, largest]).toEqual([count, 64])
    expect(streamed.eval_loss).toBeCloseTo(expected.eval_loss!, 6)
  })

  it('uses no more memory for 10,000 rows if metrics are computed batch by batch', async () => {
    const count = 10_000
    const labels = 2_000 // all logits together would be 80 MB
    const row = { input_ids: [1, 2, 3], attention_mask: [1, 1, 1], label: 5 }
    const set = { length: count, get: () => row }
    const wide = tinyModel({}, { numLabels: labels })
    const used: number[] = []
    const trainer = createTrainer(
      { perDeviceEvalBatchSize: 50, batchEvalMetrics: true },
      {
        model: wide,
        computeMetrics: (_prediction, _last) => ({}),
        callbacks: [{ onPredictionStep: () => void used.push(process.memoryUsage().rss / 2 ** 20) }],
      },
    )
    const { eval_loss: loss } = await trainer.evaluate(set)
    expect(loss).toBeGreaterThan(0)
    expect(used).toHaveLength(200)
    const early = Math.min(...used.slice(40, 60))
    const late = Math.min(...used.slice(-20))
    console.info(
      `resident memory in MB after batch 1, 50, 100, 200: ${[0, 49, 99, 199].map(i => Math.round(used[i]!)).join(', ')}`,
    )
    expect(late - early).toBeLessThan(30)
  })

  it('refuses metrics by batch that cannot know which batch is the last', () => {
    expect(() => createTrainer({ batchEvalMetrics: true }, { computeMetrics: () => ({}) })).toThrow(
      /second parameter.*computeResult/s,
    )
  })

  it('predicts rows without labels, but needs labels for metrics', async () => {
    const unlabelled = Dataset.fromRows(rows(5).map(({ input_ids, attention_mask }) => ({ input_ids, attention_mask })))
    const trainer = createTrainer({}, { computeMetrics: () => ({ seen: 1 }) })
    const { labels, metrics } = await trainer.predict(unlabelled)
    expect(labels).toBeUndefined()
    expect(Object.keys(metrics).filter(key => !/runtime|per_second/.test(key))).toEqual([])
    await expect(trainer.evaluate(unlabelled)).rejects.toThrow(/no labels/)
    expect((await trainer.predict(dataset(5), { metricKeyPrefix: 'mine' })).metrics.mine_seen).toBe(1)
  })

  it('predicts the rows of a stream', async () => {
    const stream = {
      async *[Symbol.asyncIterator]() {
        yield* rows(5).map(row => ({ ...row }))
      },
    }
    const trainer = createTrainer({ perDeviceEvalBatchSize: 2 }, { dataCollator: collate })
    const { predictions } = await trainer.predict(stream)
    expect(predictions.dims).toEqual([5, 2])
    const listed = (await trainer.predict(dataset(5))).predictions
    numbers(predictions).forEach((logit, i) => expect(logit).toBeCloseTo(numbers(listed)[i]!, 5))
  })
})
