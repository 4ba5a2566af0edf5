import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { setLogSink } from '../../src/logging'
import { markOrigin } from '../../src/data/origins'
import { alignLabels } from '../../src/tokenizers/alignLabels'
import type { TokenizerOptions } from '../../src/tokenizers/options'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'
import { filesInMemory, tokenizerOf } from './inMemory'

type Json = Record<string, unknown>
interface Call {
  first: string | string[]
  second: string | string[] | null
  options: Json
}

// What Python's AutoTokenizer gives for words: transformers 5.24, tokenizers 0.23.3 (scripts/fixtures/words.py).
const folder = new URL('../fixtures/tokenizers/', import.meta.url)
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
const { calls, cases } = read('words.json') as {
  calls: Call[]
  cases: { tokenizer: string; changes: Json; call: number; result: Json }[]
}

const tokenizers = new Map<string, Promise<Tokenizer>>()
function tokenizerNamed(name: string, changes: Json = {}): Promise<Tokenizer> {
  const key = name + JSON.stringify(changes)
  const config = read(`${name}/tokenizer_config.json`) as Json
  if (!tokenizers.has(key)) tokenizers.set(key, tokenizerOf(read(`${name}/tokenizer.json`), { ...config, ...changes }))
  return tokenizers.get(key)!
}

let said: [string, string][] = []
beforeEach(() => {
  said = []
  setLogSink((level, message) => void said.push([level, message]))
})
afterEach(() => setLogSink(() => undefined))

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
const named = cases.map(one => ({ ...one, name: `${one.tokenizer} ${JSON.stringify(one.changes)}: call ${one.call}` }))

it.each(named)('$name gives what Python gives', async ({ tokenizer: name, changes, call, result }) => {
  const { first, second, options } = calls[call]!
  const written = Object.entries(options).map(([option, value]) => [camel(option), value])
  const encoded = (await tokenizerNamed(name, changes))(first, second, {
    returnTokenTypeIds: false,
    returnAttentionMask: false,
    returnOffsetsMapping: true,
    returnWordIds: true,
    returnSequenceIds: true,
    ...Object.fromEntries(written),
  } as TokenizerOptions)
  expect(encoded).toEqual(result)
})

const words = ['Ines', 'visited', 'Nairobi', 'in', '1987', '.']
const labels = [1, 0, 5, 0, 0, 0]

it('the labels of words go to their first tokens', async () => {
  const { word_ids: ids } = (await tokenizerNamed('wordpiece'))(words, { isSplitIntoWords: true, returnWordIds: true })
  expect(ids).toEqual([null, 0, 1, 1, 2, 2, 2, 3, 4, 5, null])
  expect(alignLabels(ids!, labels)).toEqual([-100, 1, 0, -100, 5, -100, -100, 0, 0, 0, -100])
  expect(alignLabels(ids!, labels.map(BigInt), { labelAllTokens: true })).toEqual([
    ...[-100, 1, 0, 0, 5, 5, 5, 0, 0, 0, -100],
  ])
  const names = ['O', 'B-PER', 'I-PER', 'B-ORG', 'I-ORG', 'B-LOC', 'I-LOC']
  expect(alignLabels(ids!, Int32Array.from(labels), { labelAllTokens: true, names })).toEqual([
    ...[-100, 1, 0, 0, 5, 6, 6, 0, 0, 0, -100],
  ])
})

it.each<[unknown, RegExp]>([
  [[1, 0], /Word 2 has no label: the text has 2 labels/],
  [[1, 0, null], /The label of word 2 is null/],
  [[1, 0, 1.5], /The label of word 2 is 1\.5; the number of a class/],
  [['O', 'B-PER', 'O'], /word 0 is the name "O", not its number.*labels\.map\(label => names\.indexOf\(label\)\)/s],
  [undefined, /The labels of the words are undefined/],
])('labels %o are refused', (given, message) => {
  expect(() => alignLabels([null, 0, 1, 2], given as number[])).toThrow(message)
})

