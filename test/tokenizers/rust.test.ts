import { Tokenizer as RustTokenizer } from 'tokenizers'
import { expect, it } from 'vitest'
import { AlignedText } from '../../src/tokenizers/alignedText'
import { JsonPart } from '../../src/tokenizers/jsonPart'
import { normalizerOf } from '../../src/tokenizers/normalizers'
import { preTokenizerOf } from '../../src/tokenizers/preTokenizers'
import type { AddedToken } from '../../src/tokenizers/tokenizerJson'
import { randomCharsmap } from './charsmaps'
import { tokenizerOf } from './inMemory'
import {
  drawFrom,
  models,
  normalizers,
  partOf,
  pick,
  postProcessors,
  preTokenizers,
  randomAddedTokens,
  randomText,
  type Draw,
} from './randomTokenizers'

// The oracle is the Rust library (npm `tokenizers`): seeded texts through every normalizer, pre-tokenizer, model and
// post-processor that is accepted. Characters younger than its Unicode tables are left out of the texts.

const bareJson = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [] as unknown[],
  normalizer: null as unknown,
  pre_tokenizer: null as unknown,
  post_processor: null as unknown,
  decoder: null,
  model: { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' } as unknown,
}
const rustOf = (parts: Partial<typeof bareJson>): RustTokenizer =>
  RustTokenizer.fromString(JSON.stringify({ ...bareJson, ...parts }))
const manyTexts = (draw: Draw, count: number): string[] => Array.from({ length: count }, () => randomText(draw))
const normalizerTypes = [...Object.keys(normalizers('')), 'Sequence']
const preTokenizerTypes = [...Object.keys(preTokenizers), 'Sequence']

it.each(normalizerTypes)('the normalizer %s writes what Rust writes', type => {
  for (let seed = 0; seed < 12; seed++) {
    const draw = drawFrom(seed)
    const normalizer = partOf(normalizers(randomCharsmap(draw)), type, 'normalizers', draw)
    const rust = rustOf({ normalizer }).getNormalizer()!
    const normalize = normalizerOf(new JsonPart(normalizer, 'tokenizer.json', 'normalizer'))!
    for (const text of manyTexts(draw, 60)) {
      const wanted = rust.normalizeString(text)
      expect(normalize.normalize(text), `${seed}: ${JSON.stringify(text)}`).toBe(wanted)
      expect(normalize.align(AlignedText.of(text)).text, `${seed}: ${JSON.stringify(text)}`).toBe(wanted)
    }
  }
})

it.each(preTokenizerTypes)('the pre-tokenizer %s finds the words that Rust finds', type => {
  for (let seed = 0; seed < 20; seed++) {
    const draw = drawFrom(1000 + seed)
    const preTokenizer = partOf(preTokenizers, type, 'pretokenizers', draw)
    const rust = rustOf({ pre_tokenizer: preTokenizer }).getPreTokenizer()!
    const split = preTokenizerOf(new JsonPart(preTokenizer, 'tokenizer.json', 'pre_tokenizer'))!
    for (const text of manyTexts(draw, 60)) {
      const words = rust.preTokenizeString(text).map(([word]) => word)
      const message = `${JSON.stringify(preTokenizer)}: ${JSON.stringify(text)}`
      const aligned = split.align(AlignedText.of(text)).map(word => word.text)
      expect(aligned, message).toEqual(words)
      if (!asksWhereItBegins(preTokenizer)) expect(split.words(text, true), message).toEqual(words)
    }
  }
})

/** A tokenizer of random parts, with texts for it; its vocabulary is of words that its own first parts make. */
function randomTokenizer(draw: Draw, type: string, processor: string): { json: typeof bareJson; texts: string[] } {
  const makers = normalizers(randomCharsmap(draw))
  const normalizer = draw(4) === 0 ? null : partOf(makers, pick(draw, normalizerTypes), 'normalizers', draw)
  const preTokenizer =
    draw(5) === 0 ? null : partOf(preTokenizers, pick(draw, preTokenizerTypes), 'pretokenizers', draw)
  const normalize = normalizerOf(new JsonPart(normalizer, '', ''))?.normalize ?? ((text: string) => text)
  const split = preTokenizerOf(new JsonPart(preTokenizer, '', ''))?.words ?? ((text: string) => [text])
  const texts = manyTexts(draw, 30)
  const words = texts.flatMap(text => split(normalize(text), true)).filter(word => word !== '')
  const model = { type, ...models[type]!(words.slice(0, 150), draw) }
  const { vocab } = model as unknown as { vocab: Record<string, number> | [string, number][] }
  const ids = new Map(Array.isArray(vocab) ? vocab.map(([token], id) => [token, id]) : Object.entries(vocab))
  const added = settled(randomAddedTokens(ids, draw) as unknown as AddedToken[], normalize)
  const parts = { normalizer, pre_tokenizer: preTokenizer, post_processor: postProcessors[processor]!(draw) }
  return { json: { ...bareJson, ...parts, added_tokens: added, model }, texts }
}

