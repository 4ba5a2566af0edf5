// the tokenizer.json that Python's converters make for each family, over a random vocabulary that fits the texts
import { JsonPart } from '../../src/tokenizers/jsonPart'
import { normalizerOf } from '../../src/tokenizers/normalizers'
import { preTokenizerOf } from '../../src/tokenizers/preTokenizers'
import { randomCharsmap } from './charsmaps'
import { models, pick, type Draw } from './randomTokenizers'

type Json = Readonly<Record<string, unknown>>

/** What a family's converter decides. */
interface Parts {
  readonly normalizer: (draw: Draw) => Json | null
  readonly words: (draw: Draw) => Json
  readonly model: 'Unigram' | 'WordPiece' | 'BPE'
  readonly pair: 'segments' | 'double'
  readonly added?: readonly Json[]
}

const sequence = (normalizers: readonly Json[]): Json => ({ type: 'Sequence', normalizers })
const steps = (pretokenizers: readonly Json[]): Json => ({ type: 'Sequence', pretokenizers })
const replace = (pattern: Json, content: string): Json => ({ type: 'Replace', pattern, content })
const precompiled = (draw: Draw): Json => ({ type: 'Precompiled', precompiled_charsmap: randomCharsmap(draw) })
const oneBlank = replace({ Regex: ' {2,}' }, ' ')
const metaspace = (scheme = 'always'): Json => {
  return { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: true }
}
const split = { type: 'WhitespaceSplit' }
const some = <T>(draw: Draw, ...list: readonly T[]): T[] => list.filter(() => draw(2) === 0)
const token = (content: string, rest: Json = {}): Json => {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return { id: 0, content, ...plain, ...rest }
}
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
const bertNormalizer = (draw: Draw): Json => ({
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: draw(2) === 0,
  strip_accents: pick(draw, [null, true, false]),
  lowercase: draw(2) === 0,
})

const families: Readonly<Record<string, Parts>> = {
  albert: {
    normalizer: draw =>
      sequence([
        replace({ String: '``' }, '"'),
        replace({ String: "''" }, '"'),
        ...some(draw, { type: 'NFKD' }, { type: 'StripAccents' }, { type: 'Lowercase' }, precompiled(draw), oneBlank),
      ]),
    words: draw => steps([split, metaspace(pick(draw, ['always', 'never']))]),
    model: 'Unigram',
    pair: 'segments',
  },
  'deberta-v2 of 4.x': {
    normalizer: draw =>
      sequence([
        ...some(draw, { type: 'Lowercase' }),
        { type: 'Strip', strip_left: true, strip_right: true },
        precompiled(draw),
        oneBlank,
      ]),
    words: draw => steps([...some(draw, { type: 'Punctuation', behavior: 'Isolated' }), metaspace()]),
    model: 'Unigram',
    pair: 'segments',
    added: [token('[MASK]', { normalized: true })],
  },
  'deberta-v2 of 5.x': {
    normalizer: draw =>
      sequence([
        ...some(draw, { type: 'Lowercase' }),
        replace({ Regex: '\\s{2,}|[\\n\\r\\t]' }, ' '),
        { type: 'NFC' },
        { type: 'Strip', strip_left: false, strip_right: true },
      ]),
    words: draw => steps([...some(draw, { type: 'Punctuation', behavior: 'Isolated' }), metaspace()]),
    model: 'Unigram',
    pair: 'segments',
  },
  'xlm-roberta': {
    normalizer: precompiled,
    words: () => steps([split, metaspace()]),
    model: 'Unigram',
    pair: 'double',
    added: [token('<mask>', { lstrip: true })],
  },
  'xlm-roberta of 4.x': {
    normalizer: draw =>
      sequence([
        precompiled(draw),
        { type: 'Strip', strip_left: false, strip_right: true },
        replace({ Regex: ' {2,}' }, '▁'),
      ]),
    words: () => metaspace(),
    model: 'Unigram',
    pair: 'double',
    added: [token('<mask>', { lstrip: true })],
  },
  mpnet: {
    normalizer: bertNormalizer,
    words: () => ({ type: 'BertPreTokenizer' }),
    model: 'WordPiece',
    pair: 'double',
    added: [token('<mask>', { lstrip: true })],
  },
  modernbert: {
    normalizer: () => ({ type: 'NFC' }),
    words: () => byteLevel,
    model: 'BPE',
    pair: 'segments',
    added: [
      ...['    ', '   ', '  ', 'foo'].map(content => token(content, { normalized: true, special: false })),
      token('|||EMAIL|||', { special: false }),
      token('[MASK]', { lstrip: true }),
    ],
  },
}

/** `[CLS] A [SEP] B [SEP]`, or with a double separator. */
function template(pair: Parts['pair'], ids: readonly number[]): Json {
  const special = (id: string, type: number): Json => ({ SpecialToken: { id, type_id: type } })
  const text = (id: string, type: number): Json => ({ Sequence: { id, type_id: type } })
  const single = [special('<c>', 0), text('A', 0), special('<s>', 0)]
  const type = pair === 'double' ? 0 : 1
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, ...(pair === 'double' ? [special('<s>', 0)] : []), text('B', type), special('<s>', type)],
    special_tokens: Object.fromEntries(
      ['<c>', '<s>'].map((id, place) => [id, { id, ids: [ids[place]], tokens: [id] }]),
    ),
  }
}

function assemble(parts: Parts, texts: readonly string[], draw: Draw): Json {
  const normalizer = parts.normalizer(draw)
  const words = parts.words(draw)
  const changed = normalizerOf(new JsonPart(normalizer, '', ''))
  const cut = preTokenizerOf(new JsonPart(words, '', ''))!
  const found = texts.flatMap(text => cut.words(changed?.normalize(text) ?? text, true)).filter(word => word !== '')
  const model = { type: parts.model, ...models[parts.model]!(found.slice(0, 150), draw) }
  const { vocab } = model as unknown as { vocab: Record<string, number> | [string, number][] }
  const ids = new Map(Array.isArray(vocab) ? vocab.map(([piece], id) => [piece, id]) : Object.entries(vocab))
  let next = Array.isArray(vocab) ? vocab.length : ids.size
  const added = ['<c>', '<s>'].map(content => token(content)).concat(parts.added ?? [])
  const numbered = added.map(one => ({ ...one, id: ids.get(one['content'] as string) ?? next++ }))
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: numbered,
    normalizer,
    pre_tokenizer: words,
    post_processor: template(
      parts.pair,
      numbered.slice(0, 2).map(({ id }) => id),
    ),
    decoder: null,
    model,
  }
}

/** By family, a function from texts to a tokenizer.json. */
export const pipelines: Readonly<Record<string, (texts: readonly string[], draw: Draw) => Json>> = Object.fromEntries(
  Object.entries(families).map(([name, parts]) => [name, (texts, draw) => assemble(parts, texts, draw)]),
)
