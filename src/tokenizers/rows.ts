// texts → rows: the tokens of a text or pair, cut to the limit and put into the template
import type { CompleteOptions, Outputs } from './options'
import type { Template, TemplatePiece, Trim } from './template'
import type { TextModel } from './textModel'
import type { Text } from './texts'
import { lostWords, strideError, type TextTokens, tokensOf, windowsOf } from './tokens'
import { truncatedLengths } from './truncation'
import { trimmedPlaces } from './trimming'

/** One encoded text or pair, or a part of it; what is not asked for is undefined. */
export interface EncodedRow {
  readonly ids: number[]
  readonly segments: number[] | undefined
  readonly specials: number[] | undefined
  readonly places: [number, number][] | undefined
  readonly words: (number | null)[] | undefined
  readonly sequences: (number | null)[] | undefined
}

/**
 * Adds the row of a text or pair to others, or (`returnOverflowingTokens`) as many as it takes; returns the number of
 * words that lie behind the limit, 0 for texts that are not split into words.
 */
type EncodeRow = (rows: EncodedRow[], text: Text, pair?: Text) => number

/**
 * A function that cuts the tokens of a text or pair to the budget and puts them into the template.
 * @throws TrainerError (`argument`), itself or for a pair, for a stride that is as long as what a row has of a text, with
 * the largest that is possible.
 */
export function rowEncoder(
  model: TextModel,
  template: Template,
  options: CompleteOptions,
  ofPairs: boolean,
): EncodeRow {
  const { strategy, maxLength, truncationSide: side, outputs } = options
  const truncates = strategy !== 'do_not_truncate' && maxLength !== undefined
  const added = { single: count(template.single), pair: count(template.pair) }
  const room = truncates && options.returnsOverflow ? maxLength - added.single : Infinity
  // What a pair leaves depends on its texts.
  if (!ofPairs && options.stride >= room) throw strideError(options.stride, room, added.single, maxLength!)

  return (rows, text, pair) => {
    const pieces = pair === undefined ? template.single : template.pair
    const specials = pair === undefined ? added.single : added.pair
    // If the special tokens alone exceed the budget, nothing is cut, as in the Rust library.
    const budget = truncates && maxLength >= specials ? maxLength - specials : undefined
    const isCutEarly = pair === undefined && side === 'right' && !options.returnsOverflow
    const first = tokensOf(text, model, outputs, isCutEarly && budget !== undefined ? budget + 1 : undefined)
    const second = pair === undefined ? undefined : tokensOf(pair, model, outputs)
    if (budget === undefined || first.ids.length + (second?.ids.length ?? 0) <= budget) {
      if (options.stride >= room) throw strideError(options.stride, budget ?? 0, specials, maxLength!)
      rows.push(assemble(pieces, template.trims, first, second, outputs))
      return 0
    }
    const [firstLength, secondLength] = truncatedLengths(first.ids.length, second?.ids.length, budget, strategy)
    const cut = [firstLength, secondLength].filter((length, at) => length < ([first, second][at]?.ids.length ?? 0))
    if (options.returnsOverflow && options.stride >= Math.min(room, ...cut))
      throw strideError(options.stride, Math.min(budget, ...cut), specials, maxLength!)
    const firsts = windowsOf(first, firstLength, options)
    const seconds = second === undefined ? [undefined] : windowsOf(second, secondLength, options)
    for (const [a, b] of combinations(firsts, seconds)) rows.push(assemble(pieces, template.trims, a, b, outputs))
    return lostWords(first, firsts, side) + (second ? lostWords(second, seconds as TextTokens[], side) : 0)
  }
}

function count(pieces: readonly TemplatePiece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.ids.length, 0)
}

/** Each window of the first text with each of the second, in the order of the Rust library. */
function combinations<Window>(
  firsts: readonly TextTokens[],
  seconds: readonly Window[],
): (readonly [TextTokens, Window])[] {
  if (firsts.length === 1 && seconds.length === 1) return [[firsts[0]!, seconds[0]!]]
  const [first, ...laterFirsts] = firsts
  const [second, ...laterSeconds] = seconds
  return [
    [first!, second!],
    ...laterFirsts.flatMap(one => seconds.map((other): [TextTokens, Window] => [one, other])),
    ...laterSeconds.map((other): [TextTokens, Window] => [first!, other]),
  ]
}

function assemble(
  pieces: readonly TemplatePiece[],
  trims: readonly Trim[],
  first: TextTokens,
  second: TextTokens | undefined,
  outputs: Outputs,
): EncodedRow {
  const row: EncodedRow = {
    ids: [],
    segments: outputs.segments ? [] : undefined,
    specials: outputs.specials ? [] : undefined,
    places: outputs.places ? [] : undefined,
    words: outputs.words ? [] : undefined,
    sequences: outputs.sequences ? [] : undefined,
  }
  for (const piece of pieces) {
    const text = piece.text === 'A' ? first : piece.text === 'B' ? second : undefined
    const ids = text?.ids ?? piece.ids
    for (let i = 0; i < ids.length; i++) row.ids.push(ids[i]!)
    if (row.segments) lengthen(row.segments, ids.length, piece.segment)
    if (row.specials) lengthen(row.specials, ids.length, piece.text ? 0 : 1)
    if (row.sequences) lengthen(row.sequences, ids.length, text === undefined ? null : text === first ? 0 : 1)
    if (row.words)
      if (text === undefined) lengthen(row.words, ids.length, null)
      else for (const word of text.words!) row.words.push(word)
    if (row.places)
      if (text === undefined) lengthen(row.places, ids.length, [0, 0])
      else for (const place of trimmedPlaces(text, trims)) row.places.push(place)
  }
  return row
}

function lengthen<Value>(values: Value[], count: number, value: Value): void {
  for (let left = count; left > 0; left--) values.push(value)
}