it.each<[object, RegExp]>([
  [{ names: ['O', 'B-PER'] }, /only the first token of each word has a label\. Set labelAllTokens: true/],
  [{ names: 'O', labelAllTokens: true }, /names is 'O'; a list of the classes' names was expected/],
])('options %j of labels are refused', (options, message) => {
  expect(() => alignLabels([null, 0], [1], options)).toThrow(message)
})

it('words behind the limit are told of: once as a warning, later as a note', async () => {
  const tokenizer = await tokenizerOf(read('wordpiece/tokenizer.json'))
  const options = { isSplitIntoWords: true, truncation: true, maxLength: 8 } as const
  tokenizer([words.slice(0, 2)], options)
  expect(said).toEqual([])
  tokenizer([words, ['Ines'], words], options)
  tokenizer(words, { ...options, truncationSide: 'left' })
  expect(said.map(([level]) => level)).toEqual(['warning']) // and the note is below the level that is shown
  expect(said[0]![1]).toMatch(/^6 words of 2 of 3 texts lie behind the limit of 8 tokens/)
})

it('a byte-level tokenizer takes words only with a blank before each', async () => {
  const plain = await tokenizerNamed('bytelevel')
  expect(() => plain(words, { isSplitIntoWords: true })).toThrow(
    /folder\/tokenizer.json pre_tokenizer.add_prefix_space is false.*Load it with AutoTokenizer\.fromPretrained\('folder', \{ addPrefixSpace: true \}\), or set add_prefix_space in folder\/tokenizer_config.json/s,
  )
  const configured = await tokenizerNamed('bytelevel', { add_prefix_space: true })
  expect(() => configured(words, { isSplitIntoWords: true })).not.toThrow()
  const json = read('bytelevel/tokenizer.json') as Json
  const other = await tokenizerOf(json)
  expect(() => other(words, { isSplitIntoWords: true })).toThrow(
    /, or set pre_tokenizer.add_prefix_space in folder\/tokenizer.json to true/,
  )
  const splitter = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  const inner = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, splitter] }
  const without = await tokenizerOf({ ...json, pre_tokenizer: inner })
  const separate = words.flatMap(word => without.encode(word, undefined, { addSpecialTokens: false }))
  expect(without(words, { isSplitIntoWords: true, addSpecialTokens: false }).input_ids).toEqual(separate)
})

it.each<[string, Json, RegExp]>([
  [
    'wordpiece',
    {},
    /pre_tokenizer of folder\/tokenizer\.json is BertPreTokenizer.*Leave it out: this .* takes texts in words/s,
  ],
  ['metaspace', {}, /is Metaspace.*Leave it out/s],
  [
    'bytelevel',
    { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'ByteLevel', add_prefix_space: false }] } },
    /is Sequence.*set pre_tokenizer\.pretokenizers\[0\]\.add_prefix_space in folder\/tokenizer\.json to true/s,
  ],
])('addPrefixSpace is refused where it does not count: %s %j', async (name, changes, message) => {
  const texts = { 'tokenizer.json': JSON.stringify({ ...(read(`${name}/tokenizer.json`) as Json), ...changes }) }
  const files = filesInMemory(new Map([['folder', texts]]))
  await expect(loadTokenizer('folder', files, undefined, { addPrefixSpace: true })).rejects.toThrow(message)
})

it.each<[unknown, RegExp]>([
  [[null, ['a']], /Column 'tokens' of row 7 is null.*dataset.filter\(row => Array.isArray\(row.tokens\)\)/s],
  [['a b'], /Column 'tokens' of row 7 is one text.*leave isSplitIntoWords out/s],
  [[['a', 3]], /Column 'tokens' of row 7 has the number 3 as word 1/],
])('a column %o is refused by its place', async (column, message) => {
  markOrigin(column as object, 'tokens', 7)
  const tokenizer = await tokenizerNamed('wordpiece')
  expect(() => tokenizer(column as string[][], { isSplitIntoWords: true })).toThrow(message)
})

it('lists of words without isSplitIntoWords are refused with that advice', async () => {
  const tokenizer = await tokenizerNamed('wordpiece')
  expect(() => tokenizer([words])).toThrow(/isSplitIntoWords: true/)
})
