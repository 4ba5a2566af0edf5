// texts → rows: the tokens of a text or pair, cut to the limit and put into the template
import type { Side } from '../collators/padding'
import type { CompleteOptions, Outputs } from './options'
import type { Template, TemplatePiece } from './template'
import type { TextModel } from './textModel'
import type { Text } from './texts'
import { truncatedLengths } from './truncation'

/** One encoded text or pair; what is not asked for is empty. */
export interface EncodedRow {
  readonly ids: number[]
  readonly segments: number[]
  readonly specials: number[]
  readonly words: (number | null)[]
  readonly sequences: (number | null)[]
}

/** The tokens of a text; `words` are the numbers of their words, if they are asked for. */
interface TextTokens {
  readonly ids: readonly number[]
  readonly words: readonly number[] | undefined
}

/** What is made of one text or pair. */
export interface EncodedText {
  readonly row: EncodedRow
  /** The words that lie behind the limit; 0 for texts that are not split into words. */
  readonly lost: number
}

/** A function that cuts the tokens of a text or pair to the budget and puts them into the template. */
export function rowEncoder(
  model: TextModel,
  template: Template,
  options: CompleteOptions,
): (text: Text, pair?: Text) => EncodedText {
  const { strategy, maxLength, truncationSide: side, outputs } = options
  const truncates = strategy !== 'do_not_truncate' && maxLength !== undefined
  const added = { single: count(template.single), pair: count(template.pair) }

  return (text, pair) => {
    const pieces = pair === undefined ? template.single : template.pair
    const specials = pair === undefined ? added.single : added.pair
    // If the special tokens alone exceed the budget, nothing is cut, as in the Rust library.
    const budget = truncates && maxLength >= specials ? maxLength - specials : undefined
    const enough = budget !== undefined && pair === undefined && side === 'right' ? budget + 1 : undefined
    const first = tokensOf(text, model, outputs.words, enough)
    const second = pair === undefined ? undefined : tokensOf(pair, model, outputs.words)
    if (budget === undefined) return { row: assemble(pieces, first, second, outputs), lost: 0 }
    const [firstLength, secondLength] = truncatedLengths(first.ids.length, second?.ids.length, budget, strategy)
    const firstKept = cut(first, firstLength, side)
    const secondKept = second && cut(second, secondLength, side)
    const lost = firstKept === first ? 0 : lostWords(text, firstKept, side)
    const lostSecond = secondKept === second ? 0 : lostWords(pair!, secondKept!, side)
    return { row: assemble(pieces, firstKept, secondKept, outputs), lost: lost + lostSecond }
  }
}

function count(pieces: readonly TemplatePiece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.ids.length, 0)
}

/** The tokens of a text, at least `enough` of them if it has so many; a text in words is encoded word by word. */
function tokensOf(text: Text, model: TextModel, wantsWords: boolean, enough = Infinity): TextTokens {
  if (typeof text === 'string') {
    const words: number[] | undefined = wantsWords ? [] : undefined
    return { ids: model.encode(text, enough, words), words }
  }
  const ids: number[] = []
  const words: number[] = []
  for (const [index, word] of text.entries()) {
    for (const id of model.encode(word)) {
      ids.push(id)
      words.push(index)
    }
    if (ids.length >= enough) break
  }
  return { ids, words }
}

function cut(tokens: TextTokens, length: number, side: Side): TextTokens {
  const { ids, words } = tokens
  if (length >= ids.length) return tokens
  const start = side === 'right' ? 0 : ids.length - length
  return { ids: ids.slice(start, start + length), words: words?.slice(start, start + length) }
}

/** How many words of a text that was cut stand behind the last one that has a token, or on the left before the first. */
function lostWords(text: Text, { words }: TextTokens, side: Side): number {
  if (typeof text === 'string') return 0
  if (side === 'left') return words![0] ?? text.length
  return text.length - 1 - (words!.at(-1) ?? -1)
}

function assemble(
  pieces: readonly TemplatePiece[],
  first: TextTokens,
  second: TextTokens | undefined,
  outputs: Outputs,
): EncodedRow {
  const row: EncodedRow = { ids: [], segments: [], specials: [], words: [], sequences: [] }
  for (const piece of pieces) {
    const text = piece.text === 'A' ? first : piece.text === 'B' ? second : undefined
    const ids = text?.ids ?? piece.ids
    for (let i = 0; i < ids.length; i++) {
      row.ids.push(ids[i]!)
      if (outputs.segments) row.segments.push(piece.segment)
      if (outputs.specials) row.specials.push(piece.text ? 0 : 1)
      if (outputs.words) row.words.push(text === undefined ? null : text.words![i]!)
      if (outputs.sequences) row.sequences.push(text === undefined ? null : text === first ? 0 : 1)
    }
  }
  return row
}
