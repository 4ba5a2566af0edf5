// the patterns of a tokenizer.json → regular expressions, and cutting texts by them
import { SplitPreTokenizer } from '@huggingface/tokenizers'
import type { JsonPart } from './jsonPart'

/** What becomes of the stretches that a pattern matches. */
export const splitBehaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const
export type SplitBehavior = (typeof splitBehaviors)[number]

/** The regular expression of `{ "String": … }` or `{ "Regex": … }`; the library translates Oniguruma's spelling. */
export function patternOf(part: JsonPart): RegExp {
  const { String: text, Regex: regex } = part.object()
  if (typeof text === 'string') return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu')
  if (typeof regex !== 'string') throw part.wrong('{ "String": … } or { "Regex": … }')
  try {
    const { pattern } = new SplitPreTokenizer({ type: 'Split', pattern: { Regex: regex } } as never) as unknown as {
      pattern: RegExp
    }
    return pattern
  } catch (error) {
    throw part.at('Regex').unsupported('regular expression', regex, `cannot be read: ${(error as Error).message}`)
  }
}

interface Stretch {
  readonly start: number
  readonly end: number
  readonly matches: boolean
}

function stretches(text: string, pattern: RegExp, invert: boolean): Stretch[] {
  const found: Stretch[] = []
  let last = 0
  for (const match of text.matchAll(pattern)) {
    const end = match.index + match[0].length
    if (match.index > last) found.push({ start: last, end: match.index, matches: invert })
    found.push({ start: match.index, end, matches: !invert })
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

/** The text cut where a pattern matches, by the rule of the Rust library. */
export function splitText(text: string, pattern: RegExp, behavior: SplitBehavior, invert = false): string[] {
  const found = stretches(text, pattern, invert)
  const pieces: string[] = []
  let start = 0
  for (const [index, one] of found.entries()) {
    if (index === 0 || !joins[behavior](found[index - 1]!, one)) start = one.start
    const next = found[index + 1]
    const isWhole = next === undefined || !joins[behavior](one, next)
    if (isWhole && one.end > start && !(behavior === 'Removed' && one.matches)) pieces.push(text.slice(start, one.end))
  }
  return pieces
}
