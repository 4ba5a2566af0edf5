// random tokenizers and texts for the comparison with the Rust library: every part that is accepted takes its turn

/** Numbers from a seed: a function that draws a whole number below `limit`. */
export type Draw = (limit: number) => number

/** A linear congruential generator (Knuth's MMIX), of which the upper bits count. */
export function drawFrom(seed: number): Draw {
  let state = BigInt(seed) * 2654435761n + 1n
  return limit => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn
    return Number((state >> 33n) % BigInt(limit))
  }
}

export const pick = <T>(draw: Draw, list: readonly T[]): T => list[draw(list.length)]!
const chance = (draw: Draw, percent: number): boolean => draw(100) < percent
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

/** Characters of many kinds, none of them younger than the tables of the Rust library. */
export const atoms = [
  ...'aaabbccdefghijklmnopqrstuvwxyz'.split(''),
  ...'ABCDEÉÀÜéàüßñçøœæÆĳſŉǅ'.split(''),
  ...'0123456789½²³¹٣९Ⅷ①㈠'.split(''),
  ...'.,;:!?\'"-–—_()[]{}<>#@&*+=/\\|~^$%€£¥©°§«»„“”‘’…·、。「」！，／'.split(''),
  ...'αβγσςΣΩάΆ'.split(''),
  ...'приветЁйИ'.split(''),
  ...'İıIiﬁﬂﬃ'.split(''),
  ...'שלום'.split(''),
  ...'السلامﷺﻻ'.split(''),
  ...'日本語中文東京漢字々ー'.split(''),
  ...'ひらがなカタカナｶﾞﾊﾟｱｰ゛゜'.split(''),
  ...'한국어'.split(''),
  '\u1112\u1161\u11ab',
  'n\u0303',
  'e\u0301',
  'a\u0308\u0304',
  '\u0301',
  'ि',
  'क्ष',
  'क्\u200dष',
  'नमस्ते',
  'ำน\u0e49',
  'สวัสดี',
  '😀',
  '👩\u200d👩\u200d👧',
  '🇩🇪',
  '👍🏽',
  '❤\ufe0f',
  '１２',
  'Ａｂ',
  '㍿',
  '™',
  'Å',
  'Ω',
  '\u{20000}',
  '𝒜𝔅',
]
const blanks = [' ', ' ', ' ', ' ', '  ', '\t', '\n', '\r\n', '\u00a0', '\u3000', '\u2028', '\u0085', '\u1680']
const invisible = [
  '\u200b',
  '\u200c',
  '\u200d',
  '\u200e',
  '\ufeff',
  '\u00ad',
  '\u0001',
  '\u007f',
  '\ufffd',
  '\u2581',
  '\u180e',
]
export const addedTexts = [
  '[CLS]',
  '[SEP]',
  '<mask>',
  'acme',
  'Acme',
  'New York',
  'café',
  'cafe\u0301',
  'Ünder',
  'foo',
  'foobar',
  'bar',
  '😀',
  '##x',
  'İ',
  "don't",
  'a',
  'ab',
  'ﬁ',
  '日本',
  '.',
  '...',
]

/** A text of words, blanks, odd characters and tokens that may have been added. */
export function randomText(draw: Draw): string {
  let text = ''
  for (let word = draw(7); word >= 0; word--) {
    if (chance(draw, 25)) text += pick(draw, addedTexts)
    else
      for (let length = draw(6); length >= 0; length--)
        text += pick(draw, chance(draw, 60) ? atoms.slice(0, 30) : atoms)
    if (chance(draw, 12)) text += pick(draw, invisible)
    if (chance(draw, 75)) text += pick(draw, blanks)
  }
  return text
}

const patterns = [
  { String: ' ' },
  { String: '.' },
  { String: 'ab' },
  { Regex: '\\s+' },
  { Regex: '\\w+|[^\\w\\s]+' },
  { Regex: '\\d' },
  {
    Regex:
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  },
  { Regex: '[aeiou]+' },
  ...['^', '$', 'x*', '\\b', ' {2,}', '(?<=[.a])\\s', '\\p{Han}+', 'a|b|'].map(Regex => ({ Regex })),
]
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']

