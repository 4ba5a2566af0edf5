// the patterns of a tokenizer.json → regular expressions, and cutting texts by them
import { SplitPreTokenizer } from '@huggingface/tokenizers'
import type { JsonPart } from './jsonPart'
import { literalPattern } from '../literalPattern'

/** What becomes of the stretches that a pattern matches. */
export const splitBehaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const
export type SplitBehavior = (typeof splitBehaviors)[number]

/** The regular expression of `{ "String": … }` or `{ "Regex": … }`; the library translates Oniguruma's spelling. */
export function patternOf(part: JsonPart): RegExp {
  const { String: text, Regex: regex } = part.object()
  if (typeof text === 'string') return new RegExp(literalPattern(text), 'gu')
  if (typeof regex !== 'string') throw part.wrong('{ "String": … } or { "Regex": … }')
  const reason = unlike(regex)
  if (reason !== undefined) throw part.at('Regex').unsupported('regular expression', regex, reason)
  try {
    const { pattern } = new SplitPreTokenizer({ type: 'Split', pattern: { Regex: regex } } as never) as unknown as {
      pattern: RegExp
    }
    return new RegExp(pattern.source.replaceAll(anyLine, innerLine), pattern.flags)
  } catch (error) {
    throw part.at('Regex').unsupported('regular expression', regex, `cannot be read: ${(error as Error).message}`)
  }
}

/** Why the library's translation of a regular expression would not do what Oniguruma does, if it would not. */
function unlike(regex: string): string | undefined {
  if (/(?<!\\)(?:\\\\)*\\G/.test(regex)) return 'has \\G'
  const foldsMore = /\(\?[a-z]*i/.test(regex) && /(?!\p{ASCII})\p{Changes_When_Casemapped}/u.test(regex)
  return foldsMore ? 'ignores the case of more than ASCII letters' : undefined
}

/** What the library makes of `^`, and what Oniguruma means by it: no line begins at the end of a text. */
const anyLine = '(?:(?<![\\s\\S])|(?<=\\n))'
const innerLine = '(?:(?<![\\s\\S])|(?<=\\n)(?=[\\s\\S]))'

/** A stretch of a text. */
export interface Match {
  readonly start: number
  readonly end: number
}

/** Where a pattern matches, by Rust's rule: an empty match right behind another match is none. */
export function matchesOf(text: string, pattern: RegExp): Match[] {
  const found: Match[] = []
  for (const match of text.matchAll(pattern)) {
    const { index: start } = match
    const end = start + match[0].length
    if (start === end && (found.at(-1)?.end === start || isInside(text, start))) continue
    found.push({ start, end })
  }
  return found
}

/** Whether a place lies between the two halves of a character. */
function isInside(text: string, place: number): boolean {
  return place > 0 && text.codePointAt(place - 1)! > 0xffff
}

/** The text with what a pattern matches replaced. */
export function replaceMatches(text: string, pattern: RegExp, content: string): string {
  let result = ''
  let last = 0
  for (const { start, end } of matchesOf(text, pattern)) {
    result += text.slice(last, start) + content
    last = end
  }
  return result + text.slice(last)
}

interface Stretch extends Match {
  readonly matches: boolean
}

function stretches(text: string, pattern: RegExp, invert: boolean): Stretch[] {
  const found: Stretch[] = []
  let last = 0
  for (const { start, end } of matchesOf(text, pattern)) {
    if (start > last) found.push({ start: last, end: start, matches: invert })
    found.push({ start, end, matches: !invert })
    last = end
  }
  if (last < text.length) found.push({ start: last, end: text.length, matches: invert })
  return found
}

/** Whether a stretch joins the one before it. */
const joins: Record<SplitBehavior, (before: Stretch, one: Stretch) => boolean> = {
  Removed: () => false,
  Isolated: () => false,
  Contiguous: (before, one) => before.matches === one.matches,
  MergedWithPrevious: (before, one) => one.matches && !before.matches,
  MergedWithNext: (before, one) => before.matches && !one.matches,
}

/** A way to cut a text: what `cut` makes of each of its stretches. */
export type Split = <Piece>(text: string, cut: (start: number, end: number) => Piece) => Piece[]

/** Cuts a text where a pattern matches, by the rule of the Rust library. */
export function splitAt(pattern: RegExp, behavior: SplitBehavior, invert = false): Split {
  return (text, cut) => {
    const found = stretches(text, pattern, invert)
    const pieces: ReturnType<typeof cut>[] = []
    let start = 0
    for (const [index, one] of found.entries()) {
      if (index === 0 || !joins[behavior](found[index - 1]!, one)) start = one.start
      const next = found[index + 1]
      const isWhole = next === undefined || !joins[behavior](one, next)
      if (isWhole && one.end > start && !(behavior === 'Removed' && one.matches)) pieces.push(cut(start, one.end))
    }
    return pieces
  }
}

/** Cuts a text into what a pattern matches, and leaves the rest out. */
export function splitInto(pattern: RegExp): Split {
  return (text, cut) => Array.from(text.matchAll(pattern), match => cut(match.index, match.index + match[0].length))
}
