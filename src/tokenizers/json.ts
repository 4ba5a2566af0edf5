// vocabulary files → the tokenizer.json that Python's tokenizer classes make of them
import { TrainerError } from '../errors'
import type { AddedToken, TokenizerConfig, TokenizerFiles, TokenizerJson } from './files'

type Specials = TokenizerFiles['specials']

/** BERT's tokenizer, of a `vocab.txt` with a token a line. */
export function wordPieceJson(words: string, specials: Specials, config: TokenizerConfig): TokenizerJson {
  const lines = words.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]))
  const unknown = specials.unk_token ?? '[UNK]'
  if (!Object.hasOwn(vocab, unknown)) {
    throw new TrainerError(
      'file',
      `vocab.txt (${lines.length} lines) has no ${unknown}, the token for unknown words.`,
      {
        fix: 'Name the right one as unk_token in tokenizer_config.json.',
      },
    )
  }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(specials, token => (Object.hasOwn(vocab, token) ? vocab[token] : undefined)),
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
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  }
}

/** RoBERTa's tokenizer, of a `vocab.json` (token → id) and a `merges.txt` (two parts a line, in order of rank). */
export function byteLevelJson(
  vocabulary: Readonly<Record<string, number>>,
  mergeLines: string,
  specials: Specials,
  config: TokenizerConfig,
): TokenizerJson {
  const vocab = { ...vocabulary }
  let next = Object.values(vocab).reduce((top, id) => Math.max(top, id), -1) + 1
  const merges = mergeLines
    .split(/\r?\n/)
    .filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version')))
  const idOf = (token: string): number => (Object.hasOwn(vocab, token) ? vocab[token]! : next++)
  const prefix = config['add_prefix_space'] ?? false
  const added = addedTokens(specials, idOf)
  const id = (content: string | undefined): number | undefined => added.find(token => token.content === content)?.id
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [specials.sep_token, id(specials.sep_token)],
      cls: [specials.cls_token, id(specials.cls_token)],
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
      vocab,
      merges,
    },
  }
}

/**
 * `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the second text with type 1; nothing if the tokenizer lacks either
 * token.
 */
export function clsSepTemplate(specials: Specials, idOf: (token: string) => number | undefined): unknown {
  const { cls_token: cls, sep_token: sep } = specials
  if (cls === undefined || sep === undefined || idOf(cls) === undefined || idOf(sep) === undefined) return null
  const special = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } })
  const text = (id: 'A' | 'B', type: number): object => ({ Sequence: { id, type_id: type } })
  const entry = (token: string): object => ({ id: token, ids: [idOf(token)], tokens: [token] })
  return {
    type: 'TemplateProcessing',
    single: [special(cls, 0), text('A', 0), special(sep, 0)],
    pair: [special(cls, 0), text('A', 0), special(sep, 0), text('B', 1), special(sep, 1)],
    special_tokens: { [cls]: entry(cls), [sep]: entry(sep) },
  }
}

function addedTokens(specials: Specials, idOf: (token: string) => number | undefined): AddedToken[] {
  const tokens = [...new Set(Object.values(specials))].map(content => ({ content, id: idOf(content) }))
  const known = tokens.filter((token): token is { content: string; id: number } => token.id !== undefined)
  return known.map(token => ({
    ...token,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }))
}
