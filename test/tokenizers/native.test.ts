import { Tokenizer as RustTokenizer } from 'tokenizers'
import { expect, it } from 'vitest'
import { importNative } from '../../src/tokenizers/native'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'
import { filesInMemory } from './inMemory'
import { drawFrom, randomText } from './randomTokenizers'

const split = (Regex: string): object => {
  return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }
}
const tokenizers: readonly [string, object | null, object][] = [
  ['UnicodeScripts', null, { type: 'UnicodeScripts' }],
  ['graphemes', null, split('\\X')],
  ['case beyond ASCII', null, split('(?i:é|ß)')],
  [
    'one of a sequence',
    {
      type: 'Sequence',
      normalizers: [{ type: 'Lowercase' }, { type: 'Replace', pattern: { Regex: '\\Ga' }, content: 'x' }],
    },
    { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'UnicodeScripts' }] },
  ],
]

const jsonOf = (normalizer: object | null, pre_tokenizer: object, words: readonly string[]): object => ({
  ...{ version: '1.0', truncation: null, padding: null, added_tokens: [], post_processor: null, decoder: null },
  normalizer,
  pre_tokenizer,
  model: {
    type: 'WordLevel',
    vocab: Object.fromEntries(['[UNK]', ...new Set(words)].map((word, id) => [word, id])),
    unk_token: '[UNK]',
  },
})

function load(json: object, native?: typeof importNative): Promise<Tokenizer> {
  const files = { 'tokenizer.json': JSON.stringify(json) }
  return loadTokenizer('folder', filesInMemory(new Map([['folder', files]])), native)
}

it('names the package where it is not installed', async () => {
  const message =
    'folder/tokenizer.json: pre_tokenizer is the pre-tokenizer UnicodeScripts, which is not supported. ' +
    "npm's tokenizers does it, and is used where it is installed: npm install tokenizers."
  const json = jsonOf(null, { type: 'UnicodeScripts' }, [])
  await expect(load(json)).rejects.toThrow(message)
  await expect(load(json, async () => undefined)).rejects.toThrow(message)
})

it('tells offsets where it cuts, and refuses them where it changes the text', async () => {
  const scripts = await load(jsonOf(null, { type: 'UnicodeScripts' }, ['ab', 'я']), importNative)
  expect(scripts('abяab', undefined, { returnOffsetsMapping: true }).offset_mapping).toEqual([
    [0, 2],
    [2, 3],
    [3, 5],
  ])
  const [, , , [, normalizer, pre]] = tokenizers as [unknown, unknown, unknown, (typeof tokenizers)[number]]
  const changing = await load(jsonOf(normalizer, pre, []), importNative)
  expect(() => changing('a', undefined, { returnOffsetsMapping: true })).toThrow(
    /normalizer\.normalizers\[1\] is done by npm's tokenizers, which tells no offsets\. Leave returnOffsetsMapping out\./,
  )
})

it.each(tokenizers)('%s gives the ids of the Rust library', async (_, normalizer, pre) => {
  const draw = drawFrom(4711)
  const texts = Array.from({ length: 60 }, () => randomText(draw))
  const whole = RustTokenizer.fromString(JSON.stringify(jsonOf(normalizer, pre, [])))
  const words = texts.flatMap(text => {
    const normalized = whole.getNormalizer()?.normalizeString(text) ?? text
    return whole
      .getPreTokenizer()!
      .preTokenizeString(normalized)
      .map(([word]) => word)
  })
  const json = jsonOf(normalizer, pre, words)
  const rust = RustTokenizer.fromString(JSON.stringify(json))
  const tokenizer = await load(json, importNative)
  for (const text of texts)
    expect(tokenizer(text).input_ids, JSON.stringify(text)).toEqual((await rust.encode(text)).getIds())
})

it('what the native library would not help with is refused as before', async () => {
  const unknown = jsonOf(null, { type: 'Sentences' }, [])
  await expect(load(unknown, importNative)).rejects.toThrow(
    /pre_tokenizer is the pre-tokenizer Sentences, which is not/,
  )
  const random = {
    ...jsonOf(null, { type: 'Whitespace' }, []),
    model: { type: 'BPE', vocab: {}, merges: [], dropout: 0.1 },
  }
  await expect(load(random, importNative)).rejects.toThrow(/which cannot be repeated\.$/)
})
