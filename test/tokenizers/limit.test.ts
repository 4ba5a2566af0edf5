import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { setLogSink } from '../../src/logging'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'
import { filesInMemory } from './inMemory'

const vocabulary = readFileSync(join(import.meta.dirname, '../fixtures/data/bert-tiny/vocab.txt'), 'utf8')
const long = 'the cat sat '.repeat(20) // 60 words that are one token each

let said: string[] = []
beforeEach(() => {
  said = []
  setLogSink((_, message) => void said.push(message))
})
afterEach(() => setLogSink(() => undefined))

/** A tokenizer in a folder of its own: what is said once is said once a folder. */
async function tokenizerBeside(name: string, model?: object, config: object = {}): Promise<[Tokenizer, string]> {
  const texts = {
    'vocab.txt': vocabulary,
    'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'BertTokenizer', ...config }),
    ...(model && { 'config.json': JSON.stringify(model) }),
  }
  const files = filesInMemory(new Map([[name, texts]]))
  const tokenizer = await loadTokenizer(name, files)
  await tokenizer.save(name)
  return [tokenizer, (await files.read(name, 'tokenizer_config.json'))!]
}

it.each<[string, object, number]>([
  ['bert', { max_position_embeddings: 16 }, 16],
  ['distilbert', { max_position_embeddings: 16 }, 16],
  ['electra', { max_position_embeddings: 16 }, 16],
  ['roberta', { max_position_embeddings: 18, pad_token_id: 1 }, 16],
  ['xlm-roberta', { max_position_embeddings: 18 }, 16],
  ['roberta', { max_position_embeddings: 18, pad_token_id: 0 }, 17],
])('the positions of a %s (%o) limit a tokenizer without a limit', async (model_type, sizes, limit) => {
  const name = `positions-${model_type}-${JSON.stringify(sizes)}`
  const [tokenizer, saved] = await tokenizerBeside(name, { model_type, ...sizes }, { model_max_length: 1e30 })
  expect(tokenizer.modelMaxLength).toBe(limit)
  expect(tokenizer(long).input_ids).toHaveLength(62)
  expect(said).toEqual([])
  expect(tokenizer(long, { truncation: true }).input_ids).toHaveLength(limit)
  expect(tokenizer('the', { padding: 'max_length' }).input_ids).toHaveLength(limit)
  expect(said).toEqual([expect.stringMatching(`the ${limit} positions of the model in its folder are the limit`)])
  expect(JSON.parse(saved)).toMatchObject({ model_max_length: 1e30 })
})

it('a limit of its own, or one that is set, counts and needs no word', async () => {
  const model = { model_type: 'bert', max_position_embeddings: 16 }
  const [own] = await tokenizerBeside('own', model, { model_max_length: 20 })
  expect(own(long, { truncation: true }).input_ids).toHaveLength(20)
  const [set] = await tokenizerBeside('set', model)
  set.modelMaxLength = 9
  expect(set(long, { truncation: true }).input_ids).toHaveLength(9)
  expect(set(long, { truncation: true, maxLength: 30 }).input_ids).toHaveLength(30)
  expect(said).toEqual([])
})

it('says once that nothing is cut where no limit is known', async () => {
  const [tokenizer] = await tokenizerBeside('alone')
  for (let call = 0; call < 2; call++) expect(tokenizer(long, { truncation: true }).input_ids).toHaveLength(62)
  expect(said).toEqual([expect.stringMatching(/truncation is on.*nothing is cut. Give maxLength/)])
})
