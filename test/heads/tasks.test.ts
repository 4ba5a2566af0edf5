import { describe, expect, it } from 'vitest'
import {
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForTokenClassification,
  type Batch,
  Dataset,
  type ModelConfig,
  type PreTrainedModel,
  Tensor,
} from '../../src/index'
import { createEngine } from '../../src/engine/Engine'
import { packed } from '../../src/feeds/packed'
import { paddedLayout } from '../../src/feeds/padded'
import type { MakeTokenLayout } from '../../src/feeds/TokenLayout'
import { questionAnswering } from '../../src/heads/questionAnswering'
import { multipleChoice } from '../../src/heads/multipleChoice'
import type { Head } from '../../src/heads/Head'
import { maskedLanguageModel, tokenClassification } from '../../src/heads/tokenClassification'
import { architectures } from '../../src/models/registry'
import { transformer } from '../../src/models/transformer'
import { TrainableModel } from '../../src/auto/TrainableModel'
import { randomBatch, rowsOf } from '../helpers/batches'
import { type Computed, compute, differing } from '../helpers/compute'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig } from '../helpers/tinyModel'

const config = {
  ...tinyConfig,
  vocab_size: 23,
  num_hidden_layers: 2,
  id2label: { 0: 'a', 1: 'b', 2: 'c' },
} satisfies ModelConfig
const lengths = [6, 2, 9, 1, 5, 3, 7, 4]
const none = Tensor.from('int32', [0])

/** Tokens of eight rows, padded to 9, with some labels by a rule of row and column. */
function tokens(label: (row: number, column: number) => number): Batch {
  const batch = randomBatch(lengths, none, { seed: 5 })
  const labels = lengths.map((length, row) =>
    Array.from({ length: 9 }, (_, column) => (column < length && (row + column) % 3 !== 0 ? label(row, column) : -100)),
  )
  return { ...batch, labels: Tensor.from('int32', labels) }
}

/** Two rows of four choices. */
function choices(): Batch {
  const { labels: _, ...flat } = randomBatch(lengths, none, { seed: 6 })
  const columns = Object.entries(flat).map(([name, { data }]) => [
    name,
    new Tensor('int32', data as Int32Array, [2, 4, 9]),
  ])
  return { ...Object.fromEntries(columns), labels: Tensor.from('int32', [2, 0]) } as Batch
}

function answers(): Batch {
  const { labels: _, ...columns } = randomBatch(lengths, none, { seed: 7 })
  return {
    ...columns,
    start_positions: Tensor.from('int32', [1, 0, 4, 0, 2, 9, 3, 0]),
    end_positions: Tensor.from('int32', [3, 0, 8, 0, 2, 9, 5, 3]),
  }
}

const tasks: readonly {
  readonly head: Head
  readonly model: () => PreTrainedModel<unknown>
  readonly batch: Batch
  readonly count: number
}[] = [
  {
    head: tokenClassification(3),
    model: () => AutoModelForTokenClassification.fromConfig(config),
    batch: tokens((row, column) => (row + column) % 3),
    count: 25,
  },
  {
    head: maskedLanguageModel(23),
    model: () => AutoModelForMaskedLM.fromConfig(config),
    batch: tokens((row, column) => (7 * row + column) % 23),
    count: 25,
  },
  {
    head: questionAnswering,
    model: () => AutoModelForQuestionAnswering.fromConfig(config),
    batch: answers(),
    count: 7,
  },
  { head: multipleChoice, model: () => AutoModelForMultipleChoice.fromConfig(config), batch: choices(), count: 2 },
]

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
    }[head.task]!
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

describe('what heads refuse', () => {
  const train = (model: PreTrainedModel<unknown>, batch: Batch, more: object = {}): Promise<unknown> =>
    quietTrainer({
      model: model as PreTrainedModel,
      args: {
        outputDir: temporaryFolder(),
        threads: 1,
        maxSteps: 1,
        perDeviceTrainBatchSize: 8,
        trainSamplingStrategy: 'sequential',
      },
      trainDataset: rowsIn(batch),
      dataCollator: stack,
      ...more,
    }).train()

  it.each([
    [
      'a label of a token that there is not',
      0,
      { labels: tokens(() => 3).labels! },
      /label of row 2 .*, token 0, is 3, but the model has 3 labels/,
    ],
    [
      'labels of rows for tokens',
      0,
      { labels: Tensor.from('int32', [0, 1, 0, 1, 0, 1, 0, 1]) },
      /Each token needs a label.*shape \[8\], and "input_ids" \[8, 9\]/,
    ],
    [
      'a word that there is not',
      1,
      { labels: tokens(() => 23).labels! },
      /is 23, but the model has 23 labels.*tokenizer/,
    ],
    [
      'a negative position',
      2,
      { start_positions: Tensor.from('int32', [1, 0, 4, -1, 2, 9, 3, 0]) },
      /"start_positions" of row 3 .* is -1/,
    ],
    [
      'a choice that there is not',
      3,
      { labels: Tensor.from('int32', [2, 4]) },
      /label of row 1 .* is 4, but there are 4 choices/,
    ],
    [
      'rows without choices',
      3,
      { input_ids: rowsOf(tokens(() => 0), 0, 2).input_ids! },
      /"input_ids" has to be \[rows, choices, length\]/,
    ],
  ] as const)('%s', async (_, which, change, message) => {
    const { model, batch } = tasks[which]!
    await expect(train(model(), { ...batch, ...change })).rejects.toThrow(message)
  })

  it('a custom loss, class weights and other losses where they do not fit', async () => {
    const [{ model: tagger, batch: tagged }, , { model: reader, batch: read }, { model: chooser, batch: chosen }] = tasks as never as typeof tasks & [any, any, any, any] // prettier-ignore
    const computeLossFunc = (): never => {
      throw new Error('never called')
    }
    await expect(train(reader(), read, { computeLossFunc })).rejects.toThrow(/question answering takes no custom loss/)
    await expect(train(chooser(), chosen, { classWeights: [1] })).rejects.toThrow(/head is for multiple choice/)
    await expect(async () => train(tagger(), tagged, { computeLossFunc: 'mean_squared_error' })).rejects.toThrow(
      /token classification has the loss "cross_entropy", not "mean_squared_error"/,
    )
  })

  it('a task that a family has no head for', () => {
    const { 'masked-lm': _, ...heads } = architectures.bert!.heads
    expect(() => transformer({ ...architectures.bert!, heads }, config, maskedLanguageModel(23))).toThrow(
      /no head for masked lm.*It has heads for sequence-classification, token-classification/,
    )
  })
})

/** The rows of a batch, as a Dataset would have them. */
function rowsIn(batch: Batch): Dataset<object> {
  const columns = Object.entries(batch).map(([name, tensor]) => [name, tensor.tolist() as unknown[]] as const)
  const rows = batch.input_ids!.dims[0]!
  return Dataset.fromRows(
    Array.from({ length: rows }, (_, row) => Object.fromEntries(columns.map(([name, values]) => [name, values[row]]))),
  ) as Dataset<object>
}

/** Rows of one shape as a batch. */
function stack(rows: readonly Readonly<Record<string, unknown>>[]): Batch {
  const names = Object.keys(rows[0]!)
  return Object.fromEntries(names.map(name => [name, Tensor.from('int32', rows.map(row => row[name]) as never)]))
}
