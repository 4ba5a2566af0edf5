import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { AddedToken } from '../../src/tokenizers/tokenizerJson'
import { writeCharsmap } from './charsmaps'
import { tokenizerOf } from './inMemory'
import { drawFrom, pick, type Draw } from './randomTokenizers'

interface Field {
  name: string
  tokenizer: Json
  config: Json
  cases: { text: string; pair: string | null; input_ids: number[]; attention_mask?: number[] }[]
}
type Json = Record<string, unknown>

// Tokenizers of the field with what Python's AutoTokenizer gives: transformers 5.24, tokenizers 0.23.3.
const field = JSON.parse(readFileSync(new URL('../fixtures/tokenizers/field.json', import.meta.url), 'utf8')) as Field[]

it.each(field)('$name gives what Python gives', async ({ tokenizer: json, config, cases }) => {
  const tokenizer = await tokenizerOf(json, config)
  for (const { text, pair, ...expected } of cases) {
    const encoded = tokenizer(text, pair)
    if (expected.attention_mask === undefined) expect(encoded.input_ids, text).toEqual(expected.input_ids)
    else expect(Object.entries(encoded), text).toEqual(Object.entries(expected)) // names and their order too
  }
})

// The same oracle, for what a tokenizer_config.json says of special and added tokens.
const configurations = JSON.parse(
  readFileSync(new URL('../fixtures/tokenizers/configurations.json', import.meta.url), 'utf8'),
) as {
  tokenizer: Json
  texts: string[]
  cases: { config: Json; input_ids: number[][]; pad: number | null; special: number[]; size: number }[]
}

it.each(configurations.cases)('the configuration $config adds what it adds in Python', async one => {
  const tokenizer = await tokenizerOf(configurations.tokenizer, one.config)
  expect(tokenizer(configurations.texts).input_ids).toEqual(one.input_ids)
  expect(tokenizer.padTokenId ?? null).toBe(one.pad)
  expect(tokenizer.allSpecialIds.toSorted((a, b) => a - b)).toEqual(one.special)
  expect([tokenizer.getVocab().size, tokenizer.length]).toEqual([one.size, one.size])
})

const wordLevel = (vocab: readonly string[], rest: Json = {}): Json => ({
  added_tokens: [],
  pre_tokenizer: { type: 'Whitespace' },
  model: { type: 'WordLevel', vocab: Object.fromEntries(vocab.map((one, id) => [one, id])), unk_token: vocab[0] },
  ...rest,
})

it('a word of the text is not the added token that is written alike', async () => {
  const acme = { id: 2, content: 'acme', special: true, normalized: false } as Partial<AddedToken>
  const json = wordLevel(['[UNK]', 'x'], { normalizer: { type: 'Lowercase' }, added_tokens: [acme] })
  const tokenizer = await tokenizerOf(json)
  expect(tokenizer('acme Acme').input_ids).toEqual([2, 0])
})

it('a whole word does not touch letters, marks, joiners or connectors of any script', async () => {
  const token = { id: 2, content: 'foo', single_word: true, normalized: false } as Partial<AddedToken>
  const tokenizer = await tokenizerOf(wordLevel(['[UNK]', 'x'], { added_tokens: [token] }))
  for (const beside of ['é', 'я', '\u0301', '\u200c', '\u200d', '_', '٣'])
    expect(tokenizer(`foo${beside}`).input_ids, JSON.stringify(beside)).not.toContain(2)
  for (const beside of ['-', '\u200b', '\ufeff', '²', '。'])
    expect(tokenizer(`foo${beside}`).input_ids, JSON.stringify(beside)).toContain(2)
})

it('an added token has the id that Rust gives it, whatever the file says', async () => {
  const added = ['x', 'new', 'newer'].map((content, index) => ({ id: 40 + index, content }))
  const tokenizer = await tokenizerOf(wordLevel(['[UNK]', 'x'], { added_tokens: added }))
  expect(tokenizer('x new newer').input_ids).toEqual([1, 2, 3])
})

it("reads SentencePiece's own map: graphemes of fewer than six bytes as a whole, by their shortest key", async () => {
  const map = writeCharsmap(new Map([...Object.entries({ Ａ: 'a', e: 'E', 'e\u0301': 'é', '①': '', '㍿': 'kk' })]))
  const json = {
    added_tokens: [],
    normalizer: { type: 'Precompiled', precompiled_charsmap: map },
    model: { type: 'BPE', vocab: { a: 0, E: 1, é: 2, k: 3, '\u0301': 4 }, merges: [] },
  }
  const tokenizer = await tokenizerOf(json)
  expect(tokenizer('Ａe\u0301①㍿').input_ids).toEqual([0, 1, 3, 3])
})

