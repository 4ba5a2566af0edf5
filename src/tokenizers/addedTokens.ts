// text → stretches of text and the added tokens between them
import { trimEnd, trimStart, wordCharacter } from './characters'
import type { AddedToken } from './tokenizerJson'
import { literalPattern } from '../literalPattern'

/** Finds added tokens in a text. */
export interface TokenMatcher {
  readonly pattern: RegExp
  readonly tokens: ReadonlyMap<string, AddedToken>
}

/**
 * A matcher for tokens as `normalize` writes them, the longest first; undefined for no tokens. Of tokens that are
 * written alike the first counts, special ones before others.
 */
export function tokenMatcher(
  tokens: readonly AddedToken[],
  normalize: (text: string) => string,
): TokenMatcher | undefined {
  const byText = new Map<string, AddedToken>()
  for (const token of [...tokens.filter(one => one.special), ...tokens.filter(one => !one.special)]) {
    const text = normalize(token.content)
    if (text !== '' && !byText.has(text)) byText.set(text, token)
  }
  if (byText.size === 0) return undefined
  const texts = [...byText.keys()].sort((a, b) => b.length - a.length)
  return {
    pattern: new RegExp(texts.map(literalPattern).join('|'), 'gu'),
    tokens: byText,
  }
}

/**
 * The text cut at its added tokens, each of which becomes its id. A token with `lstrip` or `rstrip` includes the blanks
 * beside it; one with `single_word` counts only where no word touches it.
 */
export function splitAddedTokens(text: string, matcher: TokenMatcher | undefined): (string | number)[] {
  if (text === '') return []
  if (matcher === undefined || text.search(matcher.pattern) < 0) return [text] // most texts have none
  return cutAtAddedTokens(text, matcher, (start, end, id) => id ?? text.slice(start, end))
}

/** The same for places: what `cut` makes of each stretch of the text, with the id of those that are added tokens. */
export function cutAtAddedTokens<Part>(
  text: string,
  matcher: TokenMatcher | undefined,
  cut: (start: number, end: number, id?: number) => Part,
): Part[] {
  const parts: Part[] = []
  let start = 0
  for (const match of matcher === undefined ? [] : text.matchAll(matcher.pattern)) {
    const token = matcher!.tokens.get(match[0])!
    const end = match.index + match[0].length
    if (token.single_word && touchesWord(text, match.index, end)) continue
    const keptEnd = token.lstrip ? start + trimEnd(text.slice(start, match.index)).length : match.index
    if (keptEnd > start) parts.push(cut(start, keptEnd))
    start = token.rstrip ? text.length - trimStart(text.slice(end)).length : end
    parts.push(cut(keptEnd, start, token.id))
  }
  if (start < text.length) parts.push(cut(start, text.length))
  return parts
}

/** Whether a word's character stands right before or right after a stretch. */
function touchesWord(text: string, start: number, end: number): boolean {
  return wordEnds.test(text.slice(Math.max(0, start - 2), start)) || wordBegins.test(text.slice(end, end + 2))
}

const wordEnds = new RegExp(`[${wordCharacter}]$`, 'u')
const wordBegins = new RegExp(`^[${wordCharacter}]`, 'u')
