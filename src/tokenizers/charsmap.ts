// SentencePiece's own normalization: the precompiled_charsmap of a tokenizer.json
import type { JsonPart } from './jsonPart'

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
export function charsmapNormalizer(part: JsonPart): (text: string) => string {
  const map = readCharsmap(part)
  if (map.units.length === 0) return text => text
  const replacements = new Map<string, string>()
  const replaced = (grapheme: string): string => {
    let known = replacements.get(grapheme)
    if (known === undefined) {
      known = replacementOf(map, grapheme)
      if (replacements.size >= rememberedGraphemes) replacements.clear()
      replacements.set(grapheme, known)
    }
    return known
  }
  return text => {
    let result = ''
    if (singles.test(text)) for (const character of text) result += replaced(character)
    else for (const { segment } of segmenter.segment(text)) result += replaced(segment)
    return result
  }
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
function replacementOf(map: Charsmap, grapheme: string): string {
  const bytes = utf8.encode(grapheme)
  const whole = bytes.length < 6 ? lookUp(map, bytes) : undefined
  if (whole !== undefined) return whole
  return Array.from(grapheme, character => lookUp(map, utf8.encode(character)) ?? character).join('')
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
