import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  AutoModelForMaskedLM,
  type CallbackContext,
  Dataset,
  type EvaluatedBatch,
  HtmlReportCallback,
  type Tensor,
  type Trainer,
  type TrainerOptions,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { collate } from '../helpers/collate'
import { logMessages } from '../helpers/logMessages'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

const messages = logMessages()

/** Rows of different lengths, with a text that the model does not take. */
function rowsOf(count: number): { input_ids: number[]; label: number; review: string }[] {
  return Array.from({ length: count }, (_, row) => ({
    input_ids: Array.from({ length: 2 + ((row * 5) % 7) }, (_unused, at) => 1 + ((row * 7 + at * 11) % 29)),
    label: (row * row + row) % 3 === 0 ? 1 : 0,
    review: `<b>review</b> ${row}`,
  }))
}

/** Rows that come one by one, again and again. */
function streamOf(count: number): AsyncIterable<object> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* rowsOf(count)
    },
  }
}

function trainerOf(
  args: TrainingArgumentsOptions,
  options: Partial<TrainerOptions> = {},
): { readonly trainer: Trainer; readonly page: () => string } {
  const outputDir = temporaryFolder()
  const trainer = quietTrainer({
    model: tinyModel(),
    args: {
      outputDir,
      reportTo: 'html',
      maxSteps: 4,
      perDeviceTrainBatchSize: 4,
      perDeviceEvalBatchSize: 4,
      evalStrategy: 'steps',
      evalSteps: 2,
      loggingSteps: 1,
      saveStrategy: 'no',
      ...args,
    },
    trainDataset: Dataset.fromRows(rowsOf(16)),
    evalDataset: Dataset.fromRows(rowsOf(13)),
    dataCollator: collate,
    ...options,
  })
  onTestFinished(() => trainer.dispose())
  return { trainer, page: () => readFileSync(join(outputDir, 'report.html'), 'utf8') }
}

const headingsOf = (page: string): string[] =>
  [...page.matchAll(/<h[1-6][^>]*>(.*?)<\/h[1-6]>/gs)].map(([, text]) => text!.replace(/<[^>]*>/g, ''))

