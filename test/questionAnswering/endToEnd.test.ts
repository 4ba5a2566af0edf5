import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  answersOf,
  AutoModelForQuestionAnswering,
  AutoTokenizer,
  DataCollatorWithPadding,
  Dataset,
  squadFeatures,
  type Tensor,
} from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig } from '../helpers/tinyModel'

const folder = (name: string): string => fileURLToPath(new URL(`../fixtures/spans/${name}`, import.meta.url))

interface Row {
  readonly id: string
  readonly question: string
  readonly context: string
  readonly answers: { readonly text: string[]; readonly answer_start: number[] }
}

const { rows } = JSON.parse(readFileSync(folder('squad.json'), 'utf8')) as { rows: Row[] }

describe('questions', () => {
  it('are learnt by heart, with and without answers, from rows to answers', async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(folder('wordpiece'))
    // those whose tokens say neither more nor less than the answer, and one question that has none
    const exact = rows.filter(({ id }) => !['q3', 'q6'].includes(id))
    const none: Row = { ...rows[0]!, id: 'none', question: 'Which house?', answers: { text: [], answer_start: [] } }
    const examples = Dataset.fromRows([...exact, none])
    const features = await examples.map(batch => squadFeatures(batch, tokenizer, { maxLength: 28, stride: 10 }), {
      batched: true,
      batchSize: 5,
      removeColumns: examples.columnNames as never[],
    })
    expect(features.length).toBeGreaterThan(examples.length)
    const find = (predictions: readonly Tensor[]): { id: string; prediction_text: string }[] =>
      answersOf({ predictions, features, examples }, { version2WithNegative: true })
    const right = (predictions: readonly Tensor[]): number =>
      find(predictions).filter(
        ({ prediction_text }, row) => prediction_text === (examples.get(row).answers.text[0] ?? ''),
      ).length / examples.length
    const trainer = quietTrainer({
      model: AutoModelForQuestionAnswering.fromConfig(
        { ...tinyConfig, vocab_size: 400, hidden_size: 32, intermediate_size: 64, max_position_embeddings: 28 },
        { seed: 1 },
      ),
      args: {
        outputDir: temporaryFolder(),
        numTrainEpochs: 60,
        learningRate: 5e-3,
        perDeviceTrainBatchSize: 5,
        saveStrategy: 'no',
      },
      trainDataset: features,
      evalDataset: features,
      dataCollator: DataCollatorWithPadding(tokenizer),
      computeMetrics: ({ predictions }) => ({ right: right(predictions) }),
    })
    await trainer.train()
    expect(await trainer.evaluate()).toMatchObject({ eval_right: 1 })
    const { predictions } = await trainer.predict(features)
    expect(right(predictions)).toBe(1)
    await trainer.dispose()
  })
})
