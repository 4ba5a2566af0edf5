// text → token ids, without special tokens: the one door to @huggingface/tokenizers, with the files beside it
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers'
import { splitAddedTokens, type TokenMatcher, tokenMatcher } from './addedTokens'
import { textOfByteTokens } from './characters'
import type { TokenizerFiles } from './files'
import { JsonPart } from './jsonPart'
import { normalizerOf } from './normalizers'
import { placedTokens, type PlacedTokens, type PlacingStages } from './placedTokens'
import { preTokenizerOf, type PreTokenizer } from './preTokenizers'
import type { TokenizerConfig, TokenizerJson } from './tokenizerJson'
import type { Vocabulary, WordModel } from './vocabularies'
import { wordModelOf } from './wordModels'

/** A vocabulary and the way from text to its ids. */
export interface TextModel {
  /**
   * Token ids of a text; may stop at the end of a word once there are `limit` of them. `words`, where it is given,
   * receives the number of each token's word: words and added tokens are counted as they come, as in the Rust library.
   */
  encode(text: string, limit?: number, words?: number[]): number[]
  /** The same tokens, with their words and where they stand in the text; slower. */
  place(text: string): PlacedTokens
  decode(ids: readonly number[], options: { skipSpecialTokens: boolean; cleanUp: boolean }): string
  /** The text that tokens make together, whether they are in the vocabulary or not. */
  join(tokens: readonly string[]): string
  idOf(token: string): number | undefined
  tokenOf(id: number): string | undefined
  /** Every token with its id, added tokens included. */
  vocabulary(): Map<string, number>
  /** The number of tokens of the model, without those added to it. */
  readonly size: number
}

