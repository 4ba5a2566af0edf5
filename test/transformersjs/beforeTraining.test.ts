import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, pipeline } from '@huggingface/transformers'
import { encode, GraphBuilder } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { largestDifference, smallConfig, smallModel, texts, trainAndSave } from '../helpers/classifier'
import { temporaryFolder } from '../helpers/temporaryFolder'

env.allowRemoteModels = false

// afterTraining.test.ts trains first; here transformers.js runs a model first, one that ts-trainer had no part in.
describe('training, after transformers.js in the same process', () => {
  it('shares its ONNX Runtime, and saves a model that it opens beside the first', async () => {
    const foreign = temporaryFolder()
    writeForeignModel(foreign)
    const first = await pipeline('text-classification', foreign, { dtype: 'fp32' })
    const before = await first(texts[0]!)
    expect(before).toEqual([{ label: 'LABEL_0', score: expect.closeTo(1 / (1 + Math.exp(-6)), 6) }])

    const folder = temporaryFolder()
    const logits = await trainAndSave(smallModel(), folder)
    const second = await pipeline('text-classification', folder, { dtype: 'fp32' })
    const answers = (await second(texts, { top_k: 2 })) as { label: string; score: number }[][]
    const scores = answers.map(row => row.toSorted((a, b) => (a.label < b.label ? -1 : 1)).map(({ score }) => score))
    const probabilities = logits.map(row =>
      row.map(value => Math.exp(value) / row.reduce((sum, other) => sum + Math.exp(other), 0)),
    )
    expect(largestDifference(scores, probabilities)).toBeLessThan(1e-4)
    expect(await first(texts[0]!)).toEqual(before)
    await Promise.all([first.dispose(), second.dispose()])
  })
})

/** A folder whose logits are the number of tokens, 6 for the first text, and 0: enough for a pipeline. */
function writeForeignModel(folder: string): void {
  cpSync(join(import.meta.dirname, '../../examples/data/tokenizer'), folder, { recursive: true })
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...smallConfig, architectures: ['BertForSequenceClassification'] }),
  )
  const graph = new GraphBuilder('foreign')
  const tokens = graph.cast(graph.input('attention_mask', 'int64', ['rows', 'length']), 'float32')
  const count = graph.reduceSum(tokens, [1], true)
  mkdirSync(join(folder, 'onnx'))
  writeFileSync(
    join(folder, 'onnx/model.onnx'),
    encode(graph.build({ logits: graph.concat([count, graph.sub(count, count)], 1) })).model,
  )
}