/**
 * Without added tokens that the Rust library takes in no certain order (written alike once normalized), or that end its
 * process (blank at an end once normalized).
 */
function settled(added: readonly AddedToken[], normalize: (text: string) => string): AddedToken[] {
  const seen = new Set<string>()
  return added.filter(token => {
    const text = token.normalized ? normalize(token.content) : token.content
    const isFresh = !token.normalized || !seen.has(text)
    if (token.normalized) seen.add(text)
    return isFresh && /^[^\p{White_Space}](.*[^\p{White_Space}])?$/su.test(text)
  })
}

/** Whether words depend on what stands before them; those texts are cut with their places alone. */
function asksWhereItBegins(preTokenizer: unknown): boolean {
  const written = JSON.stringify(preTokenizer)
  return written.includes('"first"') && written.includes('"Sequence"')
}

const pipelines = Object.keys(models).flatMap(model => Object.keys(postProcessors).map(one => [model, one] as const))

it.each(pipelines)(
  '%s with the post-processor %s gives the tokens of Rust, where they stand',
  async (model, processor) => {
    let compared = 0
    for (let seed = 0; seed < 12; seed++) {
      const draw = drawFrom(10_000 * (1 + pipelines.findIndex(([a, b]) => a === model && b === processor)) + seed)
      const { json, texts } = randomTokenizer(draw, model, processor)
      const rust = rustOf(json)
      const tokenizer = await tokenizerOf(json)
      for (const [index, text] of texts.entries()) {
        const pair = index % 3 === 0 ? texts[(index + 1) % texts.length] : undefined
        const addSpecialTokens = index % 2 === 0
        const wanted = await rust.encode(text, pair ?? null, { addSpecialTokens })
        const message = `seed ${seed}: ${JSON.stringify([text, pair])}`
        const options = { addSpecialTokens, returnTokenTypeIds: true, returnAttentionMask: false }
        const { input_ids, token_type_ids, ...rest } = rowOf(wanted, [text, pair])
        expect(tokenizer(text, pair, options), message).toEqual({ input_ids, token_type_ids })
        const placed = withPlaces(json, tokenizer(text, pair, { ...options, ...everything }))
        expect(placed, message).toEqual(withPlaces(json, { input_ids, token_type_ids, ...rest }))
        compared++
      }
    }
    expect(compared).toBeGreaterThan(200)
  },
)

const everything = {
  returnSpecialTokensMask: true,
  returnOffsetsMapping: true,
  returnWordIds: true,
  returnSequenceIds: true,
} as const

/** What the Rust library says of a row; its places are code points, ours UTF-16 units. */
function rowOf(encoding: Awaited<ReturnType<RustTokenizer['encode']>>, texts: readonly (string | undefined)[]) {
  const specials = encoding.getSpecialTokensMask()
  const sequences = encoding.getSequenceIds().map(one => one ?? null)
  const unit = (text: string, place: number): number => Array.from(text).slice(0, place).join('').length
  return {
    input_ids: encoding.getIds(),
    token_type_ids: encoding.getTypeIds(),
    special_tokens_mask: specials,
    offset_mapping: encoding
      .getOffsets()
      .map((places, token) => places.map(place => (specials[token] ? 0 : unit(texts[sequences[token]!]!, place)))),
    word_ids: encoding.getWordIds().map(word => word ?? null),
    sequence_ids: sequences,
  }
}

/** A row without its places where a BPE's are not Rust's, which counts bytes there: see docs/differences.md. */
function withPlaces<Row extends object>({ model }: typeof bareJson, row: Row): object {
  const { type, unk_token: unknown, byte_fallback: fallsBack, ...marks } = model as Readonly<Record<string, unknown>>
  const isMarked = Boolean(marks['continuing_subword_prefix'] ?? marks['end_of_word_suffix'])
  const differs = type === 'BPE' && (unknown === null || (fallsBack === true && isMarked))
  return { ...row, ...(differs && { offset_mapping: [] }) }
}