/** The parts of the library's tokenizer that are used; its own types get lost under some module resolutions. */
interface Library {
  readonly model: { vocab: (string | undefined)[] }
  readonly decoder: ((tokens: readonly string[]) => string) | null
  decode(
    ids: readonly number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string
}

/** The most words that are remembered with their ids. */
const rememberedWords = 1 << 16
/** The characters of the longest word that is remembered. */
const longestRemembered = 48

/**
 * The text model of a `tokenizer.json`. Added tokens never reach the model's vocabulary: they are found in the
 * text, and nowhere else. The model gets words one by one, and their ids are remembered.
 */
export function textModel({ json, config, vocabulary, path }: TokenizerFiles): TextModel {
  const root = new JsonPart(json, path)
  const normalizer = normalizerOf(root.at('normalizer'))
  const normalize = normalizer?.normalize ?? ((text: string) => text)
  const preTokenizer = preTokenizerOf(root.at('pre_tokenizer'))
  const split = preTokenizer?.words
  const wordModel = wordModelOf(root.at('model'), vocabulary)
  const idsOfWord = rememberingIds(wordModel)
  const raw = tokenMatcher(
    json.added_tokens.filter(token => !token.normalized),
    text => text,
  )
  const normalized = tokenMatcher(
    json.added_tokens.filter(token => token.normalized),
    normalize,
  )
  const library = decodingLibrary(json, config, root)
  const tokens = tokensById(vocabulary, json, normalize)
  library.model.vocab = tokens
  const added = new Map(json.added_tokens.map(token => [token.content, token.id]))

  const placing = {
    ...{ raw, normalized, normalizer, preTokenizer },
    model: rememberingSpans(wordModel),
    nameOf: namer(tokens, json.model),
  }

  const place = (text: string): PlacedTokens => placedTokens(text, placing)
  const stages = { raw, normalized, normalize, split, idsOfWord }
  const quick: TextModel['encode'] = (text, limit = Infinity, words) =>
    encode(text, stages, { ids: [], limit, words, count: 0 })

  return {
    encode: asksForPlaces(json) ? (text, _, words) => idsOf(place(text), words) : quick,
    place,
    decode: (ids, { skipSpecialTokens, cleanUp }) => {
      const known = ids.filter(id => tokens[id] !== undefined)
      const options = { skip_special_tokens: skipSpecialTokens, clean_up_tokenization_spaces: cleanUp }
      return known.length === 0 ? '' : library.decode(known, options)
    },
    join: joinerOf(json, library),
    idOf: token => added.get(token) ?? vocabulary.ids.get(token),
    tokenOf: id => tokens[id],
    vocabulary: () => new Map([...vocabulary.ids, ...added].sort((a, b) => a[1] - b[1])),
    size: vocabulary.size,
  }
}

/** The tokens by id, added ones included: those that are normalized as they are then written, as in the Rust library. */
function tokensById(
  { ids }: Vocabulary,
  json: TokenizerJson,
  normalize: (text: string) => string,
): (string | undefined)[] {
  const tokens: (string | undefined)[] = []
  for (const [token, id] of ids) tokens[id] = token
  for (const { id, content, normalized } of json.added_tokens) tokens[id] = normalized ? normalize(content) : content
  return tokens
}

/** How tokens make a text: by the Rust library's rules where the JavaScript one knows only tokens of the vocabulary. */
function joinerOf({ decoder }: TokenizerJson, library: Library): TextModel['join'] {
  const { type, prepend_scheme: scheme = 'always', replacement = '\u2581' } = (decoder ?? {}) as Record<string, string>
  if (type === 'ByteLevel') return textOfByteTokens
  if (type === 'Metaspace') {
    const blankOf = (at: number): string => (at === 0 && scheme !== 'never' ? '' : ' ')
    return tokens => tokens.map((token, at) => token.replaceAll(replacement, blankOf(at))).join('')
  }
  return tokens => library.decoder?.(tokens) ?? tokens.join(' ')
}

/** The library with the decoder and the added tokens; what it is not asked for is left out. */
function decodingLibrary(json: TokenizerJson, config: TokenizerConfig, root: JsonPart): Library {
  const { unk_token: unknown, unk_id: id, end_of_word_suffix: suffix, vocab } = json.model
  const unknownOfList =
    Array.isArray(vocab) && typeof id === 'number' ? (vocab[id] as [string] | undefined)?.[0] : undefined
  const model = { type: 'WordPiece', vocab: {}, unk_token: unknown ?? unknownOfList }
  const parts = { ...json, normalizer: null, pre_tokenizer: null, post_processor: null, model }
  try {
    const library = new LibraryTokenizer(parts as never, config as never) as unknown as Library & {
      decoder: { end_of_word_suffix: unknown } | null
    }
    if (library.decoder !== null) library.decoder.end_of_word_suffix = suffix
    return library
  } catch (error) {
    throw root.at('decoder').wrong(`a decoder that is known (${(error as Error).message})`)
  }
}

interface Stages {
  readonly raw: TokenMatcher | undefined
  readonly normalized: TokenMatcher | undefined
  readonly normalize: (text: string) => string
  readonly split: PreTokenizer['words'] | undefined
  readonly idsOfWord: WordModel
}

/** The tokens of a text so far. */
interface Progress {
  readonly ids: number[]
  /** Tokens that are enough. */
  readonly limit: number
  readonly words: number[] | undefined
  /** Words and added tokens so far. */
  count: number
}

/**
 * Cuts a text at its added tokens, normalizes the text between, cuts it at the normalized added tokens, then into
 * words, and those into pieces.
 */
function encode(text: string, stages: Stages, progress: Progress): number[] {
  const { ids, limit } = progress
  for (const [section, raw] of splitAddedTokens(text, stages.raw).entries()) {
    if (typeof raw === 'number') {
      pushAdded(raw, progress)
      continue
    }
    const isFirst = section === 0
    for (const [index, part] of splitAddedTokens(stages.normalize(raw), stages.normalized).entries()) {
      if (typeof part === 'number') pushAdded(part, progress)
      else pushWords(part, isFirst && index === 0, stages, progress)
      if (ids.length >= limit) return ids
    }
  }
  return ids
}

function pushAdded(id: number, progress: Progress): void {
  progress.ids.push(id)
  progress.words?.push(progress.count)
  progress.count++
}

function pushWords(text: string, isFirst: boolean, stages: Stages, progress: Progress): void {
  if (text === '') return
  const { ids, limit, words } = progress
  for (const word of stages.split === undefined ? [text] : stages.split(text, isFirst)) {
    for (const id of stages.idsOfWord(word)) ids.push(id)
    if (words !== undefined) {
      while (words.length < ids.length) words.push(progress.count)
      progress.count++
    }
    if (ids.length >= limit) return
  }
}

/**
 * Whether the words of a text depend on where they stand in the original: Metaspace's `prepend_scheme: 'first'` asks
 * whether a word stands where the text begins, which is not simply the first one when the text was changed or cut before.
 */
function asksForPlaces({ normalizer, pre_tokenizer: preTokenizer }: TokenizerJson): boolean {
  const written = JSON.stringify(preTokenizer ?? null)
  return written.includes('"first"') && (normalizer !== null || written.includes('"Sequence"'))
}

function idsOf(tokens: PlacedTokens, words: number[] | undefined): number[] {
  if (words !== undefined) for (const word of tokens.words) words.push(word)
  return tokens.ids
}

/**
 * What the Rust library calls a token: Unigram's unknown ones are called what they stand for, all others what the
 * vocabulary calls them.
 */
function namer(
  tokens: readonly (string | undefined)[],
  { unk_id: unknown }: TokenizerJson['model'],
): PlacingStages['nameOf'] {
  return (id, stretch) => (id === unknown ? stretch : (tokens[id] ?? ''))
}

/** The model with a memory of spans too. */
function rememberingSpans(model: WordModel): WordModel {
  const memory = new Map<string, { readonly ids: readonly number[]; readonly spans: readonly number[] }>()
  return (word, spans = []) => {
    let known = memory.get(word)
    if (known === undefined) {
      const found: number[] = []
      known = { ids: model(word, found), spans: found }
      if (memory.size >= rememberedWords) memory.clear()
      if (word.length <= longestRemembered) memory.set(word, known)
    }
    for (const place of known.spans) spans.push(place)
    return known.ids
  }
}

/** The model with a memory. */
function rememberingIds(model: WordModel): WordModel {
  const memory = new Map<string, readonly number[]>()
  return word => {
    const known = memory.get(word)
    if (known !== undefined) return known
    const ids = model(word)
    if (word.length <= longestRemembered) {
      if (memory.size >= rememberedWords) memory.clear()
      memory.set(word, ids)
    }
    return ids
  }
}
