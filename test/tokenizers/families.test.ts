import { readFileSync } from 'node:fs'
import { Tokenizer as RustTokenizer } from 'tokenizers'
import { expect, it } from 'vitest'
import { loadTokenizer } from '../../src/tokenizers/tokenizer'
import { pipelines } from './familyPipelines'
import { filesInMemory, tokenizerOf } from './inMemory'
import { drawFrom, randomText } from './randomTokenizers'

interface Case {
  readonly family: string
  readonly files: Record<string, string>
  readonly input_ids: number[][]
  readonly pair: [string, number[]][]
  readonly special: number[]
  readonly size: number
  readonly decoded: string[]
}

// Tokenizers of families, and what Python's AutoTokenizer (transformers 5.24) gives for their folders.
const { texts, cases } = JSON.parse(
  readFileSync(new URL('../fixtures/tokenizers/families.json', import.meta.url), 'utf8'),
) as { texts: string[]; cases: Case[] }

it.each(cases)('$family has the ids, the inputs and the special tokens of Python', async one => {
  const tokenizer = await loadTokenizer('folder', filesInMemory(new Map([['folder', one.files]])))
  expect(tokenizer(texts).input_ids).toEqual(one.input_ids)
  expect(Object.entries(tokenizer(texts[0]!, texts[2]))).toEqual(one.pair)
  expect(tokenizer.allSpecialIds.toSorted((a, b) => a - b)).toEqual(one.special)
  expect([tokenizer.getVocab().size, tokenizer.length]).toEqual([one.size, one.size])
  expect(tokenizer.batchDecode(one.input_ids)).toEqual(one.decoded)
})

// The oracle is the Rust library: the parts that converters give each family, over random vocabularies.
it.each(Object.keys(pipelines))('%s cuts texts as Rust does', async family => {
  let compared = 0
  for (let seed = 0; seed < 15; seed++) {
    const draw = drawFrom(77_000 + 100 * Object.keys(pipelines).indexOf(family) + seed)
    const written = Array.from({ length: 25 }, () => randomText(draw))
    const json = pipelines[family]!(written, draw)
    const rust = RustTokenizer.fromString(JSON.stringify(json))
    const tokenizer = await tokenizerOf(json)
    for (const [index, text] of written.entries()) {
      const pair = index % 3 === 0 ? written[(index + 1) % written.length] : undefined
      const wanted = await rust.encode(text, pair ?? null)
      const given = tokenizer(text, pair, { returnTokenTypeIds: true, returnOffsetsMapping: true })
      expect(given.input_ids, `seed ${seed}: ${JSON.stringify([text, pair])}`).toEqual(wanted.getIds())
      expect(given.token_type_ids).toEqual(wanted.getTypeIds())
      expect(tokenizer(text, pair).input_ids).toEqual(given.input_ids) // the same without places
      compared++
    }
  }
  expect(compared).toBe(15 * 25)
})
