// tokenizer.json → tokenizer.json with what Python's tokenizer class adds by itself
import type { Family } from './families'
import type { SpecialTokens } from './specials'
import { clsSepTemplate } from './template'
import {
  specialToken,
  type AddedToken,
  type TokenizerConfig,
  type TokenizerJson,
  type WrittenJson,
} from './tokenizerJson'
import type { Vocabulary } from './vocabularies'

/** What a tokenizer.json is completed from. */
export interface Completion {
  readonly family: Family
  readonly config: TokenizerConfig
  readonly specials: SpecialTokens
  /** The special tokens that the files name, those without a role among them. */
  readonly named: readonly string[]
  /** The model's own. */
  readonly vocabulary: Vocabulary
  /** `added_tokens.json`: ids by token. */
  readonly added: Readonly<Record<string, number>>
  /** Where it was asked for, whatever the files say: the configuration has it too. */
  readonly addPrefixSpace: boolean | undefined
}

/**
 * The tokenizer.json with special tokens that it does not mark as such and, for BERT's kin, the configuration's options
 * of the normalizer and a template; parts that it lacks become null.
 */
export function completeJson(json: WrittenJson, completion: Completion): TokenizerJson {
  const { family, config, specials } = completion
  const isWordPiece = family.kind === 'wordpiece'
  const tokens = completeTokens(json, completion)
  const ids = new Map(tokens.map(token => [token.content, token.id]))
  const idOf = (token: string): number | undefined => ids.get(token) ?? completion.vocabulary.ids.get(token)
  const normalizer = json.normalizer ?? null
  const processor = json.post_processor ?? null
  return {
    ...json,
    added_tokens: tokens,
    normalizer:
      isWordPiece && normalizer?.type === 'BertNormalizer' ? configuredNormalizer(normalizer, config) : normalizer,
    pre_tokenizer: configuredByteLevel(json.pre_tokenizer ?? null, completion),
    post_processor: isWordPiece
      ? (processor ?? clsSepTemplate(specials, idOf, family.doubleSeparator))
      : configuredByteLevel(processor, completion),
    decoder: json.decoder ?? null,
  }
}

/**
 * The added tokens as the configuration describes them, then those of the configuration, of `added_tokens.json`, and the
 * special ones that are missing: of those that only the class has, the ones in the vocabulary.
 */
function completeTokens(json: WrittenJson, completion: Completion): AddedToken[] {
  const { config, specials, named, vocabulary, added } = completion
  const tokens = new Map((json.added_tokens ?? []).map(token => [token.content, token]))
  const add = (content: string, attributes: Partial<AddedToken> = {}): void => {
    if (!tokens.has(content)) tokens.set(content, specialToken(0, content, attributes))
  }
  const described = Object.entries((config['added_tokens_decoder'] ?? {}) as Record<string, AddedToken>)
  for (const [, token] of described.sort(([a], [b]) => Number(a) - Number(b)))
    tokens.set(token.content, { ...(tokens.get(token.content) ?? specialToken(0, token.content, plain)), ...token })
  for (const content of Object.keys(added)) {
    const special = Object.values(specials).includes(content) || named.includes(content)
    // a token that only the class has is special too, but was found before that was known
    add(content, { special, normalized: !named.includes(content) })
  }
  for (const content of Object.values(specials)) if (vocabulary.ids.has(content)) add(content)
  for (const content of named) add(content)
  return renumbered([...tokens.values()], vocabulary)
}

const plain = { special: false }

/**
 * The tokens with the ids that the Rust library gives them, whatever the file says: that of the vocabulary, or else the
 * next one after the vocabulary and the tokens before.
 */
export function renumbered(
  tokens: readonly AddedToken[],
  { ids, size }: Pick<Vocabulary, 'ids' | 'size'>,
): AddedToken[] {
  let next = size
  return tokens.map(token => {
    const id = ids.get(token.content) ?? next
    next = Math.max(next, id + 1)
    return { ...token, id }
  })
}

/**
 * The normalizer of BERT's kin with the options of the configuration, or else of the class: as in Python, those of the
 * file do not count.
 */
function configuredNormalizer(
  normalizer: NonNullable<TokenizerJson['normalizer']>,
  config: TokenizerConfig,
): NonNullable<TokenizerJson['normalizer']> {
  return {
    ...normalizer,
    clean_text: true,
    lowercase: config['do_lower_case'] ?? true,
    handle_chinese_chars: config['tokenize_chinese_chars'] ?? true,
    strip_accents: config['strip_accents'] ?? null,
  }
}

/**
 * The byte-level pre-tokenizer or post-processor with the options that the configuration sets: for RoBERTa's kin, as in
 * Python, and for others what was asked for.
 */
function configuredByteLevel(part: unknown, { family, config, addPrefixSpace }: Completion): unknown {
  const { type } = (part ?? {}) as { type?: unknown }
  if (type !== 'ByteLevel' && type !== 'RobertaProcessing') return part
  const { add_prefix_space: written, trim_offsets: trims } = family.kind === 'byte-level' ? config : {}
  const prefixes = addPrefixSpace ?? written
  return {
    ...(part as object),
    ...(typeof prefixes === 'boolean' && { add_prefix_space: prefixes }),
    ...(typeof trims === 'boolean' && type === 'RobertaProcessing' && { trim_offsets: trims }),
  }
}
