// which tokens of a row are one word
import { TrainerError } from '../errors'
import { shown } from '../options'
import type { Example } from './Collator'

/** The column of each token's word: numbers, null for tokens of no word. */
export const wordColumn = 'word_ids'

/** The part of a tokenizer that knows how its tokens are written. */
export interface PieceReader {
  /** What WordPiece writes before a piece that goes on with a word: '##'; other models have none. */
  readonly continuingSubwordPrefix?: string | undefined
  convertIdsToTokens?(ids: readonly number[]): (string | undefined)[]
}

/**
 * For each token of a row the first token of its word that is not special; itself for tokens of no word. Two texts of a
 * row number their words alike, so a word is a stretch of tokens with one number.
 * @throws TrainerError (`data`) naming the row, where its words cannot be known or are not one for each token.
 */
export function firstsOfWords(
  tokenizer: PieceReader,
  example: Example,
  specials: readonly boolean[],
  rowName: string,
): Int32Array {
  const words = example[wordColumn] === undefined ? undefined : wordsOf(example[wordColumn], specials.length, rowName)
  const continues = words === undefined ? continuing(tokenizer, example, specials) : undefined
  const goesOn = (token: number): boolean =>
    words === undefined ? continues![token]! : words[token] !== null && words[token] === words[token - 1]
  const firsts = Int32Array.from(specials, (_, token) => token)
  for (let token = 1; token < firsts.length; token++) {
    const first = firsts[token - 1]!
    if (goesOn(token) && !specials[first]!) firsts[token] = first
  }
  return firsts
}

function wordsOf(words: unknown, tokens: number, rowName: string): readonly (number | null)[] {
  const place = `Column '${wordColumn}' of ${rowName}`
  const fix = 'Tokenize with { returnWordIds: true }, and leave the column as it is.'
  if (!Array.isArray(words) && !ArrayBuffer.isView(words))
    throw new TrainerError('data', `${place} is ${shown(words)}, not a list of the tokens' words.`, { fix })
  const list = Array.from(words as ArrayLike<unknown>, word => (typeof word === 'bigint' ? Number(word) : word))
  if (list.length !== tokens)
    throw new TrainerError('data', `${place} has ${list.length} words, but the row has ${tokens} tokens.`, { fix })
  const wrong = list.findIndex(word => word !== null && !(Number.isInteger(word) && (word as number) >= 0))
  if (wrong < 0) return list as (number | null)[]
  throw new TrainerError(
    'data',
    `${place} is ${shown(list[wrong])} for token ${wrong}; a whole number from 0, or null for a token of no word, ` +
      'was expected.',
    { fix },
  )
}

/** Whether each token goes on with the word of the token before, as WordPiece writes it. */
function continuing(tokenizer: PieceReader, { input_ids: ids }: Example, specials: readonly boolean[]): boolean[] {
  const prefix = tokenizer.continuingSubwordPrefix
  if (prefix === undefined || prefix === '' || tokenizer.convertIdsToTokens === undefined)
    throw new TrainerError(
      'data',
      "wholeWordMask needs to know which tokens are one word, but the rows have no column 'word_ids', and this " +
        "tokenizer's tokens do not say it: it writes no '##' before a piece that goes on with a word.",
      { fix: 'Tokenize with { returnWordIds: true }.' },
    )
  const tokens = tokenizer.convertIdsToTokens(Array.from(ids as ArrayLike<number | bigint>, Number))
  return tokens.map((token, at) => !specials[at]! && at > 0 && !specials[at - 1]! && token!.startsWith(prefix))
}
