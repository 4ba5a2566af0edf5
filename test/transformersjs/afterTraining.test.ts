import { AutoModelForSequenceClassification, AutoTokenizer, env, pipeline } from '@huggingface/transformers'
import { describe, expect, it } from 'vitest'
import { largestDifference, smallModel, texts, trainAndSave } from '../helpers/classifier'
import { temporaryFolder } from '../helpers/temporaryFolder'

env.allowRemoteModels = false

/** The logits that transformers.js computes for the texts, padded to one batch. */
async function logitsOf(folder: string): Promise<number[][]> {
  const tokenizer = await AutoTokenizer.from_pretrained(folder)
  const model = await AutoModelForSequenceClassification.from_pretrained(folder, { dtype: 'fp32' })
  const { logits } = (await model(tokenizer(texts, { padding: true }))) as { logits: { tolist(): number[][] } }
  await model.dispose()
  return logits.tolist()
}

// The first thing in this process is training; transformers.js comes after. before.test.ts has it the other way round.
describe('transformers.js, after training in the same process', () => {
  it('opens a saved folder: its pipeline names the classes, by the probabilities of the trained model', async () => {
    const folder = temporaryFolder()
    const logits = await trainAndSave(smallModel({}, { id2label: ['negative', 'positive'] }), folder)
    const classify = await pipeline('text-classification', folder, { dtype: 'fp32' })
    const answers = (await classify(texts, { top_k: 2 })) as { label: string; score: number }[][]
    await classify.dispose()
    for (const [row, [a, b]] of logits.entries()) {
      const positive = 1 / (1 + Math.exp(a! - b!))
      const scores = Object.fromEntries(answers[row]!.map(({ label, score }) => [label, score]))
      expect(scores).toEqual({ positive: expect.closeTo(positive, 4), negative: expect.closeTo(1 - positive, 4) })
    }
  })

  it.each([
    ['bert', {}],
    ['roberta', { type_vocab_size: 1, pad_token_id: 0 }],
    ['electra', { embedding_size: 8 }],
    ['distilbert', { dim: 16, n_layers: 2, n_heads: 2, hidden_dim: 32 }],
  ])('computes the logits of a %s that predict gave, padded rows too', async (type, config) => {
    const folder = temporaryFolder()
    const predicted = await trainAndSave(smallModel({ model_type: type, ...config }, { numLabels: 3 }), folder)
    expect(Math.max(...predicted.flat()) - Math.min(...predicted.flat())).toBeGreaterThan(0.1)
    expect(largestDifference(await logitsOf(folder), predicted)).toBeLessThan(1e-4)
  })

  it('computes those of a regression and of several labels at once', async () => {
    const regression = temporaryFolder()
    const several = temporaryFolder()
    const numbers = await trainAndSave(
      smallModel({}, { numLabels: 1 }),
      regression,
      texts.map((_, row) => row / 2),
    )
    expect(largestDifference(await logitsOf(regression), numbers)).toBeLessThan(1e-4)
    const rows = await trainAndSave(
      smallModel({}, { numLabels: 3, problemType: 'multi_label_classification' }),
      several,
      texts.map((_, row) => [row % 2, 1, 0]),
    )
    expect(largestDifference(await logitsOf(several), rows)).toBeLessThan(1e-4)
  })
})