type Part = Readonly<Record<string, unknown>>
type Makers = Readonly<Record<string, (draw: Draw) => Part>>

const flag = (draw: Draw): boolean => chance(draw, 50)

/** A random normalizer of each type. */
export const normalizers = (charsmap: string): Makers => ({
  BertNormalizer: draw => ({
    clean_text: flag(draw),
    handle_chinese_chars: flag(draw),
    strip_accents: pick(draw, [null, true, false]),
    lowercase: flag(draw),
  }),
  Precompiled: () => ({ precompiled_charsmap: charsmap }),
  NFC: () => ({}),
  NFD: () => ({}),
  NFKC: () => ({}),
  NFKD: () => ({}),
  Nmt: () => ({}),
  Lowercase: () => ({}),
  Strip: draw => ({ strip_left: flag(draw), strip_right: flag(draw) }),
  StripAccents: () => ({}),
  Prepend: draw => ({ prepend: pick(draw, ['▁', ' ', 'x$&']) }),
  Replace: draw => ({ pattern: pick(draw, patterns), content: pick(draw, ['▁', '', ' ', '$&_']) }),
  ByteLevel: () => ({}),
})

/** A random pre-tokenizer of each type. */
export const preTokenizers: Makers = {
  BertPreTokenizer: () => ({}),
  Whitespace: () => ({}),
  WhitespaceSplit: () => ({}),
  CharDelimiterSplit: draw => ({ delimiter: pick(draw, [' ', '.', 'a', '語']) }),
  Punctuation: draw => ({ behavior: pick(draw, behaviors) }),
  Digits: draw => ({ individual_digits: flag(draw) }),
  Split: draw => ({ pattern: pick(draw, patterns), behavior: pick(draw, behaviors), invert: flag(draw) }),
  FixedLength: draw => ({ length: 1 + draw(6) }),
  ByteLevel: draw => ({ add_prefix_space: flag(draw), trim_offsets: true, use_regex: flag(draw) }),
  Metaspace: draw => ({
    replacement: pick(draw, ['▁', '▁', '_']),
    prepend_scheme: pick(draw, ['always', 'never', 'first']),
    split: flag(draw),
  }),
}

/** One part of a type, or (`Sequence`) several under the name `field`. */
export function partOf(makers: Makers, type: string, field: string, draw: Draw): Part {
  if (type !== 'Sequence') return { type, ...makers[type]!(draw) }
  const inner = times(1 + draw(3), () => partOf(makers, pick(draw, Object.keys(makers)), field, draw))
  return { type, [field]: inner }
}

/** Pieces of words, as a trainer might have found them: characters of all, and stretches of some. */
function piecesOf(words: readonly string[], draw: Draw): string[] {
  const pieces = new Set<string>()
  for (const word of words) {
    const characters = Array.from(word)
    for (const character of characters) if (chance(draw, 90)) pieces.add(character)
    for (let count = 0; count < 4; count++) {
      const start = draw(characters.length)
      pieces.add(characters.slice(start, start + 1 + draw(4)).join(''))
    }
    if (chance(draw, 20)) pieces.add(word)
  }
  return [...pieces]
}

const idsOf = (tokens: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]))
const byteNames = times(256, byte => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)

/** A random model of each type, whose vocabulary fits the words. */
export const models: Readonly<Record<string, (words: readonly string[], draw: Draw) => Part>> = {
  WordLevel: (words, draw) => ({ vocab: idsOf(['[UNK]', ...words.filter(() => flag(draw))]), unk_token: '[UNK]' }),
  WordPiece: (words, draw) => {
    const pieces = piecesOf(words, draw)
    const prefix = pick(draw, ['##', '@'])
    const vocab = idsOf(['[UNK]', ...pieces, ...pieces.map(piece => prefix + piece)])
    return {
      vocab,
      unk_token: '[UNK]',
      continuing_subword_prefix: prefix,
      max_input_chars_per_word: pick(draw, [100, 6]),
    }
  },
  Unigram: (words, draw) => {
    const bytes = chance(draw, 40)
    const tokens = [...new Set(['<unk>', '<s>', ...(bytes ? byteNames : []), ...piecesOf(words, draw)])]
    const score = (token: string): number => -(Array.from(token).length + (chance(draw, 50) ? 0 : draw(20) / 8))
    return { vocab: tokens.map(token => [token, score(token)]), unk_id: draw(2), byte_fallback: bytes }
  },
  BPE: (words, draw) => bytePairs(words, draw),
}

