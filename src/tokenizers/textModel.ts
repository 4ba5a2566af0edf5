// text → token ids, without special tokens: the one door to @huggingface/tokenizers
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers'
import { splitAddedTokens, type TokenMatcher, tokenMatcher } from './addedTokens'
import { bertNormalizer } from './bertNormalizer'
import type { TokenizerConfig, TokenizerJson } from './tokenizerJson'

/** A vocabulary and the way from text to its ids. */
export interface TextModel {
  /** Token ids of a text; may stop at the end of a word once there are `limit` of them. */
  encode(text: string, limit?: number): number[]
  decode(ids: readonly number[], options: { skipSpecialTokens: boolean; cleanUp: boolean }): string
  idOf(token: string): number | undefined
  tokenOf(id: number): string | undefined
  /** Every token with its id, added tokens included. */
  vocabulary(): Map<string, number>
  /** The number of tokens of the model, without those added to it. */
  readonly size: number
}

/** The parts of the library's tokenizer that are used; its own types get lost under some module resolutions. */
interface Library {
  readonly normalizer: ((text: string) => string) | null
  readonly pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null
  readonly model: ((words: readonly string[]) => string[]) & {
    readonly tokens_to_ids: Map<string, number>
    readonly unk_token_id?: number
  }
  decode(
    ids: readonly number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string
  token_to_id(token: string): number | undefined
  id_to_token(id: number): string | undefined
  get_vocab(withAddedTokens: boolean): Map<string, number>
}

/** The most words that are remembered with their ids. */
const rememberedWords = 1 << 16
/** The characters of the longest word that is remembered. */
const longestRemembered = 48

/**
 * The text model of a `tokenizer.json`. The library's model gets words one by one, and their ids are remembered: this
 * is faster and closer to the Rust library (unknown pieces are fused within a word, not across words).
 */
export function textModel(json: TokenizerJson, config: TokenizerConfig): TextModel {
  // template.ts does the post-processing: the library's gives RoBERTa's pairs a second segment.
  const library = new LibraryTokenizer({ ...json, post_processor: null }, config) as unknown as Library
  const normalize =
    json.normalizer?.type === 'BertNormalizer'
      ? bertNormalizer(json.normalizer)
      : (library.normalizer ?? (text => text))
  const raw = tokenMatcher(
    json.added_tokens.filter(token => !token.normalized),
    text => text,
  )
  const normalized = tokenMatcher(
    json.added_tokens.filter(token => token.normalized),
    normalize,
  )
  const idsOfWord = rememberingIds(library.model)

  return {
    encode: (text, limit = Infinity) =>
      encode(text, limit, { raw, normalized, normalize, split: library.pre_tokenizer, idsOfWord }),
    decode: (ids, { skipSpecialTokens, cleanUp }) =>
      ids.length === 0
        ? ''
        : library.decode([...ids], { skip_special_tokens: skipSpecialTokens, clean_up_tokenization_spaces: cleanUp }),
    idOf: token => library.token_to_id(token),
    tokenOf: id => library.id_to_token(id),
    vocabulary: () => library.get_vocab(true),
    size: Array.isArray(json.model.vocab) ? json.model.vocab.length : Object.keys(json.model.vocab).length,
  }
}

interface Stages {
  readonly raw: TokenMatcher | undefined
  readonly normalized: TokenMatcher | undefined
  readonly normalize: (text: string) => string
  readonly split: Library['pre_tokenizer']
  readonly idsOfWord: (word: string) => readonly number[]
}

/**
 * Cuts a text at its added tokens, normalizes the text between, cuts it at the normalized added tokens, then into
 * words, and those into pieces.
 */
function encode(text: string, limit: number, stages: Stages): number[] {
  const ids: number[] = []
  const sections = splitAddedTokens(text, stages.raw)
  for (let index = 0; index < sections.length; index++) {
    const section = sections[index]!
    if (typeof section === 'number') {
      ids.push(section)
      continue
    }
    for (const part of splitAddedTokens(stages.normalize(section), stages.normalized)) {
      if (typeof part === 'number') ids.push(part)
      else pushWords(ids, part, limit, index, stages)
      if (ids.length >= limit) return ids
    }
  }
  return ids
}

function pushWords(ids: number[], text: string, limit: number, section: number, stages: Stages): void {
  if (text === '') return
  for (const word of stages.split === null ? [text] : stages.split(text, { section_index: section })) {
    for (const id of stages.idsOfWord(word)) ids.push(id)
    if (ids.length >= limit) return
  }
}

/** The library's model, a word at a time, with a memory. */
function rememberingIds(model: Library['model']): (word: string) => readonly number[] {
  const memory = new Map<string, readonly number[]>()
  return word => {
    const known = memory.get(word)
    if (known !== undefined) return known
    const ids: number[] = []
    for (const token of model([word])) {
      const id = model.tokens_to_ids.get(token) ?? model.unk_token_id
      if (id !== undefined) ids.push(id)
    }
    if (word.length <= longestRemembered) {
      if (memory.size >= rememberedWords) memory.clear()
      memory.set(word, ids)
    }
    return ids
  }
}
