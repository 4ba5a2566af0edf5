import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Batch, Dataset, Tensor, TrainerState } from '../../src/index'
import { defaultObjective } from '../../src/search/search'
import { collate, createTrainer, run } from './support'

describe('what a collator or computeMetrics may return', () => {
  it('a collator that is not a function, and a batch without input_ids', async () => {
    expect(() => createTrainer({}, { dataCollator: 7 as never })).toThrow(/dataCollator.*function/)
    await expect(run({}, { dataCollator: given => ({ labels: collate(given).labels! }) })).rejects.toThrow(/input_ids/)
  })

  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /collator returned undefined.*named tensors/s],
    [
      'lists in place of tensors',
      { input_ids: [[1, 2]] },
      /"input_ids" of what the data collator returned is not a Tensor.*named tensors/s,
    ],
  ])('a collator that returns %s', async (_what, batch, message) => {
    await expect(run({}, { dataCollator: () => batch as never })).rejects.toThrow(message)
  })

  it('metrics that are not returned', async () => {
    await expect(createTrainer({}, { computeMetrics: () => undefined as never }).evaluate()).rejects.toThrow(
      /computeMetrics returned undefined.*Return \{ accuracy/s,
    )
  })

  it.each<[unknown, RegExp]>([
    [[0.5], /computeMetrics returned a list, not an object of metrics by name/],
    [new Map([['f1', 1]]), /returned a Map.*Return Object\.fromEntries\(map\)/s],
    [{ f1: undefined }, /returned undefined as "f1", which is no metric/],
    [{ report: { spam: [0.5, Promise.resolve(1)] } }, /returned a Promise as "report\.spam\.1".*Write await/s],
    [{ f1: () => 1 }, /returned function as "f1"/],
    [{ at: new Date(0) }, /returned a Date as "at"/],
    [{ id: 2n ** 60n }, /1152921504606846976, which is beyond 2⁵³ as "id"/],
    [{ half: new Tensor('float16', Uint16Array.of(0), [1]) }, /of float16 as "half".*Convert it to float32/s],
  ])('metrics that a log cannot keep: %#', async (metrics, message) => {
    await expect(createTrainer({}, { computeMetrics: () => metrics as never }).evaluate()).rejects.toThrow(message)
  })

  it('metrics that are what they are inside of', async () => {
    const own: Record<string, unknown> = {}
    own['self'] = { own }
    await expect(createTrainer({}, { computeMetrics: () => own }).evaluate()).rejects.toThrow(/as "self\.own"/)
  })

  it('metrics that are lists, objects, tensors and BigInt, in results, the log and the state of a checkpoint', async () => {
    const computeMetrics = (): Record<string, unknown> => ({
      report: { spam: { f1: 0.5, support: 3n }, note: 'few rows' },
      per_class: [0.25, NaN],
      matrix: Tensor.from('int64', [
        [1, 2],
        [3, 4],
      ]),
      best: Tensor.from('float64', [0.75]),
      typed: Float64Array.of(0.5, 1),
      eval_given: true,
      none: null,
    })
    // transformers 5.24: denumpify_detensorize, then the prefix; a tensor of several elements would stay one there
    const expected = {
      eval_report: { spam: { f1: 0.5, support: 3 }, note: 'few rows' },
      eval_per_class: [0.25, NaN],
      eval_matrix: [
        [1, 2],
        [3, 4],
      ],
      eval_best: 0.75,
      eval_typed: [0.5, 1],
      eval_given: true,
      eval_none: null,
    }
    const ran = await run({ evalStrategy: 'epoch', saveStrategy: 'epoch', numTrainEpochs: 1 }, { computeMetrics })
    expect(ran.evaluations[0]).toMatchObject(expected)
    expect(await ran.trainer.evaluate()).toMatchObject(expected)
    const text = readFileSync(`${ran.outputDir}/${ran.checkpoints[0]}/trainer_state.json`, 'utf8')
    const read = TrainerState.fromJSON(text).logHistory.find(entry => entry['eval_loss'] !== undefined)
    expect(read).toMatchObject({ eval_report: expected.eval_report, eval_per_class: [0.25, null], eval_best: 0.75 })
    await ran.trainer.saveMetrics('eval', ran.evaluations[0]!)
    expect(JSON.parse(readFileSync(`${ran.outputDir}/eval_results.json`, 'utf8'))).toMatchObject({
      eval_matrix: expected.eval_matrix,
    })
  })

  it('a nested metric cannot be the best, nor be added up', async () => {
    const computeMetrics = (): Record<string, unknown> => ({ report: { f1: 0.5 } })
    await expect(run({ evalStrategy: 'epoch', metricForBestModel: 'report' }, { computeMetrics })).rejects.toThrow(
      /metricForBestModel is "report", but "eval_report" is \{ f1 \}, not a number/,
    )
    expect(() => defaultObjective({ eval_report: { f1: 0.5 } } as never)).toThrow(
      /"eval_report" is \{ f1 \}.*computeObj/s,
    )
  })

  it('a log that a user writes is kept as plain data too', async () => {
    const trainer = createTrainer()
    await trainer.log({ count: 3n, scores: Float32Array.of(0.5) } as never)
    expect(trainer.state.logHistory.at(-1)).toMatchObject({ count: 3, scores: [0.5] })
  })

  it('a collator that misses columns which were removed', async () => {
    const texts = Dataset.fromRows(
      Array.from({ length: 12 }, (_, i) => ({ input_ids: [1, 2], text: 'a b', note: 'x', label: i % 2 })),
    )
    const options = { trainDataset: texts, evalDataset: texts }
    const readText = (given: readonly Readonly<Record<string, unknown>>[]): Batch => ({
      input_ids: Tensor.from(
        'int32',
        given.map(row => (row['text'] as string).split(' ').map(word => word.length)),
      ),
      labels: Tensor.from(
        'int32',
        given.map(row => row['label'] as number),
      ),
    })
    const message =
      /The data collator reads "text", which was removed.*failed: Cannot read.*removeUnusedColumns: false/s
    await expect(run({}, { ...options, dataCollator: readText })).rejects.toThrow(message)
    await expect(createTrainer({}, { ...options, dataCollator: readText }).evaluate()).rejects.toThrow(message)
    expect((await run({ removeUnusedColumns: false }, { ...options, dataCollator: readText })).output.globalStep).toBe(
      6,
    )
    const naming = Object.assign(readText, { columns: ['text'] })
    expect((await run({}, { ...options, dataCollator: naming })).output.globalStep).toBe(6)
    const empty = (given: readonly Readonly<Record<string, unknown>>[]): Batch => ({
      ...(given[0]!['note'] !== undefined && { input_ids: Tensor.from('int32', [[1]]) }),
      labels: Tensor.from(
        'int32',
        given.map(row => row['label'] as number),
      ),
    })
    await expect(run({}, { ...options, dataCollator: empty })).rejects.toThrow(
      /reads "note", which was removed.*returned no input of the model, but "labels".*removeUnusedColumns: false/s,
    )
    const own = (): Batch => {
      throw new Error('of its own')
    }
    await expect(run({}, { ...options, dataCollator: own })).rejects.toThrow(/^of its own$/)
  })

  it('the same Trainer can train again after an error', async () => {
    let spoiled = true
    const trainer = createTrainer(
      {},
      { dataCollator: given => (spoiled ? { labels: collate(given).labels! } : collate(given)) },
    )
    await expect(trainer.train()).rejects.toThrow(/input_ids/)
    spoiled = false
    expect((await trainer.train()).globalStep).toBe(6)
  })
})