it.each<[string, Json, RegExp]>([
  [
    'a pre-tokenizer',
    { pre_tokenizer: { type: 'UnicodeScripts' } },
    /pre_tokenizer is the pre-tokenizer UnicodeScripts/,
  ],
  [
    'one of a sequence',
    { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Fold' }] } },
    /tokenizer\.json: normalizer\.normalizers\[1\] is the normalizer Fold, which is not supported/,
  ],
  [
    'a place that patterns remember',
    { normalizer: { type: 'Replace', pattern: { Regex: '\\Ga' }, content: '' } },
    /normalizer\.pattern\.Regex is the regular expression \\Ga, which has \\G/,
  ],
  [
    'case beyond ASCII',
    { pre_tokenizer: { type: 'Split', pattern: { Regex: '(?i:é)' }, behavior: 'Isolated', invert: false } },
    /\(\?i:é\), which ignores the case of more than ASCII letters/,
  ],
  [
    'a pattern that JavaScript cannot read',
    { pre_tokenizer: { type: 'Split', pattern: { Regex: '\\X' }, behavior: 'Isolated', invert: false } },
    /pre_tokenizer\.pattern\.Regex is the regular expression \\X, which cannot be read/,
  ],
  ['a model', { model: { type: 'Morphemes', vocab: {} } }, /model is the model Morphemes/],
  [
    'merges left out by chance',
    { model: { type: 'BPE', vocab: {}, merges: [], dropout: 0.1 } },
    /model\.dropout is the dropout of merges 0\.1, which cannot be repeated/,
  ],
  [
    'two templates',
    {
      post_processor: {
        type: 'Sequence',
        processors: [1, 2].map(() => ({ type: 'BertProcessing', cls: ['a', 1], sep: ['b', 2] })),
      },
    },
    /processors\[1\] is the post-processor BertProcessing, which is not supported after another one/,
  ],
])('refuses %s that cannot be right', async (_, parts, message) => {
  await expect(tokenizerOf(wordLevel(['[UNK]'], parts))).rejects.toThrow(message)
})

/** The JSON with one random value replaced or removed. */
function damaged(json: unknown, draw: Draw): unknown {
  const copy = structuredClone(json)
  const junk = [null, undefined, 7, -1, 1.5, 'x', true, [], {}, [null], { a: 1 }]
  let inner = copy as Record<string, unknown>
  for (;;) {
    const name = pick(draw, Object.keys(inner))
    const value = inner[name]
    if (typeof value !== 'object' || value === null || Object.keys(value).length === 0 || draw(4) === 0) {
      inner[name] = pick(draw, junk)
      return copy
    }
    inner = value as Record<string, unknown>
  }
}

it('a damaged tokenizer loads, or ends in an error that names its file', async () => {
  const messages: string[] = []
  for (let seed = 0; seed < 1500; seed++) {
    const draw = drawFrom(seed)
    const { tokenizer: json, config } = pick(draw, field)
    const isConfig = draw(4) === 0
    try {
      const tokenizer = await tokenizerOf(
        isConfig ? json : damaged(json, draw),
        isConfig ? damaged(config, draw) : config,
      )
      tokenizer.decode(tokenizer('Hello wörld', 'acme!').input_ids)
    } catch (error) {
      expect((error as Error).name, `seed ${seed}: ${(error as Error).stack}`).toBe('TrainerError')
      messages.push((error as Error).message)
    }
  }
  expect(messages.length).toBeGreaterThan(300)
  for (const message of messages) expect(message).toMatch(/folder\/tokenizer(_config)?\.json|tokenizer_config\.json/)
})

it.each<[string, Json, RegExp]>([
  [
    'a vocabulary that is a text',
    { model: { type: 'WordLevel', vocab: 'x' } },
    /folder\/tokenizer\.json: model\.vocab is "x"; an object was expected\. Fetch the file again/,
  ],
  [
    'a merge',
    { model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b c'] } },
    /model\.merges\[0\] is "a b c"; two tokens/,
  ],
  ['no pattern', { pre_tokenizer: { type: 'Split' } }, /pre_tokenizer\.pattern is missing/],
  ['an added token', { added_tokens: [{ id: 1 }] }, /added_tokens\[0\]\.content is missing; a text was expected/],
  [
    'a map that is no base64',
    { normalizer: { type: 'Precompiled', precompiled_charsmap: '%%' } },
    /normalizer\.precompiled_charsmap is "%%"/,
  ],
])('names file and field: %s', async (_, parts, message) => {
  await expect(tokenizerOf(wordLevel(['[UNK]'], parts))).rejects.toThrow(message)
})

it.each<[string, Json, RegExp]>([
  ['a side', { padding_side: 'up' }, /^folder\/tokenizer_config\.json: padding_side is "up"; one of left, right was/],
  ['the other side', { truncation_side: 1 }, /^folder\/tokenizer_config\.json: truncation_side is 1; a text/],
  ['a limit', { model_max_length: 'x' }, /^folder\/tokenizer_config\.json: model_max_length is "x"; a number/],
  ['a special token', { pad_token: 3 }, /^folder\/tokenizer_config\.json: pad_token is 3; a text, or an object/],
])('of tokenizer_config.json names file and field: %s', async (_, config, message) => {
  await expect(tokenizerOf(wordLevel(['[UNK]'], {}), config)).rejects.toThrow(message)
  await expect(tokenizerOf(wordLevel(['[UNK]'], {}), { padding_side: null, pad_token: null })).resolves.toBeDefined()
})
