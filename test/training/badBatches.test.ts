import { describe, expect, it } from 'vitest'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { TrainerError } from '../../src/errors'
import { type Batch, Tensor } from '../../src/tensor'
import { Runner } from '../../src/training/Runner'
import { classes } from '../helpers/batches'
import { accumulate, withRunner } from '../helpers/compute'
import { tinyConfig } from '../helpers/tinyModel'

describe('bad input is refused, with the row and the fix', () => {
  const config = { ...tinyConfig, vocab_size: 23 }
  const ids = (...rows: number[][]): Batch => ({ input_ids: Tensor.from('int32', rows) })
  const refused = async (batch: Batch, fields: Record<string, unknown> = {}): Promise<TrainerError> => {
    const model = modelFromConfig({ ...config, ...fields })
    const runner = await Runner.create({ model, engine: { threads: 1 } })
    try {
      model.decideHead(batch)
      runner.feed(batch, row => `row ${row + 100} of the training dataset`)
    } catch (error) {
      return error as TrainerError
    } finally {
      await runner.dispose()
    }
    throw new Error('nothing was refused')
  }

  const roberta = { model_type: 'roberta', type_vocab_size: 1, pad_token_id: 1, bos_token_id: 0, eos_token_id: 2 }
  const cases: readonly [string, Batch, string, Record<string, unknown>?][] = [
    [
      'a token id beyond the vocabulary',
      ids([1, 2], [3, 23]),
      'The token id 23 in row 101 of the training dataset, column 1, is unknown: the model knows only 0 to 22. The tokenizer and the model do not belong together. If tokens were added to it, call model.resizeTokenEmbeddings(tokenizer.length).',
    ],
    ['a negative token id', ids([1, -1]), 'The token id -1 in row 100 of the training dataset, column 1'],
    [
      'a token id that is no number',
      { input_ids: Tensor.from('float32', [[1, NaN]]) },
      'The token id NaN in row 100 of the training dataset, column 1, is unknown',
    ],
    [
      'rows without tokens',
      { input_ids: Tensor.zeros('int32', [2, 0]) },
      'The text of row 100 of the training dataset has no tokens. Leave empty rows out, or tokenize with special tokens.',
    ],
    [
      'a row longer than the positions',
      ids(Array<number>(13).fill(5)),
      'The text of row 100 of the training dataset has more than 12 tokens, which is as many positions as the model has. Tokenize with { truncation: true, maxLength: 12 }, or less.',
    ],
    [
      "RoBERTa's positions, which begin after the padding id",
      ids(Array<number>(11).fill(5)),
      'The text of row 100 of the training dataset has more than 10 tokens',
      roberta,
    ],
    [
      'a given position',
      { ...ids([1, 2]), position_ids: Tensor.from('int32', [[0, 12]]) },
      'The position 12 in row 100 of the training dataset, column 1, is unknown: the model knows only 0 to 11. Check position_ids.',
    ],
    [
      'a segment',
      { ...ids([1, 2]), token_type_ids: Tensor.from('int32', [[0, 2]]) },
      'The segment id 2 in row 100 of the training dataset, column 1, is unknown: the model knows only 0 to 1. Leave token_type_ids out',
    ],
    [
      'no input_ids',
      { attention_mask: Tensor.from('int32', [[1]]), labels: classes(0) },
      'The batch has no "input_ids", only "attention_mask", "labels". Tokenize the dataset with map() before training.',
    ],
    [
      'ids that are not two-dimensional',
      { input_ids: classes(1, 2) },
      '"input_ids" has to be [rows, length], but its shape is [2].',
    ],
    [
      'a mask of another shape',
      { ...ids([1, 2]), attention_mask: Tensor.from('int32', [[1, 1, 1]]) },
      '"attention_mask" has the shape [1, 3], but "input_ids" has [1, 2].',
    ],
    [
      'a label out of range',
      { ...ids([1], [2]), labels: classes(1, 2) },
      'The label of row 101 of the training dataset is 2, but the model has 2 labels: 0 to 1. Load the model with the right numLabels, or correct the labels.',
    ],
    [
      "GLUE's hidden label",
      { ...ids([1]), labels: classes(-1) },
      'The label of row 100 of the training dataset is -1, but the model has 2 labels: 0 to 1. GLUE marks hidden test labels with -1',
    ],
    [
      'labels for more rows than there are',
      { ...ids([1], [2]), labels: classes(0, 1, 0) },
      'The batch has 2 rows, but its labels have the shape [3]. Check the collator: labels need one entry a row.',
    ],
    [
      'three labels a row',
      { ...ids([1]), labels: Tensor.from('int32', [[0, 1, 1]]) },
      'Each row needs one label, but the labels of the batch have the shape [1, 3].',
    ],
    [
      'too few labels a row',
      { ...ids([1]), labels: Tensor.from('float32', [[0, 1]]) },
      'Each row needs 3 labels for multi label classification, but the labels of the batch have the shape [1, 2]. Load the model with numLabels: 2, or give each row 3.',
      { id2label: { 0: 'a', 1: 'b', 2: 'c' } },
    ],
    [
      'a label that is no number',
      { ...ids([1], [2]), labels: Tensor.from('float32', [1, NaN]) },
      'The label of row 101 of the training dataset is NaN, which is not a finite number.',
      { id2label: { 0: 'a' } },
    ],
    [
      'a class that is no whole number',
      { ...ids([1], [2]), labels: Tensor.from('float32', [1, 0.5]) },
      'The label of row 101 of the training dataset is 0.5, but the model has 2 labels',
      { problem_type: 'single_label_classification' },
    ],
  ]
  it.each(cases)('%s', async (_, batch, message, fields) => {
    const error = await refused(batch, fields)
    expect(error.message).toContain(message)
    expect(error.code).toBe('data')
  })

  it('training without labels', async () => {
    const model = modelFromConfig(config)
    await withRunner(model, {}, { labels: classes(0) }, async (_, runner) => {
      await expect(accumulate(runner, [runner.feed(ids([1, 2]), String)])).rejects.toThrow(
        'The program needs "labels", which the batch does not have.',
      )
    })
  })
})