function bytePairs(words: readonly string[], draw: Draw): Part {
  const prefix = chance(draw, 20) ? '##' : ''
  const suffix = chance(draw, 20) ? '</w>' : ''
  const bytes = chance(draw, 30)
  const tokens = new Set(['[UNK]', ...(bytes ? byteNames : [])])
  const merges: [string, string][] = []
  for (const word of words) {
    const characters = Array.from(word)
    let symbols = characters.map((one, i) => (i > 0 ? prefix : '') + one + (i === characters.length - 1 ? suffix : ''))
    for (const symbol of symbols) if (chance(draw, 85)) tokens.add(symbol)
    while (symbols.length > 1 && chance(draw, 75)) {
      const place = draw(symbols.length - 1)
      const [first, second] = [symbols[place]!, symbols[place + 1]!]
      const whole = first + second.slice(prefix.length)
      for (const token of [first, second, whole]) tokens.add(token)
      if (!merges.some(([a, b]) => a === first && b === second)) merges.push([first, second])
      symbols = [...symbols.slice(0, place), whole, ...symbols.slice(place + 2)]
    }
  }
  const unknown = chance(draw, 70) ? '[UNK]' : null
  const marks = { continuing_subword_prefix: prefix || null, end_of_word_suffix: suffix || null }
  const options = {
    dropout: null,
    unk_token: unknown,
    fuse_unk: flag(draw),
    byte_fallback: bytes,
    ignore_merges: flag(draw),
  }
  return { vocab: idsOf([...tokens]), merges, ...marks, ...options }
}

/** Added tokens with random attributes, of which some may be in the vocabulary already. */
export function randomAddedTokens(vocab: ReadonlyMap<string, number>, draw: Draw): Part[] {
  let next = vocab.size
  const contents = [...new Set(times(draw(10), () => pick(draw, addedTexts)))]
  return contents.map(content => ({
    id: vocab.get(content) ?? next++,
    content,
    single_word: chance(draw, 30),
    lstrip: chance(draw, 30),
    rstrip: chance(draw, 30),
    normalized: flag(draw),
    special: chance(draw, 40),
  }))
}

/** A random post-processor of each type; `special` gives the id of an added token. */
export const postProcessors: Readonly<Record<string, (draw: Draw) => Part | null>> = {
  none: () => null,
  TemplateProcessing: draw => {
    const special = (id: string, type: number): Part => ({ SpecialToken: { id, type_id: type } })
    const text = (id: string, type: number): Part => ({ Sequence: { id, type_id: type } })
    const kind = draw(3)
    return {
      type: 'TemplateProcessing',
      single: [special('<c>', 0), text('A', kind), ...(flag(draw) ? [special('<s>', 1)] : [])],
      pair: [special('<c>', 0), text('A', 0), special('<s>', 0), text('B', kind), special('<s>', 1)],
      special_tokens: {
        '<c>': { id: '<c>', ids: [1], tokens: ['<c>'] },
        '<s>': { id: '<s>', ids: [0, 1], tokens: ['<s>', '<c>'] },
      },
    }
  },
  BertProcessing: () => ({ type: 'BertProcessing', sep: ['<s>', 0], cls: ['<c>', 1] }),
  RobertaProcessing: draw => ({
    type: 'RobertaProcessing',
    sep: ['<s>', 0],
    cls: ['<c>', 1],
    trim_offsets: true,
    add_prefix_space: flag(draw),
  }),
  ByteLevel: () => ({ type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true }),
  Sequence: draw => ({
    type: 'Sequence',
    processors: [postProcessors['ByteLevel']!(draw), postProcessors['TemplateProcessing']!(draw)],
  }),
}
