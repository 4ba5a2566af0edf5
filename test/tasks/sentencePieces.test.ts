import { expect, it } from 'vitest'
import { AutoTokenizer } from '../../src/index'
import { pathOf, read } from './support'

interface Expected {
  readonly class: string
  readonly size: number
  readonly texts: { readonly input_ids: number[]; readonly tokens: string[] }[]
  readonly pair: number[]
}
const texts = read<string[]>('sentencePieceOnly', 'texts.json')
const expected = Object.entries(read<Record<string, Expected>>('sentencePieceOnly', 'expected.json'))

it.each(expected)('a folder with a SentencePiece model alone has the ids of Python: %s', async (name, expected) => {
  const tokenizer = await AutoTokenizer.fromPretrained(pathOf('sentencePieceOnly', name))
  expect(tokenizer.tokenizerClass).toBe(expected.class)
  expect(tokenizer.getVocab().size).toBe(expected.size)
  const given = tokenizer(texts).input_ids.map(ids => ({ input_ids: ids, tokens: tokenizer.convertIdsToTokens(ids) }))
  expect(given).toEqual(expected.texts)
  expect(tokenizer(texts[0]!, texts[4]).input_ids).toEqual(expected.pair)
})