describe('report.html', () => {
  it('is there after training, of a model without computeMetrics too, with the rows and their texts', async () => {
    const { trainer, page } = trainerOf({ runName: 'the run' })
    await trainer.train()
    expect(headingsOf(page())).toEqual([
      ...['the run', 'Summary', 'Curves', 'Evaluation', 'Metrics', 'Confusion matrix', 'Classes', 'Reliability'],
      ...['Rows to look at', 'Most wrong', 'Most unsure', 'Training arguments', 'Timings', 'Machine and versions'],
    ])
    expect(page()).toContain('Finished: 4 steps')
    expect(page()).toContain('at step 4: 13 rows')
    expect(page()).toContain('&lt;b&gt;review&lt;/b&gt; ')
    expect(page()).toContain('Rows are counted from 0 in the dataset that was evaluated.')
    expect(readdirSync(trainer.args.outputDir)).toEqual(['report.html'])
  })

  it('counts as the metrics of computeMetrics do', async () => {
    const { trainer, page } = trainerOf(
      {},
      {
        computeMetrics: ({ predictions, labels }) => ({
          right: Array.from(predictions.argmax(-1).data as Int32Array).filter(
            (one, at) => one === Number(labels.data[at]),
          ).length,
        }),
      },
    )
    const { eval_right: right } = await trainer.evaluate()
    const cells = [...page().matchAll(/<td class="number (right|wrong)\d+" title="(\d+) row/g)]
    const sum = (kind: string): number => cells.reduce((all, [, one, n]) => all + (one === kind ? Number(n) : 0), 0)
    expect(sum('right')).toBe(right)
    expect(sum('right') + sum('wrong')).toBe(13)
    expect(page()).toContain('Evaluated, not trained')
  })

  it('has a section for each of several evaluation sets', async () => {
    const evalDataset = { mail: Dataset.fromRows(rowsOf(6)), chat: Dataset.fromRows(rowsOf(9)) }
    const { trainer, page } = trainerOf({}, { evalDataset })
    await trainer.train()
    expect(headingsOf(page()).filter(text => text.startsWith('Evaluation'))).toEqual([
      'Evaluation: mail',
      'Evaluation: chat',
    ])
    expect(page()).toContain('mail 6, chat 9')
  })

  it('has the texts of rows that come as a stream', async () => {
    const { trainer, page } = trainerOf({}, { evalDataset: streamOf(11) as never })
    await trainer.evaluate()
    expect(page()).toContain('11 rows')
    expect(page().match(/class="words"/g)!.length).toBeGreaterThan(5)
    expect(page()).toContain('&lt;b&gt;review&lt;/b&gt; ')
  })

  it('shows what the tokenizer makes of rows without texts', async () => {
    const bare = Dataset.fromRows(rowsOf(5).map(({ review: _review, ...row }) => row))
    const processingClass = Object.assign(() => ({}), {
      decode: (ids: readonly number[]) => `decoded ${ids.join(' ')}`,
    }) as never
    const { trainer, page } = trainerOf({}, { evalDataset: bare, processingClass })
    await trainer.evaluate()
    const [first] = rowsOf(1)
    expect(page()).toContain(`decoded ${first!.input_ids.join(' ')}<`)
  })

  it('has neither rows nor texts with rows: 0', async () => {
    const callbacks = [new HtmlReportCallback({ rows: 0 })]
    const { trainer, page } = trainerOf({ reportTo: 'none' }, { callbacks })
    await trainer.evaluate()
    expect(headingsOf(page())).toContain('Confusion matrix')
    expect(page()).not.toContain('review')
  })

  it('says where a run stopped, and where it ended by an error', async () => {
    const stopping = trainerOf(
      {},
      { callbacks: [{ onStepEnd: (_, { globalStep }) => ({ shouldTrainingStop: globalStep === 3 }) }] },
    )
    await stopping.trainer.train()
    expect(stopping.page()).toContain('Stopped at step 3 of 4')
    const failing = trainerOf({}, { callbacks: [{ onEvaluate: () => Promise.reject(new Error('enough')) }] })
    await expect(failing.trainer.train()).rejects.toThrow('enough')
    expect(failing.page()).toContain('Ended by an error at step 2 of 4')
    await setTimeout(200) // the page of the evaluation was being written, and does not come over it
    expect(failing.page()).toContain('Ended by an error at step 2 of 4')
  })

  it('has the whole curves of a run that was resumed', async () => {
    const outputDir = temporaryFolder()
    const first = trainerOf({ outputDir, saveStrategy: 'steps', saveSteps: 2, maxSteps: 2 })
    await first.trainer.train()
    const second = trainerOf({ outputDir, maxSteps: 6 })
    await second.trainer.train({ resumeFromCheckpoint: true })
    const page = readFileSync(join(outputDir, 'report.html'), 'utf8')
    expect([...page.matchAll(/<title>training at step (\d+)/g)].map(([, step]) => Number(step))).toEqual([
      1, 2, 3, 4, 5, 6,
    ])
  })

  it('that cannot be written is a warning, and the run goes on', async () => {
    const { trainer } = trainerOf({})
    mkdirSync(join(trainer.args.outputDir, 'report.html'))
    const { globalStep } = await trainer.train()
    expect(globalStep).toBe(4)
    expect(messages.filter(message => message.includes('report.html was not written'))).not.toEqual([])
  })

  it('is without a text that cannot be read, and says so', async () => {
    const left = [2, 1, 1, 1] // the columns are those of the first row
    const get = (at: number): object => {
      if (left[at]!-- === 0) throw new Error('the disk is gone')
      return rowsOf(4)[at]!
    }
    const { trainer, page } = trainerOf({}, { evalDataset: { length: 4, get } as never })
    await trainer.evaluate()
    expect(page()).toContain('4 rows')
    expect(page()).not.toContain('review')
    expect(messages.filter(message => /without the text of row \d.*the disk is gone/.test(message))).not.toEqual([])
  })
})

describe('predictions in onPredictionStep', () => {
  /** What a callback gets of an evaluation. */
  async function evaluatedBy(
    args: TrainingArgumentsOptions,
    reads: boolean,
  ): Promise<readonly (EvaluatedBatch | undefined)[]> {
    const found: (EvaluatedBatch | undefined)[] = []
    const callback = {
      readsPredictions: () => reads,
      onPredictionStep: (_args: unknown, _state: unknown, _control: unknown, { evaluated }: CallbackContext) =>
        void found.push(evaluated),
    }
    const { trainer } = trainerOf({ reportTo: 'none', ...args }, { callbacks: [callback] })
    await trainer.evaluate()
    const evaluations = found.length
    const { predictions } = await trainer.predict(Dataset.fromRows(rowsOf(13)))
    expect(found.slice(evaluations).every(one => one === undefined)).toBe(true)
    for (const { rows, predictions: own } of found.slice(0, evaluations).filter(one => one !== undefined))
      rows.forEach((row, at) => expect(rowIn(own['logits']!, at)).toEqual(rowIn(predictions, row)))
    return found.slice(0, evaluations)
  }
  const rowIn = ({ data, dims: [, width = 1] }: Tensor, row: number): number[] =>
    Array.from(data.subarray(row * width, (row + 1) * width) as Float32Array)

  it('are those of predict(), and every row is there once', async () => {
    const found = await evaluatedBy({}, true)
    const rows = found.flatMap(one => [...one!.rows]).toSorted((a, b) => a - b)
    expect(rows).toEqual(Array.from({ length: 13 }, (_, row) => row))
    const { rows: own, wholeRow, labels, prefix } = found[0]!
    expect(await wholeRow(1)).toEqual(rowsOf(13)[own[1]!])
    expect([prefix, Object.keys(labels)]).toEqual(['eval', ['labels']])
  })

  it('are not there unless a callback reads them, nor with predictionLossOnly', async () => {
    expect((await evaluatedBy({}, false)).filter(one => one !== undefined)).toEqual([])
    expect((await evaluatedBy({ predictionLossOnly: true }, true)).filter(one => one !== undefined)).toEqual([])
  })

  it('leave the loss as it is', async () => {
    const [without, having] = [trainerOf({ reportTo: 'none' }), trainerOf({})]
    expect((await having.trainer.evaluate())['eval_loss']).toBe((await without.trainer.evaluate())['eval_loss'])
  })

  it('are not read of models that guess words: the report has their curves', async () => {
    const model = AutoModelForMaskedLM.fromConfig(tinyConfig)
    expect(new HtmlReportCallback().readsPredictions(model)).toBe(false)
    expect(new HtmlReportCallback().readsPredictions(tinyModel())).toBe(true)
  })
})

it('refuses numbers of rows that are none', () => {
  for (const rows of [-1, 1.5, '3' as never])
    expect(() => new HtmlReportCallback({ rows })).toThrow('rows should be a whole number of at least 0')
  expect(existsSync('report.html')).toBe(false)
})
