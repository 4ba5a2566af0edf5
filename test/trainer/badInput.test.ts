import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  Dataset,
  DataCollatorWithPadding,
  type PreTrainedModel,
  TrainingArguments,
  Trainer,
} from '../../src/index'
import { collate, createTrainer, dataset, tinyModel, rows, run } from './support'
import { temporaryFolder } from '../helpers/temporaryFolder'

const tokenizerFolder = join(import.meta.dirname, '../../examples/data/tokenizer')
const listed = (change: (row: ReturnType<typeof rows>[number], i: number) => object, count = 12): Dataset<object> =>
  Dataset.fromRows(rows(count).map(change)) as Dataset<object>

/** A saved model's folder. */
async function saved(): Promise<string> {
  const trainer = createTrainer()
  await trainer.saveModel()
  return trainer.args.outputDir
}

describe('a folder that is not a model', () => {
  it('a missing safetensors file', async () => {
    const path = await saved()
    rmSync(join(path, 'model.safetensors'))
    await expect(AutoModelForSequenceClassification.fromPretrained(path)).rejects.toThrow(/model\.safetensors/)
  })

  it('a truncated safetensors file', async () => {
    const path = await saved()
    truncateSync(join(path, 'model.safetensors'), 700)
    await expect(AutoModelForSequenceClassification.fromPretrained(path)).rejects.toThrow(
      /model\.safetensors.*(ends|truncated|bytes|incomplete)/s,
    )
  })

  it('an unknown model_type', async () => {
    const path = await saved()
    writeFileSync(join(path, 'config.json'), JSON.stringify({ model_type: 'brt' }))
    await expect(AutoModelForSequenceClassification.fromPretrained(path)).rejects.toThrow(/"brt".*bert/s)
  })
})

describe('rows that the model cannot take', () => {
  it("a label out of range: which row, in the dataset's count", async () => {
    await expect(run({}, { trainDataset: listed((row, i) => (i === 9 ? { ...row, label: 2 } : row)) })).rejects.toThrow(
      /label of row 9 of the training dataset is 2.*2 labels: 0 to 1.*numLabels/s,
    )
    await expect(createTrainer().evaluate(listed((row, i) => (i === 5 ? { ...row, label: -1 } : row)))).rejects.toThrow(
      /row 5 of the evaluation dataset is -1.*hidden test labels/s,
    )
  })

  it('no labels', async () => {
    await expect(
      run({}, { trainDataset: listed(({ input_ids, attention_mask }) => ({ input_ids, attention_mask })) }),
    ).rejects.toThrow(/training dataset has no labels.*"input_ids".*labelNames/s)
  })

  it('labels that are text', async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(tokenizerFolder)
    const trainer = createTrainer(
      {},
      { trainDataset: listed(row => ({ ...row, label: 'good' })), dataCollator: DataCollatorWithPadding(tokenizer) },
    )
    await expect(trainer.train()).rejects.toThrow(
      /'label' of row \d+ of the dataset is text \("good"\).*classEncodeColumn/s,
    )
  })

  it('no column at all that the model takes: both lists of names', async () => {
    const texts = Dataset.fromRows([{ sentence: 'a', label: 0 }]) as Dataset<object>
    await expect(run({}, { trainDataset: texts })).rejects.toThrow(/sentence, label; the model takes .*input_ids.*map/s)
  })

  it("a row longer than the model's positions: which row", async () => {
    const long = listed((row, i) =>
      i === 7
        ? {
            ...row,
            input_ids: Array.from({ length: 13 }, () => 1),
            attention_mask: Array.from({ length: 13 }, () => 1),
          }
        : row,
    )
    await expect(run({}, { trainDataset: long })).rejects.toThrow(
      /row 7 of the training dataset has more than 12 tokens.*truncation/s,
    )
  })

  it('a token id beyond the vocabulary: which row', async () => {
    await expect(
      run(
        {},
        { trainDataset: listed((row, i) => (i === 4 ? { ...row, input_ids: row.input_ids.map(() => 30) } : row)) },
      ),
    ).rejects.toThrow(/token id 30 in row 4 of the training dataset.*0 to 29/s)
  })

  it('an empty dataset', async () => {
    await expect(run({}, { trainDataset: dataset(0) })).rejects.toThrow(/training dataset is empty/)
    await expect(createTrainer().evaluate([])).rejects.toThrow(/evaluation dataset is empty/)
  })

  it('a text column with null in it: which row', async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(tokenizerFolder)
    const texts = Dataset.fromRows([{ text: 'fine' }, { text: 'good' }, { text: null }]) as Dataset<{ text: string }>
    await expect(texts.map(batch => tokenizer(batch.text), { batched: true })).rejects.toThrow(
      /row 2.*null|null.*row 2/is,
    )
  })
})

