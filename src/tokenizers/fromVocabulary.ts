// vocabulary files → the tokenizer.json that Python's tokenizer classes make of them
import { TrainerError } from '../errors'
import type { Family } from './families'
import { specialNames, type SpecialTokens } from './specials'
import { specialToken, type AddedToken, type TokenizerConfig, type TokenizerJson } from './tokenizerJson'

type IdOf = (token: string) => number | undefined

const wordPieces = { continuing_subword_prefix: '##', max_input_chars_per_word: 100 }

/** The tokenizer of BERT's kin, of a `vocab.txt` with a token per line; `path` names it in errors. */
export function wordPieceJson(
  words: string,
  path: string,
  family: Family,
  specials: SpecialTokens,
  config: TokenizerConfig,
): TokenizerJson {
  const lines = words.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]))
  const unknown = specials.unk_token ?? '[UNK]'
  if (!Object.hasOwn(vocab, unknown)) {
    const message = `${path} (${lines.length} lines) has no ${unknown}, the token for unknown words.`
    throw new TrainerError('file', message, { fix: 'Name the right one as unk_token in tokenizer_config.json.' })
  }
  const added = addedTokens(specials, token => (Object.hasOwn(vocab, token) ? vocab[token] : undefined)).map(token =>
    family.maskTakesBlanks && token.content === specials.mask_token ? { ...token, lstrip: true } : token,
  )
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: config['tokenize_chinese_chars'] ?? true,
      strip_accents: config['strip_accents'] ?? null,
      lowercase: config['do_lower_case'] ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: unknown, ...wordPieces, vocab },
  }
}

/** RoBERTa's tokenizer, of a `vocab.json` (token → id) and a `merges.txt` (two parts per line, in order of rank). */
export function byteLevelJson(
  vocab: Readonly<Record<string, number>>,
  mergeLines: string,
  specials: SpecialTokens,
  config: TokenizerConfig,
): TokenizerJson {
  const prefix = config['add_prefix_space'] ?? false
  const added = addedTokens(specials, numberingNewTokens(vocab))
  const pair = (content: string | undefined): unknown[] => [content, added.find(token => token.content === content)?.id]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'RobertaProcessing',
      sep: pair(specials.sep_token),
      cls: pair(specials.cls_token),
      trim_offsets: true,
      add_prefix_space: prefix,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab: { ...vocab },
      merges: mergesOf(mergeLines),
    },
  }
}

/**
 * A built tokenizer whose special tokens have the attributes (`lstrip`, …) that `tokenizer_config.json` or
 * `special_tokens_map.json` give them.
 */
export function withAttributes(json: TokenizerJson, written: TokenizerConfig): TokenizerJson {
  const objects = specialNames
    .map(name => written[name])
    .filter((token): token is Partial<AddedToken> => typeof token === 'object' && token !== null)
  return {
    ...json,
    added_tokens: json.added_tokens.map(token => {
      const found = objects.find(object => object.content === token.content)
      return found === undefined ? token : { ...token, ...found, id: token.id, special: true }
    }),
  }
}

/** The ids of a vocabulary; each token asked for that it lacks gets the next free one. */
function numberingNewTokens(vocab: Readonly<Record<string, number>>): IdOf {
  let next = Object.values(vocab).reduce((top, id) => Math.max(top, id), -1) + 1
  return token => (Object.hasOwn(vocab, token) ? vocab[token]! : next++)
}

function mergesOf(lines: string): string[] {
  return lines.split(/\r?\n/).filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version')))
}

function addedTokens(specials: SpecialTokens, idOf: IdOf): AddedToken[] {
  return [...new Set(Object.values(specials))].flatMap(content => {
    const id = idOf(content)
    return id === undefined ? [] : [specialToken(id, content)]
  })
}
