import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AutoTokenizer, Dataset, DataCollatorWithPadding } from '../../src/index'
import { createTrainer, dataset, rows, run } from './support'

const tokenizerFolder = join(import.meta.dirname, '../../examples/data/tokenizer')
const listed = (change: (row: ReturnType<typeof rows>[number], i: number) => object, count = 12): Dataset<object> =>
  Dataset.fromRows(rows(count).map(change)) as Dataset<object>

describe('rows that the model does not accept', () => {
  it('a label out of range, with the number of its row in the dataset', async () => {
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

  it('no column that the model takes, with both lists of names', async () => {
    const texts = Dataset.fromRows([{ sentence: 'a', label: 0 }]) as Dataset<object>
    await expect(run({}, { trainDataset: texts })).rejects.toThrow(/sentence, label; the model takes .*input_ids.*map/s)
  })

  it("a row longer than the model's positions, with its number", async () => {
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

  it('a token id beyond the vocabulary, with the number of its row', async () => {
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

  it('null in a text column, with the number of its row', async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(tokenizerFolder)
    const texts = Dataset.fromRows([{ text: 'fine' }, { text: 'good' }, { text: null }]) as Dataset<{ text: string }>
    await expect(texts.map(batch => tokenizer(batch.text), { batched: true })).rejects.toThrow(
      /row 2.*null|null.*row 2/is,
    )
  })
})
