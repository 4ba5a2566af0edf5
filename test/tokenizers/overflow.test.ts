import { readFileSync } from 'node:fs'
import { beforeAll, expect, it } from 'vitest'
import { Dataset } from '../../src/data/dataset'
import { alignLabels } from '../../src/tokenizers/alignLabels'
import type { BatchEncoding } from '../../src/tokenizers/encoding'
import type { TokenizerOptions } from '../../src/tokenizers/options'
import type { Tokenizer } from '../../src/tokenizers/tokenizer'
import { tokenizerOf } from './inMemory'

// What rows of windows are is compared with Python's in words.test.ts; here is what is refused, and what map makes of them.

let tokenizer: Tokenizer
beforeAll(async () => {
  const path = new URL('../fixtures/tokenizers/wordpiece/tokenizer.json', import.meta.url)
  tokenizer = await tokenizerOf(JSON.parse(readFileSync(path, 'utf8')))
})

const context = 'Ines visited Nairobi in 1987 and Vandelay was founded in Nairobi in 1987 by Ines'
const rows = { truncation: true, returnOverflowingTokens: true } as const

it.each<[string, TokenizerOptions, RegExp]>([
  ['below none', { ...rows, maxLength: 12, stride: -1 }, /stride is -1; a whole number of tokens was expected/],
  ['a fraction', { ...rows, maxLength: 12, stride: 1.5 }, /stride is 1.5/],
  ['without rows', { truncation: true, maxLength: 12, stride: 2 }, /no text is cut.*returnOverflowingTokens/s],
  ['without truncation', { returnOverflowingTokens: true, stride: 2 }, /no text is cut.*Say truncation/s],
  ['as long as a row', { ...rows, maxLength: 12, stride: 10 }, /2 special tokens leave 10 .* largest stride is 9/s],
  ['far longer', { ...rows, maxLength: 12, stride: 300 }, /The largest stride is 9/],
  [
    'in no room',
    { ...rows, maxLength: 2 },
    /2 special tokens leave 0 .* there is no room for its tokens. Use a larger/s,
  ],
])('a stride %s is refused', (_, options, message) => {
  expect(() => tokenizer(context, options)).toThrow(message)
})

it('the largest stride that the error names is possible, and the next is not', () => {
  const encode = (stride: number): BatchEncoding =>
    tokenizer(['Who?', 'Who visited Nairobi?'], [context, context], {
      ...{ maxLength: 24, truncation: 'only_second', returnOverflowingTokens: true, stride },
    }) as BatchEncoding
  const message = /^Text 1 of the batch: Of maxLength 24, 3 special tokens and (\d+) of the other text leave (\d+) to/
  const said = (stride: number): string => {
    try {
      encode(stride)
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  expect(said(16)).toMatch(message)
  // one that no row of a single text has room for is told with what the pair leaves, too
  const first = /largest stride is (\d+)/.exec(said(24))![1]!
  expect(said(24)).toMatch(/^Text 0 of the batch: Of maxLength 24, 3 special tokens and/)
  expect(said(Number(first))).not.toMatch(/^Text 0/)
  const largest = 24 - 3 - tokenizer.tokenize('Who visited Nairobi?').length - 1
  expect(() => encode(largest + 1)).toThrow(`The largest stride is ${largest};`)
  const { input_ids: ids, overflow_to_sample_mapping: samples } = encode(largest)
  expect(ids.every(row => row.length <= 24)).toBe(true)
  expect(new Set(samples)).toEqual(new Set([0, 1]))
})

it('a text that cannot be cut is named', () => {
  expect(() => tokenizer(['Who?', context], ['Ines', 'Ines'], { truncation: 'only_second', maxLength: 9 })).toThrow(
    /^Text 1 of the batch: truncation 'only_second' has to drop/,
  )
})

it('a batch may become more rows, in map with the columns removed that stay', async () => {
  const dataset = Dataset.fromRows([
    { id: 'a', context },
    { id: 'b', context: 'Ines' },
    { id: 'c', context },
  ])
  const options = { ...rows, maxLength: 12, stride: 3, returnOffsetsMapping: true, returnWordIds: true }
  const encode = (columns: { context: readonly string[] }) => tokenizer(columns.context, options)
  await expect(dataset.map(encode, { batched: true })).rejects.toThrow(
    /made \d+ rows of the 3 rows 0 to 2, but id, context keep their rows.*removeColumns/s,
  )
  const encoded = await dataset.map(encode, { batched: true, batchSize: 2, removeColumns: ['id', 'context'] })
  const samples = Array.from(encoded, row => row.overflow_to_sample_mapping)
  const [short, ...others] = [samples.indexOf(1), samples.lastIndexOf(1)]
  expect(others).toEqual([short])
  expect(samples.filter(sample => sample !== 1)).toEqual(new Array(2 * short).fill(0)) // each batch counts from 0
  const textOf = (row: number): string[] =>
    encoded.get(row).offset_mapping!.map(([start, end]) => context.slice(start, end))
  for (let row = 0; row < short; row++) expect(textOf(short + 1 + row)).toEqual(textOf(row))
  expect(textOf(0).slice(0, 4)).toEqual(['', 'Ines', 'visi', 'ted'])
  expect(encoded.get(short)).toMatchObject({
    word_ids: [null, 0, null],
    offset_mapping: [
      [0, 0],
      [0, 4],
      [0, 0],
    ],
  })
})

it('labels of words go along with the rows', () => {
  const words = context.split(' ')
  const encoded = tokenizer([words, ['Ines']], {
    ...{ ...rows, maxLength: 12, isSplitIntoWords: true, returnWordIds: true },
  }) as BatchEncoding
  const labels = [words.map((_, word) => word), [7]]
  const aligned = encoded.word_ids!.map((ids, row) =>
    alignLabels(ids, labels[encoded.overflow_to_sample_mapping![row]!]!),
  )
  const labelled = aligned.map(row => row.filter(label => label !== -100))
  expect(labelled.at(-1)).toEqual([7])
  expect([...new Set(labelled.slice(0, -1).flat())]).toEqual(labels[0])
})
