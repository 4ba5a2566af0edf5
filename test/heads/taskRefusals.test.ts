import { describe, expect, it } from 'vitest'
import { type Batch, type PreTrainedModel, Tensor, type Trainer } from '../../src/index'
import { maskedLanguageModel } from '../../src/heads/tokenClassification'
import { architectures } from '../../src/models/registry'
import { transformer } from '../../src/models/transformer'
import { rowsOf } from '../helpers/batches'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { answering, choosing, config, guessing, rowsIn, stack, tagging, tokens } from './taskBatches'

describe('what heads refuse', () => {
  const trainer = (model: PreTrainedModel<unknown>, batch: Batch, more: object = {}): Trainer =>
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
    })
  const train = (...given: Parameters<typeof trainer>): Promise<unknown> => trainer(...given).train()

  it.each([
    [
      'a label of a token that there is not',
      tagging,
      { labels: tokens(() => 3).labels! },
      /label of row 2 .*, token 0, is 3, but the model has 3 labels/,
    ],
    [
      'labels of rows for tokens',
      tagging,
      { labels: Tensor.from('int32', [0, 1, 0, 1, 0, 1, 0, 1]) },
      /Each token needs a label.*shape \[8\], and "input_ids" \[8, 9\]/,
    ],
    [
      'a word that there is not',
      guessing,
      { labels: tokens(() => 23).labels! },
      /is 23, but the model has 23 labels.*tokenizer/,
    ],
    [
      'a negative position',
      answering,
      { start_positions: Tensor.from('int32', [1, 0, 4, -1, 2, 9, 3, 0]) },
      /"start_positions" of row 3 .* is -1/,
    ],
    [
      'a choice that there is not',
      choosing,
      { labels: Tensor.from('int32', [2, 4]) },
      /label of row 1 .* is 4, but there are 4 choices/,
    ],
    [
      'rows without choices',
      choosing,
      {
        input_ids: rowsOf(
          tokens(() => 0),
          0,
          2,
        ).input_ids!,
      },
      /"input_ids" has to be \[rows, choices, length\]/,
    ],
  ] as const)('%s', async (_, which, change, message) => {
    const { model, batch } = which
    await expect(train(model(), { ...batch, ...change })).rejects.toThrow(message)
  })

  it.each([
    ['a tagger', tagging, /no labels.*DataCollatorForTokenClassification\(tokenizer\)/s],
    ['a model of words', guessing, /no labels.*DataCollatorForLanguageModeling\(tokenizer\)/s],
    ['a model of answers', answering, /no labels.*"start_positions" and "end_positions".*squadFeatures/s],
    ['a model of choices', choosing, /no labels.*column "label"/s],
  ] as const)('rows without labels for %s, with where its labels come from', async (_, which, message) => {
    const { model, batch } = which
    const labelNames = ['labels', 'start_positions', 'end_positions']
    const inputs = Object.fromEntries(Object.entries(batch).filter(([name]) => !labelNames.includes(name)))
    await expect(train(model(), inputs)).rejects.toThrow(message)
    const scored = trainer(model(), inputs, { computeMetrics: () => ({}) })
    await expect(scored.evaluate(rowsIn(inputs))).rejects.toThrow(message)
  })

  it('a custom loss, class weights and other losses where they do not fit', async () => {
    const computeLossFunc = (): never => {
      throw new Error('never called')
    }
    await expect(train(answering.model(), answering.batch, { computeLossFunc })).rejects.toThrow(
      /question answering takes no custom loss/,
    )
    await expect(train(choosing.model(), choosing.batch, { classWeights: [1] })).rejects.toThrow(
      /head is for multiple choice/,
    )
    await expect(async () =>
      train(tagging.model(), tagging.batch, { computeLossFunc: 'mean_squared_error' }),
    ).rejects.toThrow(/token classification has the loss "cross_entropy", not "mean_squared_error"/)
  })

  it('a task that a family has no head for', () => {
    const { 'masked-lm': _, ...heads } = architectures.bert!.heads
    expect(() => transformer({ ...architectures.bert!, heads }, config, maskedLanguageModel(23))).toThrow(
      /no head for masked lm.*It has heads for sequence-classification, token-classification/,
    )
  })
})
