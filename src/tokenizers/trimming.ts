// places of tokens without the blanks at their ends, as byte-level tokenizers have them
import { whiteSpace } from './characters'
import type { Trim } from './template'
import type { TextTokens } from './tokens'

const leading = new RegExp(`^[\u0120${whiteSpace}]*`, 'u')
const trailing = new RegExp(`[\u0120${whiteSpace}]*$`, 'u')

/**
 * The places of a row's tokens by the rule of the Rust library (`process_offsets` of its ByteLevel): as many characters
 * as a token has blanks at an end do not count, except, with `prefixes`, for a single blank before the first token or
 * before one that begins with the text, since the tokenizer has put it there.
 */
export function trimmedPlaces(tokens: TextTokens, trims: readonly Trim[]): readonly [number, number][] {
  return trims.reduce<readonly [number, number][]>(
    (places, { prefixes }) => places.map((place, token) => trimmed(place, token, tokens, prefixes)),
    tokens.places!,
  )
}

function trimmed(
  [start, end]: [number, number],
  token: number,
  { text, words, values }: TextTokens,
  prefixes: boolean,
): [number, number] {
  const value = values![token]!
  const before = leading.exec(value)![0].length
  const after = trailing.exec(value)![0].length
  if (before === 0 && after === 0) return [start, end]
  const source = typeof text === 'string' ? text : text[words![token]!]!
  const isPut = prefixes && before === 1 && (token === 0 || start === 0)
  const from = Math.min(isPut ? start : forward(source, start, before), end)
  return [from, Math.max(back(source, end, after) ?? end, from)]
}

/** The place some characters further on. */
function forward(text: string, place: number, characters: number): number {
  let there = place
  for (let left = characters; left > 0; left--) there += (text.codePointAt(there) ?? 0) > 0xffff ? 2 : 1
  return there
}

/** The place some characters before; undefined where there are not so many. */
function back(text: string, place: number, characters: number): number | undefined {
  let there = place
  for (let left = characters; left > 0; left--) there -= (text.codePointAt(there - 2) ?? 0) > 0xffff ? 2 : 1
  return there < 0 ? undefined : there
}