describe('a run that cannot go well', () => {
  it('loadBestModelAtEnd with strategies that do not match', () => {
    expect(
      () => new TrainingArguments({ loadBestModelAtEnd: true, evalStrategy: 'epoch', saveStrategy: 'steps' }),
    ).toThrow(/'epoch' and 'steps'.*Make them the same/s)
  })

  it('nothing to evaluate on', () => {
    expect(() => new Trainer({ model: tinyModel(), args: { evalStrategy: 'epoch' } })).toThrow(
      /evalStrategy is "epoch".*no evalDataset/s,
    )
  })

  it('a NaN loss stops the run, with nothing lost: the checkpoints stand, and a run resumes from them', async () => {
    const outputDir = temporaryFolder()
    let trained: PreTrainedModel | undefined
    const spoil = {
      onStepBegin: (_args: unknown, { globalStep }: { readonly globalStep: number }) =>
        void (globalStep === 4 && trained!.parameter('classifier.bias').data.fill(NaN)),
    }
    const remember = {
      onTrainBegin: (_args: unknown, _state: unknown, _control: unknown, context: { readonly model?: unknown }) =>
        void (trained = context.model as PreTrainedModel),
    }
    const failed = run({ outputDir, saveStrategy: 'steps', saveSteps: 2 }, { callbacks: [remember, spoil] })
    await expect(failed).rejects.toThrow(/loss is NaN at step 5 .*last finite loss 0\.\d+.*onNonFinite/s)
    expect(readdirSync(outputDir).filter(name => name.startsWith('checkpoint'))).toEqual([
      'checkpoint-2',
      'checkpoint-4',
    ])
    const resumed = await run({ outputDir }, { resumeFromCheckpoint: true })
    expect(resumed.losses).toEqual((await run()).losses)
  })

  it('a folder that cannot be written, before any work is done', async () => {
    const place = join(temporaryFolder(), 'file')
    writeFileSync(place, '')
    let begun = false
    await expect(
      run({ outputDir: join(place, 'out') }, { callbacks: [{ onTrainBegin: () => void (begun = true) }] }),
    ).rejects.toThrow(/Cannot write .*choose another folder/s)
    expect(begun).toBe(false)
  })

  it.skipIf(process.getuid?.() === 0)('a folder without permission', async () => {
    const place = join(temporaryFolder(), 'closed')
    mkdirSync(place)
    chmodSync(place, 0o500)
    await expect(run({ outputDir: place })).rejects.toThrow(/Cannot write .*permission/s)
  })

  // a folder that takes no folders: Node's recursive mkdir would wait for ever
  it.skipIf(process.platform !== 'linux')(
    'a folder in /proc',
    async () => {
      const tokenizer = await AutoTokenizer.fromPretrained(tokenizerFolder)
      await expect(run({ outputDir: '/proc/ts-trainer/out' })).rejects.toThrow(/Cannot write/)
      await expect(createTrainer().saveModel('/proc/ts-trainer/model')).rejects.toThrow(/Cannot write/)
      await expect(tokenizer.save('/proc/ts-trainer/tokenizer')).rejects.toThrow(/Cannot write/)
    },
    20_000,
  )

  it('a broken checkpoint is named, and the others stay', async () => {
    const { outputDir } = await run({ saveStrategy: 'steps', saveSteps: 2 })
    cpSync(join(outputDir, 'checkpoint-2'), join(outputDir, 'checkpoint-9'), { recursive: true })
    rmSync(join(outputDir, 'checkpoint-9', 'trainer_state.json'))
    await expect(run({ outputDir }, { resumeFromCheckpoint: join(outputDir, 'checkpoint-9') })).rejects.toThrow(
      /checkpoint-9 cannot be resumed: .*trainer_state\.json/,
    )
    await expect(run({ outputDir: temporaryFolder() }, { resumeFromCheckpoint: true })).rejects.toThrow(
      /no whole checkpoint/,
    )
  })

  it('a collator that is not a function, and a batch without input_ids', async () => {
    expect(() => createTrainer({}, { dataCollator: 7 as never })).toThrow(/dataCollator.*function/)
    await expect(run({}, { dataCollator: given => ({ labels: collate(given).labels! }) })).rejects.toThrow(/input_ids/)
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /collator returned undefined.*named tensors/s],
    [
      'lists for tensors',
      { input_ids: [[1, 2]] },
      /"input_ids" of what the data collator returned is not a Tensor.*named tensors/s,
    ],
  ])('a collator that returns %s', async (_what, batch, message) => {
    await expect(run({}, { dataCollator: () => batch as never })).rejects.toThrow(message)
  })

  it('metrics that are not numbers', async () => {
    await expect(
      createTrainer({}, { computeMetrics: () => ({ accuracy: 'high' }) as never }).evaluate(),
    ).rejects.toThrow(/returned "high" as "accuracy".*numbers/s)
  })

  it('metrics that are not returned', async () => {
    await expect(createTrainer({}, { computeMetrics: () => undefined as never }).evaluate()).rejects.toThrow(
      /computeMetrics returned undefined.*Return \{ accuracy/s,
    )
  })

  it('can be tried again with the same Trainer after an error', async () => {
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
