// SentencePiece's own normalization: the precompiled_charsmap of a tokenizer.json
import type { Change } from './alignedText'
import type { JsonPart } from './jsonPart'
import type { Normalizer } from './normalizer'

/**
 * A map from stretches of bytes to texts: the length of a trie in bytes (four bytes, little-endian), the trie, and the
 * texts, each closed by a zero. The trie is a double array as darts-clone writes it: units of 32 bits, in which the
 * place of a child is the node's place xor the node's offset xor the child's byte.
 */
interface Charsmap {
  readonly units: Uint32Array
  readonly texts: Uint8Array
}

/** The normalizer of a `precompiled_charsmap`: base64 as in tokenizer.json. */
export function charsmapNormalizer(part: JsonPart): Normalizer {
  const map = readCharsmap(part)
  if (map.units.length === 0) return { normalize: text => text, align: text => text }
  const replaced = remembering(grapheme =>
    replacementsOf(map, grapheme)
      .map(([, after]) => after)
      .join(''),
  )
  const replacements = remembering(grapheme => replacementsOf(map, grapheme))
  return {
    normalize: text => {
      let result = ''
      if (singles.test(text)) for (const character of text) result += replaced(character)
      else for (const { segment } of segmenter.segment(text)) result += replaced(segment)
      return result
    },
    align: text => {
      const changes = Array.from(segmenter.segment(text.text), ({ segment }) => replacements(segment)).flat()
      return changes.every(([before, after]) => before === after) ? text : text.transformed(changesOf(changes))
    },
  }
}

function remembering<Result>(make: (grapheme: string) => Result): (grapheme: string) => Result {
  const memory = new Map<string, Result>()
  return grapheme => {
    let known = memory.get(grapheme)
    if (known === undefined) {
      known = make(grapheme)
      if (memory.size >= rememberedGraphemes) memory.clear()
      memory.set(grapheme, known)
    }
    return known
  }
}

/** What comes in place of a stretch of a text. */
type Replacement = readonly [before: string, after: string]

/**
 * The replacements as the Rust library counts them: surplus characters are additions, and what lacks is taken from the
 * last character, be it one of an earlier replacement.
 */
function changesOf(replacements: readonly Replacement[]): Change[] {
  const changes: [string, number][] = []
  for (const [before, after] of replacements) {
    const size = changes.length
    for (const character of after) changes.push([character, 0])
    const surplus = changes.length - size - Array.from(before).length
    if (surplus > 0) for (const change of changes.slice(-surplus)) change[1] = 1
    else if (surplus < 0 && changes.length > 0) changes.at(-1)![1] += surplus
  }
  return changes
}

const rememberedGraphemes = 1 << 16
/** Texts in which every character is a grapheme: no need to look for boundaries. */
const singles = /^[\x20-\x7e\u00a0-\u00ac\u00ae-\u02ff\u0400-\u0482\u048a-\u052f\u4e00-\u9fff]*$/
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const utf8 = new TextEncoder()
const text8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * What a grapheme becomes: as the Rust library does it, one of less than six bytes is looked up whole, and the *first*
 * of its prefixes that the trie knows replaces all of it; otherwise each of its characters is looked up.
 */
function replacementsOf(map: Charsmap, grapheme: string): Replacement[] {
  const bytes = utf8.encode(grapheme)
  const whole = bytes.length < 6 ? lookUp(map, bytes) : undefined
  if (whole !== undefined) return [[grapheme, whole]]
  return Array.from(grapheme, character => [character, lookUp(map, utf8.encode(character)) ?? character])
}

/** The text of the shortest key that the bytes begin with. */
function lookUp({ units, texts }: Charsmap, bytes: Uint8Array): string | undefined {
  let place = offsetOf(units[0]!)
  for (const byte of bytes) {
    if (byte === 0) return undefined
    place ^= byte
    const unit = units[place]
    if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined
    place ^= offsetOf(unit)
    if ((unit >>> 8) & 1) {
      const start = units[place]! & 0x7fffffff
      const end = texts.indexOf(0, start)
      return text8.decode(texts.subarray(start, end === -1 ? undefined : end))
    }
  }
  return undefined
}

/** Bits 10 to 30 of a unit, times 256 if bit 9 is set. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6)
}

function readCharsmap(part: JsonPart): Charsmap {
  const bytes = bytesOf(part)
  const view = new DataView(bytes.buffer)
  const size = bytes.length === 0 ? 0 : view.getUint32(0, true)
  if (size % 4 !== 0 || size + 4 > Math.max(bytes.length, 4)) throw part.wrong(description)
  const units = Uint32Array.from({ length: size / 4 }, (_, index) => view.getUint32(4 + 4 * index, true))
  return { units, texts: bytes.subarray(4 + size) }
}

const description = "the base64 of SentencePiece's map"

function bytesOf(part: JsonPart): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.from(atob(part.text('')), character => character.charCodeAt(0))
    if (bytes.length === 0 || bytes.length >= 4) return bytes
  } catch {
    // not base64: the same error as for too few bytes
  }
  throw part.wrong(description)
}
