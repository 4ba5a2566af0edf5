// the model of a tokenizer.json → a function from a word to the ids of its pieces
import { WordPiece } from '@huggingface/tokenizers'
import { bytePairModel } from './bytePairs'
import type { JsonPart } from './jsonPart'
import { unigramModel } from './unigram'
import type { Vocabulary, WordModel } from './vocabularies'

const models: Readonly<Record<string, (part: JsonPart, vocabulary: Vocabulary) => WordModel>> = {
  WordPiece: wordPieceModel,
  WordLevel: wordLevelModel,
  BPE: bytePairModel,
  Unigram: unigramModel,
}

/**
 * The model's function.
 * @throws TrainerError (`file`) that names the field, and the type if it is not supported.
 */
export function wordModelOf(part: JsonPart, vocabulary: Vocabulary): WordModel {
  const make = part.makerIn(models, 'model', impliedType(part, vocabulary))
  if (make !== unigramModel && vocabulary.scores !== undefined)
    throw part.at('vocab').wrong('an object of tokens and ids')
  return make(part, vocabulary)
}

/** Old files do not say their model's type. */
function impliedType(part: JsonPart, vocabulary: Vocabulary): string {
  if (vocabulary.scores !== undefined) return 'Unigram'
  if (!part.at('merges').isMissing) return 'BPE'
  return part.at('continuing_subword_prefix').isMissing ? 'WordLevel' : 'WordPiece'
}

/**
 * The library's model; it only ever sees the model's own vocabulary, never added tokens. A word that is a token itself
 * needs no search for its pieces.
 */
function wordPieceModel(part: JsonPart, { ids }: Vocabulary): WordModel {
  const unknown = unknownId(part, ids)
  const prefix = part.at('continuing_subword_prefix').text('##')
  const longest = part.at('max_input_chars_per_word').count(100)
  const model = new WordPiece({
    ...part.object(),
    continuing_subword_prefix: prefix,
    max_input_chars_per_word: longest,
  } as never) as unknown as { encode(words: readonly string[]): string[] }
  return (word, spans) => {
    const whole = word === '' || word.length > longest ? undefined : ids.get(word)
    if (whole !== undefined) {
      spans?.push(0, word.length)
      return [whole]
    }
    const tokens = model.encode([word])
    if (spans !== undefined) pushSpans(spans, tokens, word, prefix)
    return tokens.map(token => ids.get(token) ?? unknown)
  }
}

/** Where tokens stand that make up a word, each but the first with a prefix; a single one, which may be unknown, is all. */
function pushSpans(spans: number[], tokens: readonly string[], word: string, prefix: string): void {
  let end = 0
  for (const [index, token] of tokens.entries()) {
    const start = end
    end = tokens.length === 1 ? word.length : start + token.length - (index === 0 ? 0 : prefix.length)
    spans.push(start, end)
  }
}

function wordLevelModel(part: JsonPart, { ids }: Vocabulary): WordModel {
  const unknown = unknownId(part, ids)
  return (word, spans) => {
    spans?.push(0, word.length)
    return [ids.get(word) ?? unknown]
  }
}

function unknownId(part: JsonPart, ids: ReadonlyMap<string, number>): number {
  const token = part.at('unk_token')
  const id = ids.get(token.text())
  if (id === undefined) throw token.wrong('a token of the vocabulary')
  return id
}
