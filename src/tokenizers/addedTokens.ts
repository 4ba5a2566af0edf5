// text → stretches of text and the added tokens between them
import type { AddedToken } from './tokenizerJson'

/** Finds added tokens in a text. */
export interface TokenMatcher {
  readonly pattern: RegExp
  readonly tokens: ReadonlyMap<string, AddedToken>
}

/** A matcher for tokens as `normalize` writes them, the longest first; undefined for no tokens. */
export function tokenMatcher(
  tokens: readonly AddedToken[],
  normalize: (text: string) => string,
): TokenMatcher | undefined {
  const byText = new Map(tokens.map(token => [normalize(token.content), token]))
  byText.delete('')
  if (byText.size === 0) return undefined
  const texts = [...byText.keys()].sort((a, b) => b.length - a.length)
  return {
    pattern: new RegExp(texts.map(text => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'gu'),
    tokens: byText,
  }
}

/**
 * The text cut at its added tokens, each of which becomes its id. A token with `lstrip` or `rstrip` includes the blanks
 * beside it; one with `single_word` counts only where no word touches it.
 */
export function splitAddedTokens(text: string, matcher: TokenMatcher | undefined): (string | number)[] {
  if (text === '') return []
  if (matcher === undefined) return [text]
  const parts: (string | number)[] = []
  let start = 0
  matcher.pattern.lastIndex = 0
  for (let match = matcher.pattern.exec(text); match !== null; match = matcher.pattern.exec(text)) {
    const token = matcher.tokens.get(match[0])!
    const end = match.index + match[0].length
    if (token.single_word && (wordEnds.test(text.slice(0, match.index)) || wordBegins.test(text.slice(end)))) continue
    const before = text.slice(start, match.index)
    const kept = token.lstrip ? before.trimEnd() : before
    if (kept !== '') parts.push(kept)
    parts.push(token.id)
    start = token.rstrip ? end + text.slice(end).length - text.slice(end).trimStart().length : end
    matcher.pattern.lastIndex = start
  }
  if (start < text.length) parts.push(start === 0 ? text : text.slice(start))
  return parts
}

const wordEnds = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u
const wordBegins = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u
