// a text → its tokens, and the windows that they are cut into
import type { Side } from '../collators/padding'
import { TrainerError } from '../errors'
import type { CompleteOptions, Outputs } from './options'
import type { PlacedTokens } from './placedTokens'
import type { TextModel } from './textModel'
import type { Text } from './texts'

/** The tokens of a text, and what else is asked of them. */
export type TextTokens = { readonly text: Text; readonly ids: readonly number[] } & {
  readonly [Name in Exclude<keyof PlacedTokens, 'ids'>]: Readonly<PlacedTokens[Name]> | undefined
}

/** The tokens of a text, at least `enough` of them if it has so many; a text in words is encoded word by word. */
export function tokensOf(text: Text, model: TextModel, outputs: Outputs, enough = Infinity): TextTokens {
  if (typeof text !== 'string') return tokensOfWords(text, model, outputs, enough)
  if (outputs.places) return { text, ...model.place(text) }
  const words: number[] | undefined = outputs.words ? [] : undefined
  return { text, ids: model.encode(text, enough, words), words, places: undefined, values: undefined }
}

function tokensOfWords(text: readonly string[], model: TextModel, outputs: Outputs, enough: number): TextTokens {
  const tokens: PlacedTokens = { ids: [], words: [], places: [], values: [] }
  for (const [index, word] of text.entries()) {
    const found: Pick<PlacedTokens, 'ids'> & Partial<PlacedTokens> = outputs.places
      ? model.place(word)
      : { ids: model.encode(word) }
    for (const [place, id] of found.ids.entries()) {
      tokens.ids.push(id)
      tokens.words.push(index)
      if (found.places !== undefined) tokens.places.push(found.places[place]!)
      if (found.values !== undefined) tokens.values.push(found.values[place]!)
    }
    if (tokens.ids.length >= enough) break
  }
  return { text, ...tokens }
}

/**
 * The tokens cut to a length: the first part, or with `returnOverflowingTokens` all of them, each `stride` tokens into the
 * one before. On the left the first part is the text's end.
 * @param length more than `stride`, where all parts are wanted.
 */
export function windowsOf(
  tokens: TextTokens,
  length: number,
  { truncationSide: side, returnsOverflow, stride }: CompleteOptions,
): TextTokens[] {
  const size = tokens.ids.length
  if (length >= size) return [tokens]
  const windows: TextTokens[] = []
  for (let first = 0; ; first += length - stride) {
    const isLast = first + length >= size
    const last = Math.min(first + length, size)
    windows.push(side === 'right' ? sliced(tokens, first, last) : sliced(tokens, size - last, size - first))
    if (isLast || !returnsOverflow) return windows
  }
}

function sliced(tokens: TextTokens, start: number, end: number): TextTokens {
  return {
    text: tokens.text,
    ids: tokens.ids.slice(start, end),
    words: tokens.words?.slice(start, end),
    places: tokens.places?.slice(start, end),
    values: tokens.values?.slice(start, end),
  }
}

/** The error for a stride that leaves nothing new to a window of `length` tokens. */
export function strideError(stride: number, length: number, specials: number, maxLength: number): TrainerError {
  const others = maxLength - specials - length
  const beside =
    others > 0 ? `${specials} special tokens and ${others} of the other text` : `${specials} special tokens`
  const room = `Of maxLength ${maxLength}, ${beside} leave ${length} to this text`
  if (length < 1)
    return new TrainerError('argument', `${room}: there is no room for its tokens.`, { fix: 'Use a larger maxLength.' })
  return new TrainerError('argument', `${room}, and stride ${stride} repeats as many in each row.`, {
    fix: `The largest stride is ${length - 1}; or use a larger maxLength.`,
  })
}

/** How many words of a text that was cut stand behind the last one that has a token, or on the left before the first. */
export function lostWords(tokens: TextTokens, windows: readonly TextTokens[], side: Side): number {
  const { text } = tokens
  const [kept] = windows
  if (typeof text === 'string' || kept === tokens || windows.length > 1) return 0
  if (side === 'left') return kept!.words![0] ?? text.length
  return text.length - 1 - (kept!.words!.at(-1) ?? -1)
}
